/** A transaction is applied as a whole: whoever reads the keys it wrote sees all of it, or nothing. */
import { plural } from '../../reports/display.ts';
import { laneViews } from '../../reports/ledger.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';
import { isResult, ledgerOr } from './ledger-evidence.ts';
import { describeRing, ringReadings, type RingReading } from './rings.ts';

const NAME = 'transaction-ring';

export const transactionRing: CheckDefinition = {
  name: NAME,
  summary: 'The keys that clients set in one transaction are never seen apart on a target.',
  judge: (context) => [judgeRings(context)],
};

function judgeRings(context: CheckContext) {
  const views = ledgerOr(NAME, context);
  if (isResult(views)) return views;
  const readings = [...ringReadings(context), ...lastReadings(context)];
  const torn = readings.filter(({ values }) => new Set(values).size > 1);
  const counts = { readings: readings.length, torn: torn.length };
  const [first] = torn;
  if (first !== undefined) {
    const summary = `${plural(torn.length, 'transaction')} seen in part: ${first.ring} on ${first.instance} was ${describeRing(first.values)}.`;
    return result(NAME, 'fail', summary, counts);
  }
  if (readings.length > 0)
    return result(NAME, 'pass', `Whole in ${plural(readings.length, 'reading')}.`, counts);
  return result(NAME, 'skipped', 'No transaction of the ledger was sent.', counts);
}

/** As every instance had them at the end. */
function lastReadings({ events, links }: CheckContext): RingReading[] {
  return laneViews(events, links)
    .filter(({ account }) => account.kind === 'ring' && account.values !== undefined)
    .map(({ instance, account }) => ({
      instance,
      ring: account.lane,
      values: account.values ?? [],
      ms: Infinity,
    }));
}
