/** Every key, value and expiry is equal on both sides, and every key was really compared. */
import { formatCount, plural } from '../../reports/display.ts';
import { eventsOf } from '../../reports/history.ts';
import {
  DIFFERENCE_CLASSES,
  type Comparison,
  type Difference,
  type DifferenceClass,
} from '../../reports/results.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'data-equal';

const WORDS: Record<DifferenceClass, string> = {
  MISSING_KEY: 'missing on the target',
  EXTRA_KEY: 'only on the target',
  TYPE_MISMATCH: 'of another type',
  VALUE_MISMATCH: 'with another value',
  TTL_MISMATCH: 'with another expiry',
};

export const dataEqual: CheckDefinition = {
  name: NAME,
  summary: 'Source and target hold the same keys, values and expiries.',
  judge: (context) => [judgeDataEqual(context)],
};

function judgeDataEqual(context: CheckContext) {
  const { comparison } = context;
  if (comparison === null) return result(NAME, 'unknown', 'The data was not compared.');
  const totals = countedTotals(comparison, ttlToleranceMs(context));
  const different = sum(Object.values(totals));
  const unverified = sum(Object.values(comparison.unverified));
  const compared = comparison.keysCompared;
  const counts = { compared, different, unverified };
  if (different > 0) return result(NAME, 'fail', describeDifferences(totals), counts);
  if (unverified > 0) return result(NAME, 'unknown', describeUnverified(comparison), counts);
  const expected = sum(comparison.counts.map((row) => row.sourceKeys - row.sourceExpires));
  if (compared === 0 && sourceHasKeys(context, comparison)) {
    return result(NAME, 'unknown', 'Nothing was compared although the source has keys.', counts);
  }
  if (compared < expected) {
    const summary = `Only ${plural(compared, 'key')} compared of the ${formatCount(expected)} without expiry that the source counts.`;
    return result(NAME, 'unknown', summary, counts);
  }
  const summary =
    compared === 0 ? 'Both sides are empty.' : `All ${plural(compared, 'key')} are equal on both sides.`;
  return result(NAME, 'pass', summary, counts);
}

function ttlToleranceMs(context: CheckContext): number {
  const tolerances = context.expect.flatMap((line) =>
    'check' in line && line.check === NAME ? [line.ttlToleranceMs] : [],
  );
  return Math.max(0, ...tolerances);
}

/** Totals without the listed expiry differences inside the tolerance. No expiry against one is never inside it. */
function countedTotals(comparison: Comparison, toleranceMs: number): Record<DifferenceClass, number> {
  const excused = comparison.differences.filter((difference) => isExcused(difference, toleranceMs)).length;
  return { ...comparison.totals, TTL_MISMATCH: Math.max(0, comparison.totals.TTL_MISMATCH - excused) };
}

function isExcused(difference: Difference, toleranceMs: number): boolean {
  const source = difference.source?.expireAtMs ?? null;
  const target = difference.target?.expireAtMs ?? null;
  if (difference.class !== 'TTL_MISMATCH' || source === null || target === null) return false;
  return Math.abs(source - target) <= toleranceMs;
}

function describeDifferences(totals: Record<DifferenceClass, number>): string {
  const present = DIFFERENCE_CLASSES.filter((name) => totals[name] > 0);
  const parts = present.map((name) => `${plural(totals[name], 'key')} ${WORDS[name]}`);
  return `Source and target differ: ${parts.join(', ')}.`;
}

function describeUnverified(comparison: Comparison): string {
  const reasons = Object.entries(comparison.unverified).filter(([, count]) => count > 0);
  const words = reasons.map(([reason, count]) => `${formatCount(count)} ${reason}`).join(', ');
  return `No difference found, but ${plural(sum(reasons.map(([, count]) => count)), 'key')} could not be compared (${words}).`;
}

function sourceHasKeys(context: CheckContext, comparison: Comparison): boolean {
  const counted = sum(comparison.counts.map((row) => row.sourceKeys));
  const seeded = sum(eventsOf(context.events, 'seeded').map((event) => event.keys));
  const written = sum(context.workload.map((workload) => workload.ok));
  return counted + seeded + written > 0;
}
