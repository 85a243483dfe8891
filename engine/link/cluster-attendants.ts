/**
 * What is done about a link's cluster besides applying: a look at the memory of every shard every second, so that evictions
 * and changed settings are told as of one server (target-attendants.ts), and a count of the replicas that follow. Of the links
 * of a source cluster one looks: all of them write to the same shards. Each counts for itself, because each has its own stream.
 */
import { count, type LinkCounters } from '../apply/counters.ts';
import type { LinkFinding } from '../apply/finding.ts';
import { GrowingFindings } from '../apply/growing-findings.ts';
import type { LanePlace } from '../apply/link-lane.ts';
import { evictionStop } from '../apply/policy-stops.ts';
import { describeShards } from '../connect/cluster-shard.ts';
import type { ClusterEntry, ClusterShard } from '../connect/discovery.ts';
import { SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';
import { Durability } from './durability.ts';
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
  /** The shards that the lane writes to. */
  places: () => readonly LanePlace[];
  counters: LinkCounters;
  /** Source offset up to which everything is on the target; below 0 while there is none. */
  appliedOffset: () => bigint;
  onFinding: (finding: LinkFinding) => void;
  /** A policy says stop; called once. */
  onStop: (error: Error) => void;
  /** Replicas of the shards have more than before. */
  onDurable: () => void;
}

export class ClusterAttendants implements Attendants {
  readonly #options: ClusterAttendantsOptions;
  readonly #growing: GrowingFindings;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #durability: Durability | undefined;
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
    const { engine, places, appliedOffset, onFinding, onDurable } = options;
    const { durability: policy } = engine;
    if (policy !== 'none')
      this.#durability = new Durability({ policy, places, appliedOffset, onFinding, onDurable });
  }

  get durableOffset(): bigint | undefined {
    return this.#durability?.offset;
  }

  get verdict(): Error | undefined {
    return this.#verdict;
  }

  advanced(): void {
    this.#durability?.advanced();
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
    const watches = this.#watches.map((watch) => watch.close(isHasty));
    await Promise.all([...watches, this.#durability?.close(isHasty)]);
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
 * What is said of a cluster, to whose shards nobody listens.
 *
 * @throws SyncError POLICY when the link was told to stop, or to tell, of what nobody hears there.
 */
export function unheardCluster({ foreignWrites }: EngineOptions): LinkFinding {
  if (foreignWrites === 'fail' || foreignWrites === 'report') {
    throw new SyncError(
      'POLICY',
      `Nobody listens to the shards of a cluster target, so engine.foreignWrites: ${foreignWrites} cannot be kept.`,
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
