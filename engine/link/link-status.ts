/** The counters of one link as its parent is told them. */
import type { LinkLane } from '../apply/link-lane.ts';
import type { LinkFeed } from './hosted-link.ts';
import type { LinkState, LinkStatus } from './messages.ts';
import type { Attendants } from './target-attendants.ts';

export interface StatusSubject {
  lane: LinkLane;
  state: LinkState;
  waitingFor: ReadonlyMap<'source' | 'target', string>;
  attendants?: Attendants | undefined;
  seat?: { readonly open: number } | undefined;
}

/** Lag samples are handed out once. @param feed what it reads, or has read; undefined before. */
export function statusOf(
  { lane, state, waitingFor, attendants, seat }: StatusSubject,
  feed: LinkFeed | undefined,
): LinkStatus {
  const durable = attendants?.durableOffset;
  const received = feed?.position;
  const { counters, appliedOffset: applied } = lane;
  const usage = process.resourceUsage();
  const isKnown = received !== null && received !== undefined && applied >= 0n;
  return {
    link: lane.id,
    state,
    waitingFor: Object.fromEntries(waitingFor),
    replid: received?.replid ?? '',
    appliedOffset: String(applied),
    ...(durable === undefined ? {} : { durableOffset: String(durable) }),
    receivedOffset: String(received?.offset ?? -1n),
    lagBytes: isKnown ? Number(received.offset - applied) : 0,
    lagMs: counters.lagMs,
    lagSamples: counters.lagSamples.splice(0),
    snapshot: {
      keys: counters.snapshotKeys,
      bytes: counters.snapshotBytes,
      durationMs: counters.snapshotDurationMs,
      done: counters.snapshotDone,
      expectedKeys: counters.snapshotExpectedKeys,
      rebuilt: counters.snapshotRebuilt,
    },
    stream: {
      commands: counters.streamCommands,
      bytes: counters.streamBytes,
      transactions: counters.transactions,
    },
    fullResyncs: counters.fullResyncs,
    partialResyncs: counters.partialResyncs,
    retries: counters.retries,
    deferred: lane.deferred + (seat?.open ?? 0),
    unsettled: lane.unsettled,
    dropped: { ...counters.dropped },
    handled: { ...counters.handled },
    errors: { ...counters.errors },
    log: { memoryBytes: feed?.log.memoryBytes ?? 0, diskBytes: feed?.log.diskBytes ?? 0 },
    rssBytes: usage.maxRSS * 1024,
    cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
  };
}
