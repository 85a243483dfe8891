/**
 * What is done about a link's cluster besides applying: every shard is looked at every second and listened to, so that
 * evictions, changed settings and writes of others are told as of one server (target-attendants.ts), and the replicas that
 * follow are counted. Of the links of a source cluster one looks and listens: all of them write to the same shards. Each
 * counts for itself, because each has its own stream.
 *
 * A shard that is new is listened to when the link writes there, or a few seconds later: what others write before goes unseen.
 */
import type { LinkCounters } from '../apply/counters.ts';
import type { LinkFinding } from '../apply/finding.ts';
import { GrowingFindings } from '../apply/growing-findings.ts';
import type { LanePlace } from '../apply/link-lane.ts';
import { describeShards } from '../connect/cluster-shard.ts';
import type { ClusterEntry, ClusterShard } from '../connect/discovery.ts';
import { delay } from '../psync/backoff.ts';
import { Durability } from './durability.ts';
import { foreignPolicy } from './foreign-watch.ts';
import type { EngineOptions, LinkOptions } from './options.ts';
import { ShardWatch } from './shard-watch.ts';
import { WATCH_INTERVAL_MS, type Attendants } from './target-attendants.ts';

/** Between two looks for shards that are new. Those that the link writes to are known at once. */
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
  readonly #policy: 'report' | 'fail' | undefined;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #durability: Durability | undefined;
  readonly #watched = new Set<string>();
  readonly #watches: ShardWatch[] = [];
  #isListening = false;
  #verdict: Error | undefined;
  /** What was not allowed is said of one shard. */
  readonly #refusals = new Set<string>();
  #closed: Promise<void> | undefined;

  constructor(options: ClusterAttendantsOptions) {
    this.#options = options;
    const { link, engine, places, appliedOffset, onFinding, onDurable } = options;
    this.#growing = new GrowingFindings(onFinding);
    this.#policy = foreignPolicy(engine, link);
    this.#running = this.isWatching ? this.#run() : Promise.resolve();
    const { durability: policy } = engine;
    if (policy !== 'none')
      this.#durability = new Durability({ policy, places, appliedOffset, onFinding, onDurable });
  }

  /** It looks and listens, for all links of its source: nobody does when this link has ended. */
  get isWatching(): boolean {
    const { id, siblings = [] } = this.#options.link;
    const isWanted = this.#intervalMs > 0 || this.#policy !== undefined;
    return isWanted && siblings.every((sibling) => id < sibling);
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

  /** Evictions are counted from the beginning; what others write, from now on. */
  synchronized(): void {
    this.#isListening = true;
    for (const watch of this.#watches) this.#listen(watch);
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
    let names: string | undefined;
    let lookedAtMs = -Infinity;
    while (!signal.aborted) {
      const now = this.#options.places().map(({ name }) => name);
      const isDue = performance.now() - lookedAtMs >= SHARDS_INTERVAL_MS;
      if (isDue || names !== now.join(' ')) {
        names = now.join(' ');
        lookedAtMs = performance.now();
        await this.#adoptShards(signal).catch(() => undefined);
      }
      await delay(this.#intervalMs > 0 ? this.#intervalMs : WATCH_INTERVAL_MS, signal);
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

  #watch(shard: ClusterShard): ShardWatch {
    const { engine, counters, target, onFinding } = this.#options;
    const watch = new ShardWatch({
      engine,
      name: shard.members[0] ?? '',
      target: () => ({ ...shard, seeds: [...shard.seeds, ...target().seeds] }),
      intervalMs: this.#intervalMs,
      counters,
      growing: this.#growing,
      onFinding,
      onStop: (error) => this.#stop(error),
      onRefused: (consequence, error) => this.#refused(consequence, error),
    });
    this.#listen(watch);
    return watch;
  }

  #listen(watch: ShardWatch): void {
    if (this.#isListening && this.#policy !== undefined && this.#closed === undefined)
      watch.listen(this.#policy);
  }

  #stop(error: Error): void {
    if (this.#verdict !== undefined) return;
    this.#verdict = error;
    this.#options.onStop(error);
  }

  #refused(consequence: string, error: Error): void {
    if (this.#refusals.has(consequence)) return;
    this.#refusals.add(consequence);
    this.#options.onFinding({
      code: 'OUT_OF_SCOPE',
      severity: 'notice',
      message: `The target does not let us look: ${consequence}. ${error.message}`,
      evidence: { reply: error.message },
    });
  }
}
