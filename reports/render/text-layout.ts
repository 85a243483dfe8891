/**
 * Laying out plain text in columns: cleaning, wrapping, tables. Knows no colour: it is given a `paint` that adds escape
 * codes after the widths are settled.
 */
import { cellText, isBar, type Bar, type Cell, type Column, type Tone } from './document.ts';
import { visible } from './markup.ts';

export interface Pen {
  width: number;
  /** Box drawing and symbols; otherwise ASCII only. */
  unicode: boolean;
  paint: (text: string, tone: Tone | 'title') => string;
}

const ASCII: ReadonlyMap<string, string> = new Map([
  ['…', '...'],
  ['–', '-'],
  ['−', '-'],
  ['·', '-'],
  ['×', 'x'],
  ['≠', '!='],
  ['≤', '<='],
  ['≥', '>='],
  ['→', '->'],
  ['’', "'"],
  ['“', '"'],
  ['”', '"'],
]);

/**
 * Text that may be printed: control characters (a server's error message can hold escape codes) are shown as \xHH, and
 * without unicode everything else becomes ASCII.
 */
export function clean(text: string, pen: Pick<Pen, 'unicode'>): string {
  const printable = visible(text);
  if (pen.unicode) return printable;
  return printable.replaceAll(/[^\n\x20-\x7e]/gu, (character) => ASCII.get(character) ?? '?');
}

/** Breaks at blanks; a word longer than the width stands alone and sticks out, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let current = '';
    for (const word of line.split(' ')) {
      if (current !== '' && current.length + 1 + word.length > width) {
        lines.push(current);
        current = word;
      } else {
        current = current === '' ? word : `${current} ${word}`;
      }
    }
    lines.push(current);
    return lines;
  });
}

/** Least width that the last column (the one with sentences) is wrapped to. */
const SENTENCE_WIDTH_MIN = 24;
const GAP = 2;
const BAR_WIDTH_MAX = 30;

/**
 * Lines of a table, without indentation. A last column of sentences is wrapped into the room that is left; a table that
 * does not fit even so becomes a list, one row after another.
 */
export function layoutTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  pen: Pen,
): string[] {
  const widths = columnWidths(columns, rows, pen);
  if (widths === null) return layoutAsList(columns, rows, pen);
  const lines: string[] = [];
  if (columns.some((column) => column.title !== '')) {
    const titles = columns.map((column) => ({ lines: [clean(column.title, pen)], tone: 'dim' as const }));
    lines.push(...layoutRow(titles, columns, widths, pen));
  }
  for (const row of rows) {
    const cells = columns.map((_column, index) => {
      const cell = row[index] ?? '';
      const width = widths[index] ?? 0;
      if (isBar(cell)) return { lines: [drawBar(cell, width, pen)], tone: cell.tone };
      const { text, tone } = cellText(cell);
      const isLast = index === columns.length - 1;
      return { lines: isLast ? wrap(clean(text, pen), width) : [clean(text, pen)], tone };
    });
    lines.push(...layoutRow(cells, columns, widths, pen));
  }
  return lines;
}

/** Characters per column; null when they do not fit. */
function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  pen: Pen,
): number[] | null {
  const natural = columns.map((column, index) => {
    const cells = rows.map((row) => row[index] ?? '');
    const texts = [column.title, ...cells.map((cell) => cellText(cell).text)];
    const widest = Math.max(
      ...texts.flatMap((text) => clean(text, pen).split('\n')).map((line) => line.length),
    );
    return cells.some(isBar) ? BAR_WIDTH_MAX : widest;
  });
  const used = natural.reduce((sum, width) => sum + width + GAP, -GAP);
  if (used <= pen.width) return natural;
  const last = natural.at(-1) ?? 0;
  const room = pen.width - used + last;
  if (columns.at(-1)?.align === 'right' || room < Math.min(last, SENTENCE_WIDTH_MIN)) return null;
  return [...natural.slice(0, -1), room];
}

function layoutAsList(columns: readonly Column[], rows: readonly (readonly Cell[])[], pen: Pen): string[] {
  const listed = [
    { title: '', align: 'left' as const },
    { title: '', align: 'left' as const },
  ];
  const labels = Math.max(...columns.map((column) => column.title.length));
  return rows.flatMap((row, rowIndex) => {
    const pairs = columns.flatMap((column, index): Cell[][] => {
      const cell = row[index] ?? '';
      if (isBar(cell) || cellText(cell).text === '') return [];
      return [[{ text: column.title.padEnd(labels), tone: 'dim' }, cell]];
    });
    const isNarrow = columnWidths(listed, pairs, pen) === null;
    const lines = isNarrow
      ? pairs.map(([, cell]) => clean(cellText(cell ?? '').text, pen))
      : layoutTable(listed, pairs, pen);
    return [...(rowIndex > 0 ? [''] : []), ...lines];
  });
}

interface LaidOutCell {
  lines: string[];
  tone: Tone;
}

function layoutRow(
  cells: readonly LaidOutCell[],
  columns: readonly Column[],
  widths: readonly number[],
  pen: Pen,
): string[] {
  const height = Math.max(...cells.map((cell) => cell.lines.length));
  return Array.from({ length: height }, (_, lineIndex) => {
    let line = '';
    let missing = 0;
    cells.forEach((cell, index) => {
      const text = cell.lines[lineIndex] ?? '';
      const padding = Math.max(0, (widths[index] ?? 0) - text.length);
      const before = columns[index]?.align === 'right' ? padding : 0;
      // Blanks are held back until something follows them: no line ends in blanks.
      missing += before;
      if (text !== '') {
        line += ' '.repeat(missing) + pen.paint(text, cell.tone);
        missing = 0;
      }
      missing += padding - before + GAP;
    });
    return line;
  });
}

/** At least one cell, so that a short phase of a long run is still seen where it was. */
function drawBar(bar: Bar, width: number, { unicode }: Pen): string {
  const from = Math.min(width - 1, Math.max(0, Math.floor(bar.from * width)));
  const to = Math.min(width, Math.max(from + 1, Math.ceil(bar.to * width)));
  const blank = unicode ? '·' : '.';
  const full = unicode ? '━' : '=';
  return blank.repeat(from) + full.repeat(to - from) + blank.repeat(width - to);
}
