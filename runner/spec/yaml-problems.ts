/**
 * The YAML parser's complaints in our words. Its own messages can quote the text they stumble over, which may be a
 * password, so none of them is passed on.
 */
import type { ErrorCode, YAMLError } from 'yaml';

export interface Wording {
  message: string;
  expected?: string;
}

const WORDING: Partial<Record<ErrorCode, Wording>> = {
  ALIAS_PROPS: { message: 'an alias cannot have an anchor or a tag of its own' },
  BAD_ALIAS: {
    message: 'this alias has no name',
    expected: '*name, or quotes around a text that begins with *',
  },
  BAD_DQ_ESCAPE: {
    message: 'unknown escape in a double-quoted text',
    expected: "\\\\ for a backslash, or single quotes ('…')",
  },
  BAD_INDENT: {
    message: 'the indentation does not fit the lines around it',
    expected: 'keys of one object begin in the same column',
  },
  BAD_SCALAR_START: { message: 'a text cannot begin with this character', expected: 'quotes around it' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a second "key: value" in one line, or a deeper indented key under a value',
    expected: 'one key per line, { key: value } for a nested object, or quotes around a text with ": " in it',
  },
  BLOCK_IN_FLOW: { message: 'an indented block cannot stand inside { } or [ ]' },
  MISSING_CHAR: {
    message: 'something is not closed or a ":" is missing',
    expected: 'the missing quote, bracket or colon',
  },
  MULTILINE_IMPLICIT_KEY: { message: 'a key must stand on one line', expected: 'key: value' },
  MULTIPLE_DOCS: { message: 'a second document begins here', expected: 'one spec per file, no --- between' },
  NON_STRING_KEY: { message: 'a key must be a plain word', expected: 'key: value' },
  RESOURCE_EXHAUSTION: { message: 'nested too deeply' },
  TAB_AS_INDENT: { message: 'tabs cannot indent YAML', expected: 'spaces' },
  TAG_RESOLVE_FAILED: {
    message: 'tags (words that begin with !) are not used in a spec',
    expected: 'quotes around a text that begins with !',
  },
  UNEXPECTED_TOKEN: {
    message: 'this cannot stand here',
    expected: 'key: value, - item, or quotes around a text with special characters',
  },
};

/** What to tell about one complaint; `line` is the text of the line it points at. */
export function wordYamlError(error: YAMLError, line: string, tokenText: string): Wording {
  if (error.code === 'DUPLICATE_KEY')
    return { message: `the key "${tokenText}" is there twice`, expected: 'each key once' };
  // `{ url: ${NAME} }`: the braces of the reference end the object.
  if (error.code === 'UNEXPECTED_TOKEN' && /[{[].*[:,[]\s*\$\{/.test(line)) {
    return { message: 'a ${…} inside { } or [ ] needs quotes', expected: '"${NAME}"' };
  }
  return WORDING[error.code] ?? { message: 'this is not valid YAML' };
}
