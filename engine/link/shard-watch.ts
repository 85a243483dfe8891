/** Looks at one shard of a cluster target, and listens to it: what target-attendants.ts does for a target that is one server. */
import { count, type LinkCounters } from '../apply/counters.ts';
import type { LinkFinding } from '../apply/finding.ts';
import type { GrowingFindings } from '../apply/growing-findings.ts';
import { evictionStop, foreignWriteStop } from '../apply/policy-stops.ts';
import type { ClusterShard } from '../connect/discovery.ts';
import { ForeignWatch } from './foreign-watch.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { EngineOptions } from './options.ts';
import type { TargetSample } from './target-sample.ts';
import { TargetWatch } from './target-watch.ts';

export interface ShardWatchOptions {
  engine: EngineOptions;
  /** Id of a node of it. */
  name: string;
  /** Asked before every connection: its primary may have moved. */
  target: () => ClusterShard;
  /** 0: nobody looks. */
  intervalMs: number;
  counters: LinkCounters;
  growing: GrowingFindings;
  onFinding: (finding: LinkFinding) => void;
  /** A policy says stop. */
  onStop: (error: Error) => void;
  /** The shard does not let us look, or listen. */
  onRefused: (consequence: string, error: Error) => void;
}

export class ShardWatch {
  readonly #options: ShardWatchOptions;
  readonly #memory: MemoryWatch;
  readonly #watch: TargetWatch | undefined;
  #foreign: ForeignWatch | undefined;
  #where = '';

  constructor(options: ShardWatchOptions) {
    this.#options = options;
    const { engine, target, intervalMs, growing, onFinding, onRefused } = options;
    this.#memory = new MemoryWatch({
      policy: engine.eviction,
      onFinding,
      onEvicted: (fact, keys) => {
        growing.add(fact, undefined, keys);
        this.#onEvicted(keys);
      },
    });
    if (intervalMs > 0)
      this.#watch = new TargetWatch({
        target,
        intervalMs,
        onSample: (sample, where) => this.#onSample(sample, where),
        onRefused: (error) => onRefused('what it evicts, and changes of its settings, cannot be told', error),
      });
  }

  /** From now on what is written there and is no link's is foreign. Idempotent. */
  listen(policy: 'report' | 'fail'): void {
    const { engine, name, target, growing, onRefused } = this.#options;
    this.#foreign ??= new ForeignWatch({
      policy,
      name: `shard ${name.slice(0, 8)} of the target`,
      target,
      heartbeatPrefix: engine.heartbeatPrefix,
      idleTimeoutMs: engine.idleTimeoutMs,
      growing,
      onForeign: (writes, what) => this.#onForeign(writes, what, policy),
      onRefused: (error) => onRefused('writes of others cannot be seen', error),
    });
  }

  /** Looks and listens once more, unless there is no time for that, and ends. Never throws. */
  async close(isHasty: boolean): Promise<void> {
    await this.#watch?.close(isHasty);
    await this.#foreign?.close(isHasty);
  }

  #onSample(sample: TargetSample, where: string): void {
    this.#where = where;
    this.#memory.observe(sample, where);
    this.#foreign?.observe(sample, where);
  }

  #onEvicted(keys: number): void {
    const { engine, counters, onStop } = this.#options;
    count(counters.handled, 'evicted by the target', keys);
    if (engine.eviction === 'fail') onStop(evictionStop(keys, this.#where));
  }

  #onForeign(writes: number, what: string, policy: 'report' | 'fail'): void {
    const { counters, onStop } = this.#options;
    count(counters.handled, 'foreign writes', writes);
    if (policy === 'fail') onStop(foreignWriteStop(what, this.#where));
  }
}
