/** Whether there is a ledger to judge by, for every check of it. */
import { evidenceAbout, unreadReason } from '../../reports/evidence.ts';
import { laneViews, type LaneView } from '../../reports/ledger.ts';
import type { CheckResult } from '../../reports/results.ts';
import { result, sum, type CheckContext } from './check.ts';

/** So many commands cannot have been without a ledgered one among them. */
const COMMANDS_WITHOUT = 500;

/** The lanes of every instance, or the result that says why there are none to judge. */
export function ledgerOr(check: string, context: CheckContext): LaneView[] | CheckResult {
  const { events, links, workload } = context;
  if (links.length === 0 || workload.length === 0) return result(check, 'skipped', 'Nobody wrote.');
  const unread = unreadReason(events, 'ledger');
  if (unread !== null) return result(check, 'unknown', `The ledger could not be read on ${unread}`);
  const views = laneViews(events, links);
  if (views.length > 0) return views;
  const written = sum(workload.map(({ ok }) => ok));
  if (written < COMMANDS_WITHOUT && evidenceAbout(events, 'comparison').length > 0)
    return result(check, 'skipped', 'No ledgered write was sent.');
  return result(check, 'unknown', 'Clients wrote, but nobody looked what became of it.');
}

export function isResult(value: LaneView[] | CheckResult): value is CheckResult {
  return !Array.isArray(value);
}

/** The first few samples, as the end of a sentence: ` (lost: … ; …)`. */
export function samplesOf(views: readonly LaneView[], word: string): string {
  const samples = views.flatMap(({ account, instance }) =>
    account.samples.filter((sample) => sample.startsWith(word)).map((sample) => `${instance}: ${sample}`),
  );
  return samples.length === 0 ? '' : ` (${samples.slice(0, 3).join('; ')})`;
}
