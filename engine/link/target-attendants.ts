/**
 * What is done about one link's target besides applying: a look at its memory every second, an ear at its stream for the
 * writes of others, a count of the replicas that follow. Each has connections of its own and never holds up the lane; the
 * last two are there only when a policy asks for them.
 */
import { count, type LinkCounters } from '../apply/counters.ts';
import type { LinkFinding } from '../apply/finding.ts';
import { GrowingFindings } from '../apply/growing-findings.ts';
import type { LanePlace } from '../apply/link-lane.ts';
import { evictionStop, foreignWriteStop } from '../apply/policy-stops.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { Durability } from './durability.ts';
import { foreignPolicy, ForeignWatch } from './foreign-watch.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { EngineOptions, LinkOptions } from './options.ts';
import type { TargetSample } from './target-sample.ts';
import { TargetWatch } from './target-watch.ts';

export interface TargetAttendantsOptions {
  link: LinkOptions;
  engine: EngineOptions;
  /** Asked before every connection: the target may have moved. */
  target: () => Whereabouts;
  counters: LinkCounters;
  /** Where the lane writes. */
  places: () => readonly LanePlace[];
  /** Source offset up to which everything is on the target; below 0 while there is none. */
  appliedOffset: () => bigint;
  onFinding: (finding: LinkFinding) => void;
  /** A policy says stop; called once. */
  onStop: (error: Error) => void;
  /** Replicas of the target have more than before. */
  onDurable: () => void;
}

export const WATCH_INTERVAL_MS = 1000;

/** Whoever looks after a target, as its link sees it. */
export interface Attendants {
  /** Source offset up to which replicas of the target have everything; undefined when no policy asks for that. */
  readonly durableOffset: bigint | undefined;
  /** What a policy says the link must stop with, if one did. */
  readonly verdict: Error | undefined;
  /** Something was applied. */
  advanced(): void;
  /** The target has the snapshot. */
  synchronized(): void;
  /** Looks once more, unless there is no time for that, and ends everything. Never throws. Idempotent. */
  close(isHasty: boolean): Promise<void>;
}

export class TargetAttendants implements Attendants {
  readonly #options: TargetAttendantsOptions;
  readonly #growing: GrowingFindings;
  readonly #memory: MemoryWatch;
  readonly #watch: TargetWatch | undefined;
  readonly #durability: Durability | undefined;
  #foreign: ForeignWatch | undefined;
  #where = '';
  #closed: Promise<void> | undefined;
  #verdict: Error | undefined;

  constructor(options: TargetAttendantsOptions) {
    this.#options = options;
    const { engine, target, places, onFinding, onDurable, appliedOffset } = options;
    this.#growing = new GrowingFindings(onFinding);
    this.#memory = new MemoryWatch({
      policy: engine.eviction,
      onFinding,
      onEvicted: (fact, keys) => {
        this.#growing.add(fact, undefined, keys);
        this.#onEvicted(keys);
      },
    });
    const { durability: policy, watchMs: intervalMs = WATCH_INTERVAL_MS } = engine;
    if (intervalMs > 0)
      this.#watch = new TargetWatch({
        target,
        intervalMs,
        onSample: (sample, where) => this.#onSample(sample, where),
        onRefused: (error) =>
          this.#degraded('what it evicts, and changes of its settings, cannot be told', error),
      });
    if (policy !== 'none')
      this.#durability = new Durability({ policy, places, appliedOffset, onFinding, onDurable });
  }

  /** Source offset up to which replicas of the target have everything; undefined when no policy asks for that. */
  get durableOffset(): bigint | undefined {
    return this.#durability?.offset;
  }

  /** Something was applied. */
  advanced(): void {
    this.#durability?.advanced();
  }

  /** The target has the snapshot: from now on, what is written there and is not ours is foreign. */
  synchronized(): void {
    const { engine, link, target } = this.#options;
    const policy = foreignPolicy(engine, link);
    if (this.#foreign !== undefined || this.#closed !== undefined || policy === undefined) return;
    this.#foreign = new ForeignWatch({
      policy,
      name: 'the target',
      target,
      heartbeatPrefix: engine.heartbeatPrefix,
      idleTimeoutMs: engine.idleTimeoutMs,
      growing: this.#growing,
      onForeign: (writes, what) => this.#onForeign(writes, what, policy),
      onRefused: (error) => this.#degraded('writes of others cannot be seen', error),
    });
  }

  /** What a policy says the link must stop with, if one did. */
  get verdict(): Error | undefined {
    return this.#verdict;
  }

  /** Looks and listens once more, so that nothing that happened before is missed, and ends everything. Never throws. Idempotent. */
  close(isHasty: boolean): Promise<void> {
    this.#closed ??= this.#close(isHasty);
    return this.#closed;
  }

  async #close(isHasty: boolean): Promise<void> {
    await Promise.all([this.#watch?.close(isHasty), this.#durability?.close(isHasty)]);
    await this.#foreign?.close(isHasty);
    this.#growing.flush();
  }

  #stop(error: Error): void {
    if (this.#verdict !== undefined) return;
    this.#verdict = error;
    this.#options.onStop(error);
  }

  #onSample(sample: TargetSample, where: string): void {
    this.#where = where;
    this.#memory.observe(sample, where);
    this.#foreign?.observe(sample, where);
  }

  #onEvicted(keys: number): void {
    const { engine, counters } = this.#options;
    count(counters.handled, 'evicted by the target', keys);
    if (engine.eviction === 'fail') this.#stop(evictionStop(keys, this.#where));
  }

  #onForeign(writes: number, what: string, policy: 'report' | 'fail'): void {
    count(this.#options.counters.handled, 'foreign writes', writes);
    if (policy === 'fail') this.#stop(foreignWriteStop(what, this.#where));
  }

  #degraded(consequence: string, error: Error): void {
    this.#options.onFinding({
      code: 'OUT_OF_SCOPE',
      severity: 'notice',
      message: `The target does not let us look: ${consequence}. ${error.message}`,
      evidence: { reply: error.message },
    });
  }
}
