/**
 * Walks the steps of a run's timeline. It is told every event of the history and fires the steps whose trigger that
 * satisfies; it never looks at a server itself.
 *
 *   arm()                       before anything flows: steps that wait for bytes are told to the proxy
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
import type { Subjects } from '../faults/subjects.ts';
import type { GateControl } from '../proxy/gate-control.ts';
import type { Clock } from './clock.ts';
import { Firing } from './firing.ts';
import { LinkProgress } from './link-progress.ts';
import { isSettleStep, rootOf, type StepPlan } from './step.ts';

export interface TimelineOptions {
  steps: readonly StepPlan[];
  clock: Clock;
  /** Instances by name as they are now; asked at every firing. */
  instances: () => ReadonlyMap<string, Endpoint>;
  /** What faults act on. */
  subjects: Subjects;
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
  /** The same of what nobody waits for: repetitions without an end, and conditions that have to hold for a time. */
  readonly #unawaited = new Set<() => void>();
  /** Steps whose condition holds since some time, with what takes the alarm back. */
  readonly #holding = new Map<StepPlan, () => void>();
  readonly #fired = new Map<StepPlan, number>();
  /** Connections that are held at a byte. */
  readonly #held = new Set<() => Promise<void>>();
  readonly #armed: (() => Promise<void>)[] = [];
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
      if (when !== undefined) this.#weigh(step, this.#progress.satisfies(when), when.forMs ?? 0);
    }
  }

  /** Sets the watches of steps that wait for bytes; to be called before any byte flows. @throws SyncError when there is no proxy. */
  async arm(): Promise<void> {
    for (const step of this.#waiting('run')) {
      const { proxy, bytes = 0, stream } = step.trigger.when ?? {};
      if (proxy === undefined) continue;
      const aim = this.#options.subjects.aim(proxy);
      const side = aim.kind === 'link' ? (aim.side ?? 'source') : 'source';
      const gate = aim.kind === 'link' ? aim.link.gate(side) : undefined;
      if (gate === undefined) throw new Error(`step ${step.id}: there is no proxy at ${proxy}`);
      // What is worth cutting in the middle: what the source sends, what the target is sent.
      const watched = stream ?? (side === 'source' ? 'downstream' : 'upstream');
      this.#armed.push(() => gate.release(step.id));
      await gate.watch({ name: step.id, bytes, stream: watched }, () => this.#onBytes(step, gate));
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

  /** A condition holds now, or does not: it has to for `forMs` without a break. */
  #weigh(step: StepPlan, isSo: boolean, forMs: number): void {
    const forget = this.#holding.get(step);
    if (!isSo) {
      forget?.();
      this.#holding.delete(step);
      return;
    }
    if (forMs === 0) return this.#trigger(step);
    if (forget !== undefined) return;
    const alarm = this.#schedule(forMs, () => this.#trigger(step), this.#unawaited);
    this.#holding.set(step, alarm);
  }

  /** The proxy holds a connection at the byte a step waits for; it goes on once the fault is in place. */
  #onBytes(step: StepPlan, gate: GateControl): void {
    const release = (): Promise<void> => {
      this.#held.delete(release);
      return gate.release(step.id).catch(() => undefined);
    };
    if (this.#open !== 'run' || this.#states.get(step) !== 'waiting' || step.trigger.delayMs > 0) {
      void release();
      if (this.#open === 'run') this.#trigger(step);
      return;
    }
    this.#held.add(release);
    this.#fire(step, release);
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

  #fire(step: StepPlan, release?: () => Promise<void>): void {
    this.#states.set(step, 'firing');
    const firing = new Firing(step, this.#options.emit);
    const before = this.#firings.findLast((other) => other.step === step);
    this.#firings.push(firing);
    const count = (this.#fired.get(step) ?? 0) + 1;
    this.#fired.set(step, count);
    this.#planNext(step, count);
    this.#track(this.#inject(step, firing, { before, count, release }));
  }

  /** The same again, `every` after this firing. */
  #planNext(step: StepPlan, count: number): void {
    const { everyMs, times } = step;
    if (everyMs === undefined || (times !== undefined && count >= times)) return;
    const waited = times === undefined ? this.#unawaited : this.#cancellations;
    this.#schedule(everyMs, () => this.#fire(step), waited);
  }

  async #inject(
    step: StepPlan,
    firing: Firing,
    {
      before,
      count,
      release,
    }: { before: Firing | undefined; count: number; release?: (() => Promise<void>) | undefined },
  ): Promise<void> {
    if (before !== undefined) await before.heal();
    const fault = (this.#options.findFault ?? findFault)(step.fault);
    const goOn = (): void => void release?.();
    const effective = await firing.inject(fault, { ...this.#contextOf(step), firing: count, goOn });
    await release?.();
    // Once it took effect, what follows has begun; a later repetition that fails is told by its event.
    this.#states.set(step, effective || count > 1 ? 'effective' : 'failed');
    if (effective) this.#onEffective(step, firing);
  }

  #onEffective(step: StepPlan, firing: Firing): void {
    if (step.forMs !== undefined) this.#schedule(step.forMs, () => this.#track(firing.heal()));
    if (this.#open === 'none') return;
    for (const follower of this.#waiting(this.#open)) {
      if (follower.trigger.after === step.id) this.#trigger(follower);
    }
  }

  #contextOf(step: StepPlan): Omit<FaultContext, 'firing' | 'goOn'> {
    return {
      step: step.id,
      where: step.where,
      with: step.with,
      instances: this.#options.instances(),
      subjects: this.#options.subjects,
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

  #schedule(delayMs: number, action: () => void, among = this.#cancellations): () => void {
    const cancel = this.#options.clock.schedule(delayMs, () => {
      among.delete(cancel);
      action();
      this.#notify();
    });
    among.add(cancel);
    return () => {
      among.delete(cancel);
      cancel();
    };
  }

  #close(): void {
    this.#open = 'none';
    for (const cancel of [...this.#cancellations, ...this.#unawaited]) cancel();
    this.#cancellations.clear();
    this.#unawaited.clear();
    for (const release of [...this.#held, ...this.#armed.splice(0)]) void release().catch(() => undefined);
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
