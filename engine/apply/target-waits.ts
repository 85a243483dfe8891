/** What a lane makes of a target that does not take what it sends. */
import type { LaneEvents } from './lane.ts';
import { count, type LinkCounters } from './counters.ts';
import type { LinkPlace, OomWatch } from './oom-watch.ts';
import { refusalBehind } from './refusals.ts';
import type { TargetOptions } from './target.ts';

/** Counts and tells each wait, and gives up where the policy for a full target says so. */
export function watchWaits(
  counters: LinkCounters,
  events: LaneEvents,
  oom: OomWatch,
  place: () => LinkPlace,
): Pick<TargetOptions, 'onWaiting' | 'onWorking' | 'judge'> {
  return {
    onWaiting: (error, waitMs) => {
      counters.retries++;
      const refusal = refusalBehind(error);
      if (refusal) count(counters.handled, `retried ${refusal.reply.kind}`);
      events.waiting(error, waitMs);
    },
    onWorking: () => {
      oom.worked();
      events.working();
    },
    judge: (error) => oom.judge(error, place()),
  };
}
