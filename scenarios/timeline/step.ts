/** The core form of one line of a spec's `timeline:`. The plan of a run holds these; the Timeline walks them. */

import type { Stream } from '../proxy/toxic.ts';

/** In bytes, ms, keys, bytes. */
export const LINK_METRICS = ['lag_bytes', 'lag_ms', 'snapshot_keys', 'snapshot_bytes'] as const;
export type LinkMetric = (typeof LINK_METRICS)[number];

export type LinkPhase = 'handshake' | 'full-sync' | 'incremental' | 'settle';

/** Exactly one of `atMs`, `when`, `after` is set. */
export interface TriggerPlan {
  /** Milliseconds after the workload started; without a workload, after the incremental phase began. */
  atMs?: number;
  /**
   * The link (any link when absent) is in the phase and, for a full sync, has copied that share of the keys. `settle`:
   * after the drain, before the data is compared.
   */
  when?: {
    link?: string;
    phase?: LinkPhase;
    progress?: { comparison: '>=' | '>' | '<' | '<='; percent: number };
    /** Something that is measured of a link (bytes, or ms) is like this, for so long without a break. */
    metric?: LinkMetric;
    is?: { comparison: '>=' | '>' | '<' | '<='; value: number };
    forMs?: number;
    /**
     * A way of a link, `link:main.source`: the first connection through it that has carried so many bytes is held exactly
     * there until the fault is in place.
     */
    proxy?: string;
    bytes?: number;
    stream?: Stream;
  };
  /** Another step took effect. */
  after?: string;
  /** Waited after the trigger. */
  delayMs: number;
}

export interface StepPlan {
  id: string;
  /** Name in the fault registry. */
  fault: string;
  /** An instance or link, by name; resolved when the step fires. */
  where?: string;
  /** Validated by the fault's own schema. */
  with: Record<string, unknown>;
  trigger: TriggerPlan;
  /** Heal after; absent = heals in settle. */
  forMs?: number;
  /** Fires again so long after it fired; what is still in effect is healed first. */
  everyMs?: number;
  /** How often in all; absent with `everyMs` = until the run settles. */
  times?: number;
  /** Allowed not to fire and not to take effect. */
  optional: boolean;
}

/** Fires between the drain and the comparison. */
export function isSettleStep(step: StepPlan): boolean {
  return step.trigger.when?.phase === 'settle';
}

/** The step at the start of the chain of `after`, or null when the chain is broken (unknown step, circle). */
export function rootOf(step: StepPlan, steps: readonly StepPlan[]): StepPlan | null {
  let root = step;
  for (let hops = 0; root.trigger.after !== undefined; hops++) {
    const before = steps.find((candidate) => candidate.id === root.trigger.after);
    if (before === undefined || hops > steps.length) return null;
    root = before;
  }
  return root;
}

/**
 * The least time (ms after the workload's start) the steps need that fire before settling: the end of the last
 * `at + delay + for`. What `when` waits for is counted as 0.
 */
export function timelineMs(steps: readonly StepPlan[]): number {
  const firesAtMs = (step: StepPlan, hops = 0): number => {
    const before = steps.find((candidate) => candidate.id === step.trigger.after);
    const baseMs =
      before === undefined || hops > steps.length ? (step.trigger.atMs ?? 0) : firesAtMs(before, hops + 1);
    return baseMs + step.trigger.delayMs;
  };
  const early = steps.filter((step) => !isSettleStep(rootOf(step, steps) ?? step));
  const againMs = ({ everyMs = 0, times = 1 }: StepPlan): number => everyMs * (times - 1);
  return Math.max(0, ...early.map((step) => firesAtMs(step) + againMs(step) + (step.forMs ?? 0)));
}
