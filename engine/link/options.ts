/** What a replicator is told: one source shard, the links that start there, the limits. Plain JSON: crosses IPC. */
import type { ForeignKeys } from '../apply/key-owners.ts';
import type { Origins } from '../apply/origin/origin-path.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import type { ConflictPolicy } from './conflict/conflict-desk.ts';
import type { Routes } from '../connect/routes.ts';

/** What to do with FLUSHALL/FLUSHDB in the source's stream. `fail` stops the link and names the offset. */
export type FlushPolicy = 'fail' | 'propagate' | 'ignore';

/**
 * What to do when the source answers FULLRESYNC although the link had a copy of its data on the target.
 *
 *   reconcile   load the new snapshot over it, then delete what the snapshot does not have
 *   reload      load only: keys that are gone from the source stay on the target (what managed services do)
 *   fail        stop before the target is touched
 */
export type FullResyncPolicy = 'reconcile' | 'reload' | 'fail';

/**
 * What to do with a source that has gone backwards: it has no key any more while the target has some, or its history ends
 * before what the target has. `fail` stops the link before anything is applied, `follow` makes the target the same.
 */
export type EmptySourcePolicy = 'fail' | 'follow';

/** What to do with a command that has no form the target takes. `fail` stops the link, `skip` leaves it out; both say so. */
export type UnsupportedPolicy = 'fail' | 'skip';

/** What to do with SWAPDB in the source's stream. A cluster, and a target that is not the link's alone, never get it. */
export type SwapdbPolicy = 'propagate' | 'fail';

/**
 * What to do when slots move between the shards of a source cluster: follow them, or stop (what managed services do). A target
 * that is no cluster cannot follow.
 */
export type TopologyChangePolicy = 'follow' | 'fail';

/**
 * What to do with a command of the source whose keys are in several slots of a cluster target.
 *
 *   fail      stop before it (what managed services do)
 *   split     DEL, UNLINK, MSET … are applied slot by slot; before others the link stops
 *   refetch   as split; of others the keys that they write are read from the source again
 */
export type CrossSlotPolicy = 'fail' | 'split' | 'refetch';

/** What to do with messages (PUBLISH, SPUBLISH) in the source's stream. Those of Sentinel are always dropped. */
export type PublishPolicy = 'drop' | 'forward';

/** What to do with EVAL and EVALSHA in the stream of an old source, whose effect on the target nobody can promise. */
export type ScriptsPolicy = 'apply' | 'fail';

/** What to do when the target is out of memory: wait in order, inside the retry budget, or stop. Nothing is lost either way. */
export type OomPolicy = 'wait' | 'fail';

/** What to do when the target evicts keys: say so and go on, or stop. */
export type EvictionPolicy = 'report' | 'fail';

/**
 * Whether to look for writes of others to the target, and what to do about them. Looking costs the target one more replica,
 * and one fork if it has none yet. `auto`: report on targets that are disposable, ignore on others.
 */
export type ForeignWritesPolicy = 'auto' | 'ignore' | 'report' | 'fail';

/** How many replicas of the target must have a write before the source is told that it is there. */
export type DurabilityPolicy = 'none' | { replicas: number; timeoutMs: number };

/**
 * What to do with data that is on the target when a link begins.
 *
 *   fail        touch nothing and stop
 *   overwrite   make the target what the source is: what the snapshot does not have is deleted
 *   merge       overwrite keys of the same name, leave the others (the vendor's "ignore errors and proceed")
 */
export type ExistingPolicy = 'fail' | 'overwrite' | 'merge';

/**
 * Import mode of a Valkey target (8.1), in which it expires nothing by itself: `use` it where the operator has switched it
 * on, or `set` it until the cutover.
 */
export type ImportModePolicy = 'use' | 'set';

/** How keys with an expiry are kept while the target is behind (apply/expiry/expiry-keeper.ts). */
export interface ExpiryOptions {
  /** How much later a near deadline is written until the source had its last word, ms. */
  graceMs: number;
  /** Deadlines closer than this are near while the link keeps up, ms. */
  guardMs: number;
  importMode: ImportModePolicy;
  /** Deadlines remembered in memory until they are given back; more go to disk. Default 50,000. */
  rememberedMax?: number;
}

export const DEFAULT_EXPIRY_OPTIONS: ExpiryOptions = {
  graceMs: 60 * 60 * 1000,
  guardMs: 10_000,
  importMode: 'use',
};

export interface EngineOptions {
  /** Replication log: bytes held in memory before it spills to disk. */
  logMemoryBytes: number;
  /** Replication log: bytes on disk before the link stops with LOG_FULL. */
  logDiskBytes: number;
  /** Most commands / bytes in one apply transaction (an envelope); a source transaction is never cut. */
  envelopeCommands: number;
  envelopeBytes: number;
  /** Heartbeat written to the source to measure lag; 0 = off. */
  heartbeatMs: number;
  heartbeatPrefix: string;
  flush: FlushPolicy;
  /** Default fail. */
  unsupported?: UnsupportedPolicy;
  /** Default reconcile. */
  fullResync?: FullResyncPolicy;
  /** Default fail. */
  emptySource?: EmptySourcePolicy;
  expiry: ExpiryOptions;
  swapdb: SwapdbPolicy;
  publish: PublishPolicy;
  /** Default fail. */
  crossSlot?: CrossSlotPolicy;
  /** Default follow. */
  topologyChange?: TopologyChangePolicy;
  scripts: ScriptsPolicy;
  oom: OomPolicy;
  eviction: EvictionPolicy;
  foreignWrites: ForeignWritesPolicy;
  durability: DurabilityPolicy;
  /** What becomes of a key that several members of a circle have written at once. Default overwrite. */
  conflict?: ConflictPolicy;
  existing: ExistingPolicy;
  /** How often a target is looked at, besides applying to it (eviction, settings); 0 = never. Default 1 s. */
  watchMs?: number;
  /** Total time to keep trying after a lost connection. */
  retryMs: number;
  /** Give up on a silent peer after this long. */
  idleTimeoutMs: number;
}

export const DEFAULT_ENGINE_OPTIONS = {
  logMemoryBytes: 32 * 1024 * 1024,
  logDiskBytes: 64 * 1024 * 1024 * 1024,
  envelopeCommands: 4096,
  envelopeBytes: 1024 * 1024,
  heartbeatMs: 1000,
  heartbeatPrefix: 'DTS_REDIS_TIMESTAMP_HEARTBEAT',
  flush: 'fail',
  unsupported: 'fail',
  fullResync: 'reconcile',
  emptySource: 'fail',
  expiry: DEFAULT_EXPIRY_OPTIONS,
  swapdb: 'propagate',
  publish: 'drop',
  crossSlot: 'fail',
  topologyChange: 'follow',
  scripts: 'apply',
  oom: 'wait',
  eviction: 'report',
  foreignWrites: 'auto',
  durability: 'none',
  conflict: 'overwrite',
  existing: 'fail',
  retryMs: 720 * 60 * 1000,
  idleTimeoutMs: 60_000,
} as const satisfies EngineOptions;

/** All keys the engine itself keeps on a target begin with this; comparison and counts leave them out. */
export const OWN_KEY_PREFIX = 'redis-sync:';

/** A circle whose links all run in one process. */
export interface CircleOptions {
  /**
   * Its instances in the order in which the links lead from one to the next, and the last one back to the first. Under the
   * policy source-priority the write of the one that is named first wins.
   */
  members: readonly string[];
  /** Where every conflict is listed, one line of JSON each; appended to. */
  listFile?: string;
}

/** Another group of the sources between which keys move. */
export interface GroupPeer {
  /** The link that brings its data to the same target. */
  link: string;
  source: Whereabouts;
}

/** The source is one of several groups of a Codis cluster: they share the target, and keys move from one to the other. */
export interface GroupOptions {
  /** Codis slots of the source, as they were at first. */
  slots: [first: number, last: number][];
  /** All others. */
  peers: GroupPeer[];
  /** A link that is behind by more leaves keys that others have by now to their links, ms. Default 1000. */
  lateMs?: number;
}

export interface LinkOptions {
  id: string;
  target: Whereabouts;
  /** Links of the other shards of the same source cluster: they share the target with this one. */
  siblings?: string[];
  /** Everything on the target may be lost, so nobody minds what watching it costs. Default false. */
  disposable?: boolean;
  /**
   * For a link of a circle (a pair, a ring): nothing is brought to an instance that it has been to. Then the target has other
   * data besides the link's, of its clients and of other links.
   */
  origins?: Origins;
  /** The target has the source's data already: the snapshot is received and discarded, only what follows is applied. */
  incrementalOnly?: boolean;
  /** Keys that clients of the source must not write: those of others. */
  foreignKeys?: ForeignKeys[];
  group?: GroupOptions;
  /** Its other links run in the same process: writes of several members to one key are seen. */
  circle?: CircleOptions;
}

export interface ReplicatorOptions {
  source: Whereabouts;
  links: LinkOptions[];
  engine: EngineOptions;
  /** Folder of this replicator's own, for log segments and other temporary files. Created; removed at the end. */
  spoolFolder: string;
  /** Other ways to servers than their own addresses: through the fault proxy of a rehearsal. */
  routes?: Routes;
}
