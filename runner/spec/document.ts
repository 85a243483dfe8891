/**
 * The YAML text of a spec with the position of everything in it. Strict YAML 1.2 core: unique keys, text keys only, no
 * tags, aliases bounded.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLError,
} from 'yaml';
import type { Problem } from './problem.ts';
import { isBelowSecretKey, redactLine } from './redaction.ts';
import { wordYamlError, type Wording } from './yaml-problems.ts';

/** Keys and list positions from the root: `['data', 0, 'keys']`. */
export type Path = readonly (string | number)[];

/** Where the finger points: at the key, or at what it holds. */
export type Part = 'key' | 'value';

/** Resolving an alias more often than this is an attack or a mistake. */
const ALIASES_MAX = 100;

const NO_ANCHOR = {
  message: 'there is no anchor of this name before it',
  expected: '&name in front of what is meant, or quotes around a text that begins with *',
};
const TOO_MANY_ALIASES = {
  message: `more than ${ALIASES_MAX} aliases, or aliases inside each other`,
  expected: 'the text itself',
};

/** Complaints about the end of something whose beginning is where the mistake is. */
const OPEN_ENDED: ReadonlySet<string> = new Set(['MISSING_CHAR', 'BAD_INDENT']);
const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", '{': '}', '[': ']' };

function notClosed(character: string): Wording {
  return {
    message: `this ${character} is not closed`,
    expected: `a closing ${CLOSING[character] ?? character}`,
  };
}

export class SpecDocument {
  readonly file: string;
  readonly yaml: Document.Parsed;
  readonly #lineCounter = new LineCounter();
  readonly #text: string;
  readonly #lines: readonly string[];

  constructor(file: string, text: string) {
    this.file = file;
    this.#text = text;
    this.#lines = text.split(/\r\n|\n|\r/);
    this.yaml = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      strict: true,
      uniqueKeys: true,
      stringKeys: true,
      merge: false,
      prettyErrors: false,
      lineCounter: this.#lineCounter,
    });
  }

  /** What the YAML parser complains about; one per line, because one mistake makes several complaints. */
  syntaxProblems(): Problem[] {
    const byLine = new Map<number, Problem>();
    for (const error of [...this.yaml.errors, ...this.yaml.warnings]) {
      const problem = this.#syntaxProblem(error);
      if (!byLine.has(problem.line)) byLine.set(problem.line, problem);
      // The parser has lost the thread: everything after it seems out of place too.
      if (error.code === 'UNEXPECTED_TOKEN') break;
    }
    const version = this.yaml.directives?.yaml;
    if (version?.explicit === true && version.version !== '1.2') {
      byLine.set(
        1,
        this.#problem(0, 0, {
          message: `YAML ${version.version} is not read`,
          expected: 'YAML 1.2, no %YAML line',
        }),
      );
    }
    return [...byLine.values()];
  }

  /** The syntax problems leave enough to go on with. */
  get isReadable(): boolean {
    return this.yaml.errors.every((error) => error.code === 'DUPLICATE_KEY');
  }

  #syntaxProblem(error: YAMLError): Problem {
    const [start, end] = error.pos;
    const { line, col } = this.#lineCounter.linePos(start);
    const text = this.#lines[line - 1] ?? '';
    const open = OPEN_ENDED.has(error.code) ? this.#openBefore(start) : undefined;
    if (open !== undefined) return this.#problem(open.at, open.at + 1, notClosed(open.character));
    const wording = wordYamlError(error, text, this.#textAt(start));
    const reference =
      error.code === 'UNEXPECTED_TOKEN' && text[col - 2] === '$'
        ? /^\{[^}]*\}?/.exec(text.slice(col - 1))
        : null;
    return reference === null
      ? this.#problem(start, end, wording)
      : this.#problem(start - 1, start + reference[0].length, wording);
  }

  /** Nothing, or only comments. */
  get isEmpty(): boolean {
    const { contents } = this.yaml;
    return contents === null || (isScalar(contents) && contents.value === null);
  }

  /** The document as plain data. */
  toValue(): { kind: 'ok'; data: unknown } | { kind: 'invalid'; problems: Problem[] } {
    try {
      return { kind: 'ok', data: this.yaml.toJS({ maxAliasCount: ALIASES_MAX }) };
    } catch (thrown) {
      if (!(thrown instanceof ReferenceError)) throw thrown;
      return { kind: 'invalid', problems: this.#aliasProblems() };
    }
  }

  #aliasProblems(): Problem[] {
    const problems: Problem[] = [];
    visit(this.yaml, {
      Alias: (_, alias) => {
        if (alias.resolve(this.yaml) !== undefined || !alias.range) return;
        problems.push(this.#problem(alias.range[0], alias.range[1], NO_ANCHOR));
      },
    });
    return problems.length > 0 ? problems : [this.#problem(0, 0, TOO_MANY_ALIASES)];
  }

  /** A tag that means nothing here makes a text of whatever follows it. */
  hasUnknownTag(node: Node): boolean {
    return this.yaml.warnings.length > 0 && 'tag' in node && typeof node.tag === 'string';
  }

  problemAt(node: Node, wording: Wording): Problem {
    const [start, end] = node.range ?? [0, 0];
    return this.#problem(start, end, wording);
  }

  problem(path: Path, part: Part, wording: Wording): Problem {
    const range = this.#rangeOf(path, part);
    return this.#problem(range[0], range[1], wording);
  }

  /** The YAML node at a path; an alias is followed. */
  nodeAt(path: Path): Node | undefined {
    let node: unknown = this.yaml.contents;
    for (const segment of path) {
      node = this.#follow(node);
      if (isMap(node)) node = node.items.find((pair) => keyOf(pair.key) === String(segment))?.value;
      else if (isSeq(node) && typeof segment === 'number') node = node.items[segment];
      else return undefined;
    }
    const found = this.#follow(node);
    return isMap(found) || isSeq(found) || isScalar(found) ? found : undefined;
  }

  #follow(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.yaml) : node;
  }

  #rangeOf(path: Path, part: Part): readonly [number, number] {
    // A list item has no key.
    if (part === 'value' || typeof path.at(-1) === 'number') {
      const range = rangeOfNode(this.nodeAt(path));
      if (range !== undefined) return range;
    }
    const parent = this.nodeAt(path.slice(0, -1));
    const last = path.at(-1);
    if (isMap(parent) && last !== undefined) {
      const key = parent.items.find((pair) => keyOf(pair.key) === String(last))?.key;
      if (isScalar(key) && key.range) return [key.range[0], key.range[1]];
    }
    if (path.length > 0) return this.#rangeOf(path.slice(0, -1), 'key');
    return [0, 0];
  }

  #problem(start: number, end: number, wording: Wording): Problem {
    const position = this.#lineCounter.linePos(start);
    const line = Math.min(Math.max(1, position.line), this.#lines.length);
    const column = position.line === line ? Math.max(1, position.col) : 1;
    const raw = this.#lines[line - 1] ?? '';
    const shown = isBelowSecretKey(this.#lines, line - 1)
      ? { text: `${' '.repeat(column - 1)}***`, position: column - 1 }
      : redactLine(raw, column - 1);
    const rest = shown.text.length - shown.position;
    const width = shown.text === raw ? Math.min(end - start, rest) : Math.min(end - start, rest, 1);
    if (raw.trim() === '') return { file: this.file, line, column, ...wording };
    return {
      file: this.file,
      line,
      column,
      ...wording,
      excerpt: {
        text: shown.text.replaceAll('\t', ' '),
        column: shown.position + 1,
        width: Math.max(1, width),
      },
    };
  }

  /** The last quote or bracket before a position that was never closed. */
  #openBefore(offset: number): { at: number; character: string } | undefined {
    let found: { at: number; character: string } | undefined;
    visit(this.yaml, {
      Node: (_, node) => {
        const isEnclosed = isScalar(node)
          ? node.type?.startsWith('QUOTE') === true
          : (isMap(node) || isSeq(node)) && node.flow === true;
        if (!isEnclosed || !node.range || node.range[0] >= offset) return;
        const [at, end] = node.range;
        const character = this.#text[at] ?? '';
        const isClosed = end - at > 1 && this.#text[end - 1] === CLOSING[character];
        if (!isClosed) found = { at, character };
      },
    });
    return found;
  }

  #textAt(offset: number): string {
    const { line, col } = this.#lineCounter.linePos(offset);
    return /^[A-Za-z0-9_-]+/.exec((this.#lines[line - 1] ?? '').slice(col - 1))?.[0] ?? '';
  }
}

/** What to underline of a node: an indented object by its first key; nothing of an empty value. */
function rangeOfNode(node: Node | undefined): readonly [number, number] | undefined {
  const first = isMap(node) && node.flow !== true ? node.items[0]?.key : undefined;
  const range = isScalar(first) ? first.range : node?.range;
  return range && range[1] > range[0] ? [range[0], range[1]] : undefined;
}

function keyOf(key: unknown): string | undefined {
  return isScalar(key) ? String(key.value) : undefined;
}
