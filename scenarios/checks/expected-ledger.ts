/**
 * Lines `check: ledger`: what became of the writes that clients were told had succeeded, in figures. Stricter than the
 * checks that are always made: here a write also counts as lost when its own source lost it in a fault, and a run without
 * a ledgered write is not enough.
 */
import { lostAtSource, lostOnTheWay, type LaneView } from '../../reports/ledger.ts';
import type { CheckResult } from '../../reports/results.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { describeBound, holds, type Expectation, type LedgerFigure } from './expectation.ts';
import { isResult, ledgerOr } from './ledger-evidence.ts';

type LedgerExpectation = Extract<Expectation, { ledger: LedgerFigure }>;

/** Writes, counted over all instances that a write flows to. */
const FIGURES: Readonly<Record<LedgerFigure, (views: readonly LaneView[]) => number>> = {
  lost: (views) => lostAtSource(views) + sum(views.map(lostOnTheWay)),
  duplicated: (views) =>
    sum(views.map(({ account }) => (account.kind === 'counter' ? 0 : account.duplicated))),
  reordered: (views) => sum(views.map(({ account }) => account.reordered)),
  unexpected: (views) => sum(views.map(({ account }) => account.unexpected)),
};

export const expectedLedger: CheckDefinition = {
  name: 'expected-ledger',
  summary: 'The figures of the ledger named in `expect:` are what it says, whoever is to blame.',
  judge: (context) =>
    context.expect
      .filter((line): line is LedgerExpectation => 'ledger' in line)
      .map((line) => judgeFigure(context, line)),
};

function judgeFigure(context: CheckContext, { ledger, count }: LedgerExpectation): CheckResult {
  const name = `ledger:${ledger}`;
  const expected = `expected ${describeBound(count)}`;
  const views = ledgerOr(name, context);
  if (isResult(views)) return result(name, 'unknown', `${views.summary} Not measured; ${expected}.`);
  const measured = FIGURES[ledger](views);
  const summary = `${measured} ${ledger} in ${views.length} readings; ${expected}.`;
  return result(name, holds(count, measured) ? 'pass' : 'fail', summary, { [ledger]: measured });
}
