/**
 * What the runner and a replicator process say to each other over IPC. Tagged unions, JSON-safe: offsets are decimal
 * strings because they are 64-bit.
 */
import type { Whereabouts } from '../connect/discovery.ts';
import type { LinkOptions, ReplicatorOptions } from './options.ts';
import type { Routes } from '../connect/routes.ts';

export type LinkState =
  | 'NotStarted'
  | 'Initializing'
  | 'InitializeFailed'
  | 'Synchronizing'
  | 'Retrying'
  | 'Suspending'
  | 'Failed'
  | 'Finished';

export interface ReplicatorError {
  code: string;
  message: string;
  hint?: string;
  where?: string;
}

/** Everything countable about one link since its start; sent once a second and at the end. */
export interface LinkStatus {
  link: string;
  state: LinkState;
  /** What the link waits for, and the newest reason; empty unless it is Retrying (or paused on top of that). */
  waitingFor: { source?: string; target?: string };
  replid: string;
  /** Source offset up to which everything is applied on the target. */
  appliedOffset: string;
  /** Source offset up to which replicas of the target have everything; absent when no policy asks for that. */
  durableOffset?: string;
  /** Source offset up to which the receiver has read. */
  receivedOffset: string;
  lagBytes: number;
  /** Milliseconds behind, from the heartbeat; null while unknown. */
  lagMs: number | null;
  /** Lag samples (ms) taken since the last status, for percentiles. */
  lagSamples: number[];
  snapshot: {
    keys: number;
    bytes: number;
    durationMs: number;
    done: boolean;
    expectedKeys: number;
    /** Of the keys: sent as commands, not as payloads. */
    rebuilt?: number;
  };
  stream: { commands: number; bytes: number; transactions: number };
  fullResyncs: number;
  partialResyncs: number;
  retries: number;
  /**
   * What is not as it should be on the target for now: deadlines that are later than at the source (1 when it is only known that
   * there are some), keys of a pair that may still differ.
   */
  deferred?: number;
  /** Of it, slots that have left the source shard and wait for their new owner's link, and keys to be read again. */
  unsettled?: number;
  dropped: Record<string, number>;
  /** What was done besides applying, by kind. */
  handled?: Record<string, number>;
  errors: Record<string, number>;
  log: { memoryBytes: number; diskBytes: number };
  rssBytes: number;
  cpuSeconds: number;
}

export type ToReplicator =
  /** Again for another source: both directions of a pair are in one process. */
  | { kind: 'start'; options: ReplicatorOptions }
  /** Ask for a status now. */
  | { kind: 'status' }
  /** Where source and targets are to be found from now on, and how to log in; links that are not named stay as they are. */
  | {
      kind: 'endpoints';
      source: Whereabouts;
      targets: Record<string, Whereabouts>;
      /** By link: the sources of the others that share its target (GroupOptions). */
      peers?: Record<string, Whereabouts>;
    }
  /** One more link of the same source. */
  | { kind: 'join'; link: LinkOptions }
  /** Ways to servers that were added; connections that are open stay. */
  | { kind: 'routes'; routes: Routes }
  | { kind: 'pause'; link: string }
  | { kind: 'resume'; link: string }
  /** The source is quiet: deadlines on the target need not be deferred any more. */
  | { kind: 'settle'; link: string }
  /** Apply what was received, write the last checkpoint, close. */
  | { kind: 'stop' };

export type FromReplicator =
  | { kind: 'ready' }
  | { kind: 'status'; links: LinkStatus[] }
  | {
      kind: 'link-state';
      link: string;
      from: LinkState;
      to: LinkState;
      cause: string;
      replid?: string;
      offset?: string;
    }
  | {
      kind: 'sync-started';
      link: string;
      mode: 'full' | 'partial';
      replid: string;
      offset: string;
      cause: string;
    }
  | {
      kind: 'sync-finished';
      link: string;
      mode: 'full' | 'partial';
      keys: number;
      bytes: number;
      durationMs: number;
    }
  /** A classified fact worth a line in the report (module skipped, flush seen, target refused …). */
  | {
      kind: 'finding';
      link: string;
      code: string;
      severity: 'notice' | 'warning' | 'error';
      message: string;
      evidence: Record<string, unknown>;
    }
  | { kind: 'link-failed'; link: string; error: ReplicatorError }
  | {
      kind: 'log';
      level: 'debug' | 'info' | 'warn' | 'error';
      message: string;
      fields?: Record<string, unknown>;
    }
  | { kind: 'stopped' };
