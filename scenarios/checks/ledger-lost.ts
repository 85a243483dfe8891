/** Every write a client was acknowledged is there; what a source lost itself is told from what was lost on the way. */
import { plural } from '../../reports/display.ts';
import { lostAtSource, lostOnTheWay, type LaneView } from '../../reports/ledger.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { mayHaveLost } from './faults-in-effect.ts';
import { isResult, ledgerOr, samplesOf } from './ledger-evidence.ts';

const NAME = 'ledger-lost';

export const ledgerLost: CheckDefinition = {
  name: NAME,
  summary: 'Every acknowledged write is on every instance it flows to, unless its source lost it in a fault.',
  judge: (context) => [judgeLost(context)],
};

function judgeLost(context: CheckContext) {
  const views = ledgerOr(NAME, context);
  if (isResult(views)) return views;
  const onTheWay = sum(views.map(lostOnTheWay));
  const atSource = lostAtSource(views);
  const acknowledged = acknowledgedIn(views);
  const counts = { acknowledged, lostOnTheWay: onTheWay, lostAtSource: atSource };
  if (onTheWay > 0) {
    const guilty = views.filter((view) => lostOnTheWay(view) > 0);
    const summary = `${plural(onTheWay, 'acknowledged write')} of the source not on the target${samplesOf(guilty, 'lost')}.`;
    return result(NAME, 'fail', summary, counts);
  }
  if (atSource > 0 && !mayHaveLost(context)) {
    const summary = `${plural(atSource, 'acknowledged write')} gone from the source, and no fault explains it${samplesOf(views, 'lost')}.`;
    return result(NAME, 'fail', summary, counts);
  }
  const never = neverAcknowledged(views);
  if (never.length > 0)
    return result(NAME, 'unknown', `No ${never.join(', ')} write was ever acknowledged.`, counts);
  const loss = atSource > 0 ? `; ${plural(atSource, 'write')} lost by the source in a fault` : '';
  return result(NAME, 'pass', `No acknowledged write of ${acknowledged} was lost on the way${loss}.`, counts);
}

/** Of the lanes where they were written. */
function acknowledgedIn(views: readonly LaneView[]): number {
  return sum(views.filter(({ origins }) => origins.length === 0).map(({ account }) => account.ok));
}

/** Kinds that were tried and never succeeded: nothing is known about them. */
function neverAcknowledged(views: readonly LaneView[]): string[] {
  const kinds = new Map<string, number>();
  for (const { account } of views) kinds.set(account.kind, (kinds.get(account.kind) ?? 0) + account.ok);
  return [...kinds].filter(([, ok]) => ok === 0).map(([kind]) => kind);
}
