/** What a night of chaos prints at its end. Pure. */
import Table from 'cli-table3';
import { plural } from '../../reports/display.ts';
import type { ChaosResult } from './chaos-run.ts';

const PLAIN = { head: [], border: [] };

/**
 * Specs, faults, and each run that did not pass; the last line is `N passed, N failed, N skipped`.
 *
 * @param missing runs that were wanted and never made.
 */
export function formatChaos(results: readonly ChaosResult[], missing: number): string {
  const bad = results.filter(({ verdict }) => verdict !== 'pass').map((each) => describeBad(each));
  const passed = results.filter(({ verdict }) => verdict === 'pass').length;
  const failed = results.filter(isFailure).length;
  const last = `${passed} passed, ${failed} failed, ${results.length - passed - failed + missing} skipped`;
  return `${[specTable(results), faultTable(results), ...bad, last].join('\n')}\n`;
}

/** A run that could not be judged (a fault without an effect) neither passes nor fails. */
export function isFailure({ verdict }: ChaosResult): boolean {
  return verdict !== 'pass' && verdict !== 'unknown';
}

/** While it runs. */
export function describeRun({ spec, seed, profile, verdict, seconds, summary, faults }: ChaosResult): string {
  const bit = faults.filter(({ outcome }) => outcome === 'effective').length;
  const why = verdict === 'pass' ? '' : `: ${summary}`;
  return `${spec} ${seed} ${profile}: ${verdict} (${seconds} s, ${bit} of ${plural(faults.length, 'fault')} bit)${why}`;
}

function specTable(results: readonly ChaosResult[]): string {
  const table = new Table({
    head: ['spec', 'profile', 'runs', 'pass', 'unknown', 'fail', 'median s'],
    style: PLAIN,
  });
  const groups = new Set(results.map((each) => `${each.spec} ${each.profile}`));
  for (const group of groups) {
    const own = results.filter((each) => `${each.spec} ${each.profile}` === group);
    const seconds = own.map((each) => each.seconds).toSorted((a, b) => a - b);
    table.push([
      ...group.split(' '),
      own.length,
      own.filter(({ verdict }) => verdict === 'pass').length,
      own.filter(({ verdict }) => verdict === 'unknown').length,
      own.filter(isFailure).length,
      seconds[Math.floor(seconds.length / 2)] ?? 0,
    ]);
  }
  return table.toString();
}

/** How often each fault was drawn, and what became of it: one that seldom bites is drawn wrongly. */
function faultTable(results: readonly ChaosResult[]): string {
  const table = new Table({ head: ['fault', 'drawn', 'bit', 'no effect', 'not fired'], style: PLAIN });
  const drawn = results.flatMap(({ faults }) => faults);
  for (const name of [...new Set(drawn.map(({ fault }) => fault))].toSorted()) {
    const own = drawn.filter(({ fault }) => fault === name);
    const times = (outcome: string): number => own.filter((each) => each.outcome === outcome).length;
    table.push([name, own.length, times('effective'), times('failed'), times('never-fired')]);
  }
  return table.toString();
}

function describeBad(result: ChaosResult): string {
  const faults = result.faults.map(({ fault, where, outcome }) =>
    outcome === 'effective' ? `${fault} on ${where}` : `(${fault} on ${where}: ${outcome})`,
  );
  return [
    describeRun(result),
    `    ${faults.join(', ')}`,
    `    again: npm run chaos -- --spec specs/${result.spec}.yaml --seeds ${result.seed} --profile ${result.profile} --retry`,
    ...(result.folder === undefined ? [] : [`    ${result.folder}`]),
    '',
  ].join('\n');
}
