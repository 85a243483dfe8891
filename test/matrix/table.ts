/** The matrix as a page. Pure. */
import type { PairResult } from './pair-run.ts';

export interface Missing {
  what: string;
  why: string;
}

/** Markdown: what was run, one row per pair, then what each kind of loss means, then what was not there. */
export function renderMatrix(
  results: readonly PairResult[],
  missing: readonly Missing[],
  ran: string,
): string {
  const losses = [...new Set(results.flatMap(({ losses: lines }) => lines.map(withoutCounts)))].toSorted();
  const lines = [
    '# Version matrix',
    '',
    'Written by `npm run matrix -- --write`: for every pair of servers a source with every type in every encoding it can write',
    'is copied (full sync), then written to with every family of commands and every form that later versions brought, and at',
    'the end every key, value and time to live of both sides is compared. "Rebuilt" counts the keys of the full sync that went',
    'as commands and not as payloads, because the target does not know their layout, or in parts, because they are large.',
    '',
    ran,
    '',
    '| source | target | verdict | keys compared | full sync: payloads + rebuilt | stream commands | lost |',
    '|---|---|---|---|---|---|---|',
    ...results.map((result) => row(result, losses)),
    '',
  ];
  if (losses.length > 0)
    lines.push(
      'What the target cannot hold, each told by a finding of the link, and what nobody can compare:',
      '',
    );
  for (const [index, loss] of losses.entries()) lines.push(`${index + 1}. ${loss}`);
  for (const { what, why } of missing) lines.push('', `Not run: ${what} (${why}).`);
  for (const { source, target, problems } of results.filter(({ verdict }) => verdict === 'fail')) {
    lines.push('', `**${source} → ${target}**`, '', ...problems.map((problem) => `* ${problem}`));
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function row(result: PairResult, losses: readonly string[]): string {
  const lost = [...new Set(result.losses.map((line) => losses.indexOf(withoutCounts(line)) + 1))].toSorted(
    (a, b) => a - b,
  );
  const cells = [
    result.source,
    result.target,
    result.verdict,
    result.keys,
    `${result.fullSyncKeys - result.rebuilt} + ${result.rebuilt}`,
    result.streamCommands,
    lost.length === 0 ? '–' : lost.join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The same loss has another number of keys, other samples and another server in each run. */
function withoutCounts(loss: string): string {
  return loss
    .replace(/^\d+ /, '')
    .replace(/, for example .*?\. (?=[A-Z])/, '. ')
    .replace(/\(redis [\d.]+\)|\(valkey [\d.]+\)/, '')
    .replace(/ +/g, ' ')
    .replace(' in database 0', '');
}
