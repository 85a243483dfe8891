/** What a replicator needs of a link's way to its target, be that one server (lane.ts) or a cluster (cluster/cluster-lane.ts). */
import type { Connection } from '../connect/connection.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import type { LogReader } from '../log/log-cursor.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { LinkCounters } from './counters.ts';

/** One server that a lane writes to. */
export interface LanePlace {
  /** The same for as long as it is the same place, whichever of its servers is the primary. */
  name: string;
  whereabouts: Whereabouts;
  /** A key of our own that may be written there, and is never left there. */
  ownKey: string;
  /** Whether the server at the other end has what was applied to this place. @throws SyncError. */
  holds: (connection: Connection) => Promise<boolean>;
}

export interface LinkLane {
  readonly id: string;
  readonly counters: LinkCounters;
  /** Source offset up to which everything is on the target; -1 while the stream has not begun. */
  readonly appliedOffset: bigint;
  /** What is still to be put right on the target once the source is quiet. */
  readonly deferred: number;
  /** Of it, slots that have left the source shard and are not known to be right, and keys to be read again. */
  readonly unsettled: number;
  readonly paused: boolean;
  /** Where it writes now: its target, or the shards of a cluster; empty while nobody knows. */
  readonly places: readonly LanePlace[];
  /** What the source has set, ms since the epoch, when this key's deadline was written later on the target. */
  deferredDeadlineMs(database: number, key: Buffer): number | undefined;
  /** The source is quiet and everything is applied: put right what is deferred. */
  settleExpiries(): void;
  /** @returns where the link can continue, or null. @throws SyncError; the signal's reason. Then the target is closed. */
  prepare(signal: AbortSignal): Promise<Checkpoint | null>;
  relocate(target: Whereabouts, signal: AbortSignal): Promise<void>;
  pause(): void;
  resume(): void;
  /** Applies until the log says `closed`. @throws SyncError what stops the link; the signal's reason. */
  run(cursor: LogReader, signal: AbortSignal): Promise<void>;
}
