/** A counter stands between what was acknowledged and what was attempted; what is missing is the ledger’s business. */
import { plural } from '../../reports/display.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { isResult, ledgerOr, samplesOf } from './ledger-evidence.ts';

const NAME = 'counter-bounds';

export const counterBounds: CheckDefinition = {
  name: NAME,
  summary: 'Every counter is at most what was sent, and the same on both sides.',
  judge: (context) => [judgeCounters(context)],
};

function judgeCounters(context: CheckContext) {
  const views = ledgerOr(NAME, context);
  if (isResult(views)) return views;
  const counters = views.filter(({ account }) => account.kind === 'counter');
  if (counters.length === 0) return result(NAME, 'skipped', 'No counter was written.');
  const guilty = counters.filter(({ account }) => account.duplicated > 0);
  const above = sum(guilty.map(({ account }) => account.duplicated));
  if (guilty.length === 0)
    return result(NAME, 'pass', `${plural(counters.length, 'counter')} inside the bounds.`, { above });
  const summary = `${plural(guilty.length, 'counter')} above what was sent, by ${above}${samplesOf(guilty, 'duplicated')}.`;
  return result(NAME, 'fail', summary, { above });
}
