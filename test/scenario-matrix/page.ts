/** The results as a page: a matrix of scenarios and topologies, then every cell in full. Pure. */
import { cellName, type Cell } from './cell.ts';

/** Markdown. The cells are in the order in which they are to be shown. */
export function renderPage(cells: readonly Cell[]): string {
  const ran = cells.filter(({ verdict }) => verdict !== 'unfit');
  const why = [
    ...new Set(cells.filter(({ verdict }) => verdict === 'unfit').map(({ reasons }) => reasonOf(reasons))),
  ];
  return [
    '# Scenarios and topologies',
    '',
    'Written by `npm run scenarios`: every named scenario ([scenarios.md](scenarios.md)) on every shipped topology it fits, each run with',
    'a thousand keys per dataset and up to 1,000 writes per second. A scenario happens to the first link of the spec (`NAME@LINK` aims at another).',
    '`pass` is the verdict of the scenario: what had to be seen was seen, which for some is a link that stops or data that differs.',
    '',
    summaryOf(ran),
    '',
    ...matrixOf(cells, why),
    '',
    'Why a scenario does not fit a topology:',
    '',
    ...why.map((reason, index) => `${index + 1}. ${reason}`),
    '',
    '## Every run',
    '',
    '| scenario | topology | verdict | findings | seconds |',
    '|---|---|---|---|---|',
    ...ran.map(rowOf),
    ...problemsOf(ran),
    '',
  ].join('\n');
}

function summaryOf(ran: readonly Cell[]): string {
  const passed = ran.filter(({ verdict }) => verdict === 'pass').length;
  const servers = [...new Set(ran.flatMap(({ server }) => server.split(', ')))].filter((name) => name !== '');
  const days = ran.map(({ day }) => day).toSorted();
  const span = [...new Set([days[0], days.at(-1)])].join(' to ');
  const seconds = ran.reduce((sum, cell) => sum + cell.seconds, 0);
  return `${passed} of ${ran.length} passed with ${servers.toSorted().join(', ')}, ${span}, in ${Math.round(seconds / 60)} minutes of rehearsals.`;
}

function matrixOf(cells: readonly Cell[], why: readonly string[]): string[] {
  const specs = [...new Set(cells.map(({ spec }) => spec))].toSorted();
  const rows = new Map(
    cells.map(({ scenario, variant }) => [`${scenario} (${variant})`, { scenario, variant }]),
  );
  const byName = new Map(cells.map((cell) => [cellName(cell), cell]));
  return [
    `| scenario | ${specs.join(' | ')} |`,
    `|---|${specs.map(() => '---').join('|')}|`,
    ...[...rows].map(([label, row]) => {
      const shown = specs.map((spec) => wordOf(byName.get(cellName({ ...row, spec })), why));
      return `| ${label.replace(' (default)', '')} | ${shown.join(' | ')} |`;
    }),
  ];
}

function wordOf(cell: Cell | undefined, why: readonly string[]): string {
  if (cell === undefined) return 'not run';
  if (cell.verdict === 'unfit') return `– (${why.indexOf(reasonOf(cell.reasons)) + 1})`;
  const verdict = cell.verdict === 'pass' ? 'pass' : `**${cell.verdict}**`;
  return `${verdict} ${cell.seconds} s`;
}

function rowOf({ scenario, variant, spec, verdict, findings, seconds }: Cell): string {
  const name = variant === 'default' ? scenario : `${scenario} (${variant})`;
  return `| ${name} | ${spec} | ${verdict} | ${findings.join(' ') || '–'} | ${seconds} |`;
}

function problemsOf(ran: readonly Cell[]): string[] {
  const failed = ran.filter(({ verdict }) => verdict !== 'pass');
  if (failed.length === 0) return [];
  const lines = failed.map(
    (cell) => `* ${cellName(cell)}: ${cell.verdict}. ${oneLine(cell.reasons.join(' '))}`,
  );
  return ['', '## Not as expected', '', ...lines];
}

function reasonOf(reasons: readonly string[]): string {
  return oneLine(reasons.join(' '));
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '/').slice(0, 400);
}
