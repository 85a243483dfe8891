/** Everything countable about one link. Plain numbers, read by the status report. */
export interface LinkCounters {
  snapshotKeys: number;
  /** Of them: rebuilt with commands, because the target does not take their payload or they are too large for one. */
  snapshotRebuilt: number;
  snapshotBytes: number;
  /** Keys the snapshot announced (RESIZEDB), 0 while unknown. */
  snapshotExpectedKeys: number;
  snapshotStartedMs: number;
  snapshotDurationMs: number;
  snapshotDone: boolean;
  streamCommands: number;
  streamBytes: number;
  transactions: number;
  fullResyncs: number;
  partialResyncs: number;
  /** Source offset up to which the stream held a write that is applied: what follows were pings and heartbeats. -1 = none. */
  lastWriteOffset: bigint;
  retries: number;
  dropped: Record<string, number>;
  /** What was done besides applying, by kind: `rewritten setnx`, `translated`, `retried OOM`, `overwritten` … */
  handled: Record<string, number>;
  /** Error replies of the target by first word. */
  errors: Record<string, number>;
  lagMs: number | null;
  /** Lag samples since they were last fetched, bounded. */
  lagSamples: number[];
}

export function newCounters(): LinkCounters {
  return {
    snapshotKeys: 0,
    snapshotRebuilt: 0,
    snapshotBytes: 0,
    snapshotExpectedKeys: 0,
    snapshotStartedMs: 0,
    snapshotDurationMs: 0,
    snapshotDone: false,
    streamCommands: 0,
    streamBytes: 0,
    transactions: 0,
    fullResyncs: 0,
    partialResyncs: 0,
    lastWriteOffset: -1n,
    retries: 0,
    dropped: {},
    handled: {},
    errors: {},
    lagMs: null,
    lagSamples: [],
  };
}

/** A full sync begins, at `nowMs`. */
export function beginSnapshot(counters: LinkCounters, nowMs: number): void {
  counters.snapshotKeys = 0;
  counters.snapshotBytes = 0;
  counters.snapshotExpectedKeys = 0;
  counters.snapshotDone = false;
  counters.snapshotStartedMs = nowMs;
}

/** The snapshot is on the target, with its checkpoint. */
export function endSnapshot(counters: LinkCounters, nowMs: number): void {
  counters.snapshotDurationMs = nowMs - counters.snapshotStartedMs;
  counters.snapshotDone = true;
  counters.fullResyncs++;
}

export function count(table: Record<string, number>, name: string, by = 1): void {
  table[name] = (table[name] ?? 0) + by;
}
