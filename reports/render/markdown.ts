/** The report for pull requests and wikis: GitHub's Markdown. */
import {
  cellText,
  isBar,
  type Block,
  type Cell,
  type Column,
  type Entry,
  type ReportDocument,
} from './document.ts';
import { escapeMarkdown as escape, fence } from './markup.ts';

const BADGES = { pass: '✅ PASS', fail: '❌ FAIL', unknown: '⚠️ UNKNOWN' } as const;

export function renderMarkdown(document: ReportDocument): string {
  const parts = [
    `# ${escape(document.name)}: ${BADGES[document.verdict]}`,
    `**${escape(document.summary)}**`,
    `${escape(document.subtitle)} · exit code ${document.exitCode}`,
    ...document.sections.flatMap((section) => [
      `## ${escape(section.title)}`,
      ...section.blocks.map(renderBlock),
    ]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'table':
      return renderTable(block.columns, block.rows);
    case 'facts':
      return block.facts.map(({ label, value }) => `- ${escape(label)}: ${escape(value.text)}`).join('\n');
    case 'entries':
      return block.entries.map(renderEntry).join('\n\n');
    case 'note':
      return escape(block.note.text);
    default:
      return block satisfies never;
  }
}

/** Without the columns of bars: the numbers say it. */
function renderTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const kept = columns.flatMap((_column, index) =>
    rows.some((row) => isBar(row[index] ?? '')) ? [] : [index],
  );
  return [
    tableLine(kept.map((index) => escape(columns[index]?.title ?? ''))),
    tableLine(kept.map((index) => (columns[index]?.align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => tableLine(kept.map((index) => escape(cellText(row[index] ?? '').text)))),
  ].join('\n');
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function renderEntry(entry: Entry): string {
  const lines = entry.lines.map(({ label, text }) => {
    const [first = '', ...others] = text.split('\n');
    const rest = others.length === 0 ? '' : `\n\n${indent(fence(others.join('\n'), 'text'))}\n`;
    return `- ${escape(label)}: ${escape(first)}${rest}`;
  });
  const commands = entry.commands.length === 0 ? [] : ['', fence(entry.commands.join('\n'), 'sh')];
  return [`### ${escape(entry.label)}: ${escape(entry.title)}`, '', ...lines, ...commands].join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
