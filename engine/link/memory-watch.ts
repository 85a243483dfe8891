/** What a target's samples say about its memory: keys that were evicted, settings that changed. */
import type { GrowingFact } from '../apply/growing-findings.ts';
import type { LinkFinding } from '../apply/finding.ts';
import type { EvictionPolicy } from './options.ts';
import type { TargetSample } from './target-sample.ts';

export interface MemoryWatchOptions {
  policy: EvictionPolicy;
  /** `keys` more were evicted. */
  onEvicted: (fact: GrowingFact, keys: number) => void;
  onFinding: (finding: LinkFinding) => void;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  #last: TargetSample | undefined;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  observe(sample: TargetSample, where: string): void {
    const before = this.#last;
    this.#last = sample;
    // Another server, or the same started anew: its counts and settings are a new beginning.
    if (before === undefined || before.runId !== sample.runId) return;
    const evicted = sample.evictedKeys - before.evictedKeys;
    if (evicted > 0) this.#options.onEvicted(this.#evictionFact(sample, where, evicted), evicted);
    this.#compare('maxmemory-policy', before.maxmemoryPolicy, sample.maxmemoryPolicy, where);
    this.#compare('maxmemory', before.maxmemory, sample.maxmemory, where);
  }

  #evictionFact(
    { evictedKeys, maxmemory, maxmemoryPolicy }: TargetSample,
    where: string,
    last: number,
  ): GrowingFact {
    return {
      code: 'EVICTION',
      severity: 'error',
      message: `Shard ${where} evicts keys to stay below its maxmemory (maxmemory-policy ${maxmemoryPolicy}).`,
      evidence: {
        shard: where,
        maxmemoryPolicy,
        maxmemory,
        evictedKeys,
        lastDelta: last,
        policy: this.#options.policy,
      },
    };
  }

  #compare(setting: string, before: string, now: string, where: string): void {
    if (before === now) return;
    this.#options.onFinding({
      code: 'CONFIG_DRIFT',
      severity: 'notice',
      message: `${setting} of ${where} was changed from ${before} to ${now}.`,
      evidence: { shard: where, setting, before, now },
    });
  }
}
