/**
 * The event history of a run: one JSON object per line in `events.ndjson`, appended as it happens and never
 * rewritten. Checks and reports are pure functions of it.
 */
import type { Evidence } from './evidence.ts';

/** Words for where a run is. Order is the order of a run's life. */
export type RunPhase =
  | 'provision'
  | 'precheck'
  | 'seed'
  | 'full-sync'
  | 'incremental'
  | 'settle'
  | 'verify'
  | 'judge'
  | 'report'
  | 'teardown';

/** States of one link, in the words of the vendor's API so that a reader of its documents recognises them. */
export type LinkState =
  | 'NotStarted'
  | 'Initializing'
  | 'InitializeFailed'
  | 'Synchronizing'
  | 'Retrying'
  | 'Suspending'
  | 'Failed'
  | 'Finished'
  | 'Released';

export type RunEventBody =
  | { kind: 'run-started'; spec: string; seed: number; version: string }
  | { kind: 'phase'; phase: RunPhase; status: 'started' | 'finished' | 'failed' | 'skipped'; detail?: string }
  | {
      kind: 'instance-ready';
      instance: string;
      role: 'primary' | 'replica' | 'sentinel';
      address: string;
      server: string;
      version: string;
      pid?: number;
    }
  | { kind: 'instance-stopped'; instance: string; address: string; how: string }
  | { kind: 'seeded'; instance: string; keys: number; bytes: number; durationMs: number }
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
  /** The link has applied everything the source had written when it was asked: the two offsets are equal, or it has not. */
  | { kind: 'drained'; link: string; sourceOffset: string; appliedOffset: string; durationMs: number }
  /** The same of a link that tells no offsets: `reason` is what it rests on, seen from outside, or why waiting ended. */
  | { kind: 'caught-up'; link: string; reached: boolean; reason: string; durationMs: number }
  /** `keys`/`bytes`: of the snapshot so far; `expectedKeys`: what the snapshot announced, absent or 0 when unknown. */
  | {
      kind: 'progress';
      link: string;
      phase: RunPhase;
      keys: number;
      bytes: number;
      expectedKeys?: number;
      lagBytes: number;
      lagMs: number | null;
    }
  | {
      kind: 'fault';
      step: string;
      fault: string;
      stage: 'requested' | 'effective' | 'healed' | 'failed' | 'never-fired';
      where?: string;
      reason?: string;
      evidence?: Record<string, unknown>;
    }
  | {
      kind: 'finding';
      code: string;
      message: string;
      link?: string;
      /** Absent: the catalogue's (reports/findings.ts). */
      severity?: 'explained' | 'notice' | 'warning' | 'error';
      evidence?: Record<string, unknown>;
    }
  | { kind: 'workload'; name: string; stage: 'started' | 'stopped'; stats?: Record<string, unknown> }
  | { kind: 'error'; code: string; message: string; where?: string; hint?: string }
  | { kind: 'interrupted'; signal: string }
  /** What checks are made from, besides the events above. */
  | { kind: 'evidence'; evidence: Evidence }
  | { kind: 'verdict'; verdict: 'pass' | 'fail' | 'unknown'; summary: string; exitCode: number };

/** `seq` counts from 1 without gaps; `at` is wall time (ISO 8601, UTC); `ms` is monotonic milliseconds since the run began. */
export type RunEvent = RunEventBody & { seq: number; at: string; ms: number };
