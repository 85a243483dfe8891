/** `{source.host}` and its kind: what a command line or a configuration file of another program is told about a link. */

const SIDES = ['source', 'target'] as const;
const FIELDS = ['host', 'port', 'url', 'username', 'password', 'ca'] as const;

/** All there are; `{config}` only where there is a template. */
export const PLACEHOLDERS: readonly string[] = [
  ...SIDES.flatMap((side) => FIELDS.map((field) => `${side}.${field}`)),
  'link',
  'folder',
  'config',
];

/** Braces around words with dots inside; anything else in braces belongs to the program's own language. */
const REFERENCE = /\{([a-z]+(?:\.[a-z]+)*)\}/g;
const OURS = /^(source|target)\.|^(link|folder|config)$/;

/** The names of our kind that mean nothing, as written. */
export function unknownPlaceholders(text: string): string[] {
  return [...text.matchAll(REFERENCE)]
    .map((match) => match[1] ?? '')
    .filter((name) => OURS.test(name) && !PLACEHOLDERS.includes(name));
}

/** Replaces every placeholder that has a value; what is not ours stays. @param quote how a value stands in the text. */
export function fillIn(
  text: string,
  values: ReadonlyMap<string, string>,
  quote: (value: string) => string = (value) => value,
): string {
  return text.replaceAll(REFERENCE, (whole, name: string) => {
    const value = values.get(name);
    return value === undefined ? whole : quote(value);
  });
}

/** One word for `sh`, whatever is in it. */
export function quoteForShell(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
