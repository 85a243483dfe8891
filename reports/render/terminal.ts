/** The report for a terminal or a log: the verdict in one sentence, then what happened, in at most `width` columns. */
import type picocolors from 'picocolors';
import type { Block, Entry, ReportDocument, Tone } from './document.ts';
import { clean, layoutTable, wrap, type Pen } from './text-layout.ts';

/** What picocolors' `createColors()` returns. */
export type Colors = ReturnType<(typeof picocolors)['createColors']>;

export interface TerminalOptions {
  width: number;
  unicode: boolean;
  /** Absent: no colours. */
  colors?: Colors;
}

const INDENT = '  ';

export function renderTerminal(document: ReportDocument, options: TerminalOptions): string {
  const pen: Pen = {
    width: options.width - INDENT.length,
    unicode: options.unicode,
    paint: painter(options.colors),
  };
  const lines = [...header(document, pen), ''];
  for (const section of document.sections) {
    lines.push(pen.paint(clean(section.title, pen), 'title'));
    section.blocks.forEach((block, index) => {
      if (index > 0 && block.kind !== 'note') lines.push('');
      lines.push(...layoutBlock(block, pen).map((line) => (line === '' ? '' : INDENT + line)));
    });
    lines.push('');
  }
  lines.push(closing(document, pen), '');
  return lines.join('\n');
}

function painter(colors: Colors | undefined): Pen['paint'] {
  if (colors === undefined) return (text) => text;
  const paints: Record<Tone | 'title', (text: string) => string> = {
    good: colors.green,
    bad: colors.red,
    warn: colors.yellow,
    dim: colors.dim,
    plain: (text) => text,
    title: colors.bold,
  };
  return (text, tone) => paints[tone](text);
}

const MARKS: Record<Tone, { unicode: string; ascii: string }> = {
  good: { unicode: '✔', ascii: '+' },
  bad: { unicode: '✖', ascii: 'x' },
  warn: { unicode: '▲', ascii: '!' },
  dim: { unicode: '·', ascii: '-' },
  plain: { unicode: '•', ascii: '*' },
};

function mark(tone: Tone, pen: Pen): string {
  return pen.unicode ? MARKS[tone].unicode : MARKS[tone].ascii;
}

function header(document: ReportDocument, pen: Pen): string[] {
  const badge = `${mark(document.tone, pen)} ${document.verdict.toUpperCase()}`;
  const [first = '', ...others] = wrap(clean(document.summary, pen), pen.width - badge.length);
  return [
    `${pen.paint(pen.paint(badge, document.tone), 'title')}  ${first}`,
    ...others.map((line) => `${' '.repeat(badge.length)}  ${line}`),
    ...wrap(clean(`${document.name} · ${document.subtitle}`, pen), pen.width).map((line) =>
      pen.paint(INDENT + line, 'dim'),
    ),
  ];
}

/** The verdict again: of a long report the end is what one sees. */
function closing(document: ReportDocument, pen: Pen): string {
  const badge = `${mark(document.tone, pen)} ${document.verdict.toUpperCase()}`;
  return `${pen.paint(badge, document.tone)}${pen.paint(`  exit code ${document.exitCode}`, 'dim')}`;
}

function layoutBlock(block: Block, pen: Pen): string[] {
  switch (block.kind) {
    case 'table':
      return layoutTable(block.columns, block.rows, pen);
    case 'facts': {
      const rows = block.facts.map(({ label, value }) => [{ text: label, tone: 'dim' as const }, value]);
      const columns = [
        { title: '', align: 'left' as const },
        { title: '', align: 'left' as const },
      ];
      return layoutTable(columns, rows, pen);
    }
    case 'entries':
      return block.entries.flatMap((entry, index) => [
        ...(index > 0 ? [''] : []),
        ...layoutEntry(entry, pen),
      ]);
    case 'note':
      return wrap(clean(block.note.text, pen), pen.width).map((line) => pen.paint(line, block.note.tone));
    default:
      return block satisfies never;
  }
}

function layoutEntry(entry: Entry, pen: Pen): string[] {
  const name = clean(entry.label, pen).replaceAll('\n', ' ');
  const title = wrap(clean(entry.title, pen), pen.width - name.length - 4);
  const labelWidth = Math.max(0, ...entry.lines.map((line) => line.label.length));
  const body = entry.lines.flatMap(({ label, text }) => {
    const lines = wrap(clean(text, pen), pen.width - labelWidth - 4);
    return lines.map((line, index) => {
      const head = pen.paint((index === 0 ? label : '').padEnd(labelWidth), 'dim');
      return `${INDENT}${head}  ${line}`;
    });
  });
  return [
    `${pen.paint(`${mark(entry.tone, pen)} ${name}`, entry.tone)}  ${title[0] ?? ''}`,
    ...title.slice(1).map((line) => `${' '.repeat(name.length + 4)}${line}`),
    ...body,
    ...entry.commands.map((command) => `${INDENT}${pen.paint(`$ ${clean(command, pen)}`, 'dim')}`),
  ];
}
