/** The selftest as text: who caught what, and what would get away without which check. Pure. */
import { plural } from '../../reports/display.ts';
import type { MutantResult, SelftestReport } from './run-selftest.ts';

export function describeSelftest(report: SelftestReport): string {
  const rows = report.mutants.map((mutant) => [
    mutant.ok ? '✓' : '✗',
    mutant.name,
    mutant.what,
    `${mutant.seconds} s`,
    outcomeOf(mutant),
  ]);
  const lines = table([['', 'bad engine', 'what is wrong', '', 'caught by'], ...rows]);
  const needed = Object.entries(report.needed).map(([check, mutants]) => [
    check,
    mutants.length === 0 ? '– (none is caught by it alone)' : mutants.join(', '),
  ]);
  return `${[...lines, '', 'Without a check, these would get away:', ...table(needed), '', summaryOf(report)].join('\n')}\n`;
}

function outcomeOf({ caughtBy, catches, ok, vacuous, overtime, folder }: MutantResult): string {
  const others = catches.filter((check) => check !== caughtBy);
  const also = others.length === 0 ? '' : ` (also ${others.join(', ')})`;
  const kept = folder === undefined ? '' : `; see ${folder}`;
  if (overtime) return `cut off, it took too long${kept}`;
  if (vacuous) return `vacuous: it found no occasion to do wrong${kept}`;
  if (caughtBy === null) return ok ? 'passes' : `does not pass: ${others.join(', ')}${kept}`;
  return catches.includes(caughtBy) ? `${caughtBy}${also}` : `not by ${caughtBy}${also}${kept}`;
}

function summaryOf({ ok, mutants, without }: SelftestReport): string {
  const bad = mutants.filter((mutant) => mutant.caughtBy !== null);
  const free = bad.filter(({ catches, vacuous }) => catches.length === 0 && !vacuous);
  const missing = without.length === 0 ? '' : ` without ${without.join(', ')}`;
  if (ok) return `PASS  ${plural(bad.length, 'bad engine')} caught${missing}.`;
  const names = mutants.filter((mutant) => !mutant.ok).map(({ name }) => name);
  return `FAIL  ${free.length} of ${plural(bad.length, 'bad engine')} got away${missing}; not as it must be: ${names.join(', ')}.`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
