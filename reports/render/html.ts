/** The report as one HTML file: no scripts, nothing loaded from elsewhere, so it can be mailed and archived. */
import {
  cellText,
  isBar,
  type Block,
  type Cell,
  type Column,
  type Entry,
  type ReportDocument,
} from './document.ts';
import { STYLE } from './html-style.ts';
import { escapeMarkup as escape } from './markup.ts';

/** `timeline`: an `<svg>` element made by renderTimeline, or ''. */
export function renderHtml(document: ReportDocument, timeline: string): string {
  const title = escape(`${document.verdict.toUpperCase()}: ${document.name}`);
  const picture =
    timeline === ''
      ? ''
      : `<section id="timeline-picture"><h2>The run</h2><div class="scroll">${timeline}</div></section>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header class="${document.tone}">
<div class="verdict">${escape(document.verdict.toUpperCase())}</div>
<div class="summary">${escape(document.summary)}</div>
<div class="subtitle">${escape(`${document.name} · ${document.subtitle} · exit code ${document.exitCode}`)}</div>
</header>
<nav>${document.sections.map((section) => `<a href="#${escape(section.id)}">${escape(section.title)}</a>`).join('')}</nav>
${picture}
${document.sections.map((section) => `<section id="${escape(section.id)}"><h2>${escape(section.title)}</h2>${section.blocks.map(renderBlock).join('')}</section>`).join('\n')}
<footer>redis-sync</footer>
</main>
</body>
</html>
`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'table':
      return renderTable(block.columns, block.rows);
    case 'facts':
      return `<dl class="facts">${block.facts.map(({ label, value }) => `<dt>${escape(label)}</dt><dd class="${value.tone}">${escape(value.text)}</dd>`).join('')}</dl>`;
    case 'entries':
      return block.entries.map(renderEntry).join('');
    case 'note':
      return `<p class="note ${block.note.tone}">${escape(block.note.text)}</p>`;
    default:
      return block satisfies never;
  }
}

function renderTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const align = (index: number): string => (columns[index]?.align === 'right' ? ' class="right"' : '');
  const head = columns.map((column, index) => `<th${align(index)}>${escape(column.title)}</th>`).join('');
  const body = rows.map((row) => {
    const cells = columns.map((_column, index) => `<td${align(index)}>${renderCell(row[index] ?? '')}</td>`);
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function renderCell(cell: Cell): string {
  if (isBar(cell)) {
    const { from, to, tone } = cell;
    return `<div class="bar"><i class="${tone}" style="left:${percent(from)};width:${percent(to - from)}"></i></div>`;
  }
  const { text, tone } = cellText(cell);
  return tone === 'plain' ? escape(text) : `<span class="${tone}">${escape(text)}</span>`;
}

function percent(share: number): string {
  return `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`;
}

function renderEntry(entry: Entry): string {
  const lines = entry.lines.map(({ label, text }) => {
    const [first = '', ...others] = text.split('\n');
    const rest = others.length === 0 ? '' : `<pre>${escape(others.join('\n'))}</pre>`;
    return `<dt>${escape(label)}</dt><dd>${escape(first)}${rest}</dd>`;
  });
  const commands = entry.commands.map((command) => `<pre class="command">${escape(command)}</pre>`);
  return `<div class="entry ${entry.tone}"><div><span class="label ${entry.tone}">${escape(entry.label)}</span><span class="title">${escape(entry.title)}</span></div><dl>${lines.join('')}</dl>${commands.join('')}</div>`;
}
