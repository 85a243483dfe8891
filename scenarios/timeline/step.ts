/** The core form of one line of a spec's `timeline:`. The plan of a run holds these; the Timeline walks them. */

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
  return Math.max(0, ...early.map((step) => firesAtMs(step) + (step.forMs ?? 0)));
}
