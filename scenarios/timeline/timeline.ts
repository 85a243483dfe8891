/**
 * Walks the steps of a run's timeline. It is told every event of the history and fires the steps whose trigger that
 * satisfies; it never looks at a server itself.
 *
 *   observe(event) …            steps with at / when / after fire; `for` heals them
 *   whenDone()                  nothing is under way, and nothing more comes by itself
 *   settle()                    no further step; firings end; everything is healed
 *   fireSettleSteps()           steps with `when: { phase: settle }`, between drain and comparison; healed again
 *   finish()                    what never fired is reported
 *   healAll()                   Ctrl-C: end firings at once, heal everything. At any time, any number of times
 */
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { RunEventBody } from '../../reports/events.ts';
import type { FaultContext, FaultDefinition } from '../faults/fault.ts';
import { findFault } from '../faults/registry.ts';
import type { Clock } from './clock.ts';
import { Firing } from './firing.ts';
import { LinkProgress } from './link-progress.ts';
import { isSettleStep, rootOf, type StepPlan } from './step.ts';

export interface TimelineOptions {
  steps: readonly StepPlan[];
  clock: Clock;
  /** Instances by name as they are now; asked at every firing. */
  instances: () => ReadonlyMap<string, Endpoint>;
  emit: (event: RunEventBody) => void;
  /** Default: the registry. */
  findFault?: (name: string) => FaultDefinition | null;
}

type StepState = 'waiting' | 'delayed' | 'firing' | 'effective' | 'failed' | 'reported';

export class Timeline {
  readonly #options: TimelineOptions;
  readonly #states = new Map<StepPlan, StepState>();
  readonly #progress = new LinkProgress();
  readonly #abort = new AbortController();
  /** In order of firing; healed in reverse. */
  readonly #firings: Firing[] = [];
  /** Injections and timed healings that are under way. */
  readonly #busy = new Set<Promise<void>>();
  readonly #cancellations = new Set<() => void>();
  /** The part of the timeline that may fire now. */
  #open: 'run' | 'settle' | 'none' = 'run';
  #started = false;
  #watchers: (() => void)[] = [];

  constructor(options: TimelineOptions) {
    this.#options = options;
    for (const step of options.steps) this.#states.set(step, 'waiting');
  }

  /** To be called with every event of the run, in order. */
  observe(event: RunEventBody): void {
    this.#progress.observe(event);
    if (beginsTimeline(event)) this.#start();
    for (const step of this.#waiting('run')) {
      const { when } = step.trigger;
      if (when !== undefined && this.#progress.satisfies(when)) this.#trigger(step);
    }
  }

  /**
   * Resolves when nothing of the run part is under way and nothing more comes by itself: every `at` and what follows it
   * has fired, and its `for` is over. A step whose `when` has not been satisfied is not waited for: that may never be.
   */
  whenDone(): Promise<void> {
    return this.#until(() => this.#open !== 'run' || this.#isDone('run'));
  }

  /** Ends the run part: takes back what has not fired, waits for injections under way, heals everything. */
  async settle(): Promise<void> {
    this.#close();
    await this.#quiesce();
    await this.#healFirings();
  }

  /** After the drain: fires the settle steps one after another, with what follows them, then heals them. */
  async fireSettleSteps(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    this.#open = 'settle';
    for (const step of this.#part('settle').filter(isSettleStep)) {
      this.#trigger(step);
      await this.#until(() => this.#isDone('settle', step) || this.#abort.signal.aborted);
    }
    this.#close();
    await this.#quiesce();
    await this.#healFirings();
  }

  /** Ends everything at once and heals it, in reverse order. Idempotent. */
  async healAll(): Promise<void> {
    this.#abort.abort(new Error('the run ended'));
    this.#close();
    this.#notify();
    await this.#quiesce();
    await this.#healFirings();
  }

  /** Reports the steps that never fired, with the reason. Idempotent. */
  finish(): void {
    this.#close();
    for (const [step, state] of this.#states) {
      if (state !== 'waiting' && state !== 'delayed') continue;
      this.#states.set(step, 'reported');
      const { id, fault, where } = step;
      const place = where === undefined ? {} : { where };
      this.#options.emit({
        kind: 'fault',
        step: id,
        fault,
        stage: 'never-fired',
        ...place,
        reason: this.#whyNot(step),
      });
    }
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const step of this.#waiting('run')) {
      if (step.trigger.atMs !== undefined) this.#trigger(step, step.trigger.atMs);
    }
  }

  #trigger(step: StepPlan, afterMs = 0): void {
    // What one step emits comes back as history and may have fired the next one already.
    if (this.#states.get(step) !== 'waiting') return;
    const delayMs = afterMs + step.trigger.delayMs;
    if (delayMs === 0) {
      this.#fire(step);
      return;
    }
    this.#states.set(step, 'delayed');
    this.#schedule(delayMs, () => this.#fire(step));
  }

  #fire(step: StepPlan): void {
    this.#states.set(step, 'firing');
    const firing = new Firing(step, this.#options.emit);
    this.#firings.push(firing);
    this.#track(this.#inject(step, firing));
  }

  async #inject(step: StepPlan, firing: Firing): Promise<void> {
    const fault = (this.#options.findFault ?? findFault)(step.fault);
    const effective = await firing.inject(fault, this.#contextOf(step));
    this.#states.set(step, effective ? 'effective' : 'failed');
    if (effective) this.#onEffective(step, firing);
  }

  #onEffective(step: StepPlan, firing: Firing): void {
    if (step.forMs !== undefined) this.#schedule(step.forMs, () => this.#track(firing.heal()));
    if (this.#open === 'none') return;
    for (const follower of this.#waiting(this.#open)) {
      if (follower.trigger.after === step.id) this.#trigger(follower);
    }
  }

  #contextOf(step: StepPlan): FaultContext {
    return {
      step: step.id,
      where: step.where,
      with: step.with,
      instances: this.#options.instances(),
      emit: this.#options.emit,
      signal: this.#abort.signal,
      clock: this.#options.clock,
    };
  }

  /** Steps that belong to the run or, through their chain of `after`, to the settle part. */
  #part(part: 'run' | 'settle'): StepPlan[] {
    const { steps } = this.#options;
    return steps.filter((step) => isSettleStep(rootOf(step, steps) ?? step) === (part === 'settle'));
  }

  #waiting(part: 'run' | 'settle'): StepPlan[] {
    if (this.#open !== part) return [];
    return this.#part(part).filter((step) => this.#states.get(step) === 'waiting');
  }

  /** Nothing (of the chain that begins with `root`) is under way, and nothing that waits will be triggered by time. */
  #isDone(part: 'run' | 'settle', root?: StepPlan): boolean {
    if (this.#busy.size > 0 || this.#cancellations.size > 0) return false;
    return this.#part(part).every((step) => {
      if (root !== undefined && rootOf(step, this.#options.steps) !== root) return true;
      return this.#states.get(step) !== 'waiting' || this.#isCutOff(step) || this.#dependsOnEvent(step);
    });
  }

  /** It, or the step its chain begins with, waits for a `when`. */
  #dependsOnEvent(step: StepPlan): boolean {
    const root = rootOf(step, this.#options.steps);
    return root?.trigger.when !== undefined && this.#states.get(root) === 'waiting';
  }

  /** The step it follows failed, is unknown, or is cut off itself. */
  #isCutOff(step: StepPlan): boolean {
    const { after } = step.trigger;
    if (after === undefined) return false;
    if (rootOf(step, this.#options.steps) === null) return true;
    const before = this.#options.steps.find((candidate) => candidate.id === after);
    return before === undefined || this.#states.get(before) === 'failed' || this.#isCutOff(before);
  }

  #whyNot(step: StepPlan): string {
    const { atMs, when, after } = step.trigger;
    if (this.#states.get(step) === 'delayed' && after === undefined) return 'the run settled first';
    if (isSettleStep(step)) return 'the run did not get that far';
    if (when !== undefined) return this.#progress.describe(when);
    if (after !== undefined) return `step ${after} ${this.#fateOf(after)}`;
    return this.#started ? 'the run settled first' : `the workload did not start (at ${atMs ?? 0} ms)`;
  }

  #fateOf(id: string): string {
    const step = this.#options.steps.find((candidate) => candidate.id === id);
    if (step === undefined) return 'does not exist';
    const state = this.#states.get(step);
    if (state === 'effective') return 'took effect, but the run settled first';
    return state === 'failed' ? 'failed' : 'never fired';
  }

  /** Work that is under way; whoever waits for quiet is told when it ends. */
  #track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#busy.delete(tracked);
      this.#notify();
    });
    this.#busy.add(tracked);
  }

  #schedule(delayMs: number, action: () => void): void {
    const cancel = this.#options.clock.schedule(delayMs, () => {
      this.#cancellations.delete(cancel);
      action();
      this.#notify();
    });
    this.#cancellations.add(cancel);
  }

  #close(): void {
    this.#open = 'none';
    for (const cancel of this.#cancellations) cancel();
    this.#cancellations.clear();
    this.#notify();
  }

  async #quiesce(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy);
    // An injection that ended while we waited may have planned its own healing.
    this.#close();
  }

  async #healFirings(): Promise<void> {
    for (const firing of this.#firings.toReversed()) await firing.heal();
  }

  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const watch = (): void => {
        if (!condition()) return;
        this.#watchers = this.#watchers.filter((other) => other !== watch);
        resolve();
      };
      this.#watchers.push(watch);
    });
  }

  #notify(): void {
    for (const watch of this.#watchers) watch();
  }
}

function beginsTimeline(event: RunEventBody): boolean {
  if (event.kind === 'workload') return event.stage === 'started';
  return event.kind === 'phase' && event.phase === 'incremental' && event.status === 'started';
}
