/** Escaping for the markup forms. Everything that came from a server, a spec or a key goes through one of these. */

/**
 * Control characters (but the line break) and what XML 1.0 forbids as visible \xHH, so that no form hides or loses them.
 */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}\p{Cs}\uFFFE\uFFFF]/gu, (character) =>
    character === '\n' ? character : `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and quoted attributes of HTML and XML. */
export function escapeMarkup(text: string): string {
  return visible(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** For running text and table cells of Markdown: nothing in it becomes formatting, a link, HTML or a cell border. */
export function escapeMarkdown(text: string): string {
  const escaped = visible(text).replaceAll(/[\\`*_{}[\]<>#|~&!]/g, String.raw`\$&`);
  return escaped.replaceAll('\n', ' ').replace(/^(\s*)([-+]|\d+[.)])(\s)/, String.raw`$1\$2$3`);
}

/** A fenced block whose fence is longer than any run of backticks inside. */
export function fence(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}${language}\n${visible(text)}\n${ticks}`;
}
