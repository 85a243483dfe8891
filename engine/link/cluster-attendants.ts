/**
 * What is done about a link's cluster besides applying: a look at the memory of every shard every second, so that evictions
 * and changed settings are told as of one server (target-attendants.ts). Of the links of a source cluster one looks: all of
 * them write to the same shards.
 */
import { count, type LinkCounters } from '../apply/counters.ts';
import type { LinkFinding } from '../apply/finding.ts';
import { GrowingFindings } from '../apply/growing-findings.ts';
import { evictionStop } from '../apply/policy-stops.ts';
import { describeShards } from '../connect/cluster-shard.ts';
import type { ClusterEntry, ClusterShard } from '../connect/discovery.ts';
import { SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { EngineOptions, LinkOptions } from './options.ts';
import { WATCH_INTERVAL_MS, type Attendants } from './target-attendants.ts';
import { TargetWatch } from './target-watch.ts';

/** Between two looks for shards that are new. */
const SHARDS_INTERVAL_MS = 5000;
const ASK_TIMEOUT_MS = 5000;

export interface ClusterAttendantsOptions {
  link: LinkOptions;
  engine: EngineOptions;
  /** Asked before every look for shards: the cluster may have moved. */
  target: () => ClusterEntry;
  counters: LinkCounters;
  onFinding: (finding: LinkFinding) => void;
  /** A policy says stop; called once. */
  onStop: (error: Error) => void;
}

export class ClusterAttendants implements Attendants {
  /** Nobody counts the replicas of shards. */
  readonly durableOffset = undefined;
  readonly #options: ClusterAttendantsOptions;
  readonly #growing: GrowingFindings;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #watched = new Set<string>();
  readonly #watches: TargetWatch[] = [];
  #verdict: Error | undefined;
  #isRefused = false;
  #closed: Promise<void> | undefined;

  constructor(options: ClusterAttendantsOptions) {
    this.#options = options;
    this.#growing = new GrowingFindings(options.onFinding);
    const { id, siblings = [] } = options.link;
    const isFirst = siblings.every((sibling) => id < sibling);
    this.#running = isFirst && this.#intervalMs > 0 ? this.#run() : Promise.resolve();
  }

  get verdict(): Error | undefined {
    return this.#verdict;
  }

  advanced(): void {
    // Nothing waits for the replicas of shards.
  }

  synchronized(): void {
    // Evictions are counted from the beginning.
  }

  close(isHasty: boolean): Promise<void> {
    this.#closed ??= this.#close(isHasty);
    return this.#closed;
  }

  async #close(isHasty: boolean): Promise<void> {
    this.#ending.abort();
    await this.#running;
    await Promise.all(this.#watches.map((watch) => watch.close(isHasty)));
    this.#growing.flush();
  }

  get #intervalMs(): number {
    return this.#options.engine.watchMs ?? WATCH_INTERVAL_MS;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#adoptShards(signal).catch(() => undefined);
      await delay(SHARDS_INTERVAL_MS, signal);
    }
  }

  /** A cluster that is away is the lane's business. */
  async #adoptShards(signal: AbortSignal): Promise<void> {
    const { seeds } = this.#options.target();
    const options = { connectTimeoutMs: ASK_TIMEOUT_MS, replyTimeoutMs: ASK_TIMEOUT_MS, signal };
    for (const shard of await describeShards(seeds, options)) {
      if (signal.aborted || shard.members.some((member) => this.#watched.has(member))) continue;
      for (const member of shard.members) this.#watched.add(member);
      this.#watches.push(this.#watch(shard));
    }
  }

  #watch(shard: ClusterShard): TargetWatch {
    const { engine, counters, target, onFinding, onStop } = this.#options;
    let at = '';
    const memory = new MemoryWatch({
      policy: engine.eviction,
      onFinding,
      onEvicted: (fact, keys) => {
        this.#growing.add(fact, undefined, keys);
        count(counters.handled, 'evicted by the target', keys);
        if (engine.eviction !== 'fail' || this.#verdict !== undefined) return;
        this.#verdict = evictionStop(keys, at);
        onStop(this.#verdict);
      },
    });
    return new TargetWatch({
      target: () => ({ ...shard, seeds: [...shard.seeds, ...target().seeds] }),
      intervalMs: this.#intervalMs,
      onSample: (sample, where) => {
        at = where;
        memory.observe(sample, where);
      },
      onRefused: (error) => this.#refused(error),
    });
  }

  #refused(error: Error): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.#options.onFinding({
      code: 'OUT_OF_SCOPE',
      severity: 'notice',
      message: `The target does not let us look: what it evicts, and changes of its settings, cannot be told. ${error.message}`,
      evidence: { reply: error.message },
    });
  }
}

/**
 * What is said of a cluster, whose shards nobody listens to.
 *
 * @throws SyncError POLICY when the link was told to stop, or to wait, for what nobody sees there.
 */
export function unheardCluster({ foreignWrites, durability }: EngineOptions): LinkFinding {
  const wanted = [
    ...(foreignWrites === 'fail' || foreignWrites === 'report'
      ? [`engine.foreignWrites: ${foreignWrites}`]
      : []),
    ...(durability === 'none' ? [] : ['engine.durability']),
  ];
  if (wanted.length > 0) {
    throw new SyncError(
      'POLICY',
      `Nobody listens to the shards of a cluster target, so ${wanted.join(', ')} cannot be kept.`,
      { hint: 'Leave it out of the spec.' },
    );
  }
  return {
    code: 'OUT_OF_SCOPE',
    severity: 'notice',
    message: 'Writes of others to a cluster target are not watched.',
    evidence: { foreignWrites },
  };
}
