/**
 * A cluster as target: which shard has which slot, and one connection to each shard. The topology is read when the link
 * begins and again whenever a node says that it has changed; a shard keeps its connection through a failover.
 */
import { askTopology, type ClusterTopology, type Shard } from '../../connect/cluster-topology.ts';
import type { Connection } from '../../connect/connection.ts';
import type { ClusterEntry, Whereabouts } from '../../connect/discovery.ts';
import { describeEndpoint, type Endpoint } from '../../connect/endpoint.ts';
import { asError, SyncError } from '../../errors.ts';
import { clusterSlot } from '../../keys/cluster-slot.ts';
import type { Target } from '../target.ts';

const ASK_TIMEOUT_MS = 3000;

export interface TargetShard {
  /** Id of its primary when it was first seen. */
  readonly id: string;
  readonly target: Target;
  /** Ids of every node that was ever seen in it. */
  readonly members: Set<string>;
  /** As of the last topology; undefined when the cluster does not have it any more. */
  facts: Shard | undefined;
}

export interface ClusterTargetOptions {
  entry: ClusterEntry;
  /** A connection that waits and retries, to whatever is at these whereabouts. */
  openTarget: (whereabouts: Whereabouts, shard: TargetShard | undefined) => Target;
  /** Slots moved between shards, or shards came or went, since the last look. */
  onChanged: (before: ClusterTopology, now: ClusterTopology) => void;
}

export class ClusterTarget {
  readonly #options: ClusterTargetOptions;
  /** Waits while nobody tells the topology. */
  readonly #guide: Target;
  #seeds: readonly Endpoint[];
  #shards: TargetShard[] = [];
  #topology: ClusterTopology | undefined;
  /** Index into `#shards` by index into the topology's. */
  #byTopology: (TargetShard | undefined)[] = [];

  constructor(options: ClusterTargetOptions) {
    this.#options = options;
    this.#seeds = options.entry.seeds;
    this.#guide = options.openTarget(options.entry, undefined);
  }

  /** Shards that have slots. */
  get shards(): readonly TargetShard[] {
    return this.#shards.filter(({ facts }) => facts !== undefined && facts.slots.length > 0);
  }

  get topology(): ClusterTopology | undefined {
    return this.#topology;
  }

  /** The shard that owns the slot, as far as we know; undefined when nobody does. */
  shardOfSlot(slot: number): TargetShard | undefined {
    const index = this.#topology?.owners[slot] ?? -1;
    return index === -1 ? undefined : this.#byTopology[index];
  }

  /** The shard as a place of its own, wherever its primary is. */
  whereaboutsOf({ members }: TargetShard): Whereabouts {
    const known = this.#topology?.shards.flatMap(({ primary, replicas }) => [primary, ...replicas]) ?? [];
    const seeds = unique([...known.map(({ endpoint }) => endpoint), ...this.#seeds]);
    return { kind: 'cluster-shard', seeds, members: [...members] };
  }

  shardOfKey(key: Uint8Array): TargetShard | undefined {
    return this.shardOfSlot(clusterSlot(key));
  }

  /**
   * Reads the topology; waits while nobody tells it, or some slots have no owner.
   *
   * @param first asked before the others: who said that something has moved.
   * @throws SyncError what does not get better by waiting.
   */
  async refresh(signal: AbortSignal, first: readonly Endpoint[] = []): Promise<void> {
    for (;;) {
      try {
        const known = this.#topology?.shards.flatMap(({ primary, replicas }) => [primary, ...replicas]) ?? [];
        const nodes = unique([...first, ...known.map(({ endpoint }) => endpoint), ...this.#seeds]);
        const topology = await askTopology(nodes, {
          connectTimeoutMs: ASK_TIMEOUT_MS,
          replyTimeoutMs: ASK_TIMEOUT_MS,
          signal,
        });
        const missing = topology.owners.indexOf(-1);
        if (missing !== -1) throw uncovered(missing, nodes);
        this.#adopt(topology);
        await this.#leaveDemoted();
        this.#guide.worked();
        return;
      } catch (error) {
        await this.#guide.wait(asError(error), signal);
      }
    }
  }

  /** Waits before another try of what failed. @throws the error when waiting cannot help or took too long. */
  async wait(error: Error, signal: AbortSignal): Promise<void> {
    await this.#guide.wait(error, signal);
  }

  /** Something was applied: the next failure gets a new budget. */
  worked(): void {
    this.#guide.worked();
  }

  /** Does something on the shard that has this key, again and again until it works. @throws SyncError. */
  async useKey<Result>(
    key: string,
    signal: AbortSignal,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      try {
        const shard = this.shardOfKey(Buffer.from(key));
        if (shard === undefined) throw uncovered(clusterSlot(Buffer.from(key)), this.#seeds);
        return await shard.target.use(signal, work);
      } catch (error) {
        await this.#guide.wait(retryableIfMoved(asError(error)), signal);
        await this.refresh(signal);
      }
    }
  }

  /** Does something on every shard, one after the other. @throws SyncError. */
  async useAll(
    signal: AbortSignal,
    work: (connection: Connection, shard: TargetShard) => Promise<void>,
  ): Promise<void> {
    for (const shard of this.shards) {
      for (;;) {
        try {
          await shard.target.use(signal, (connection) => work(connection, shard));
          break;
        } catch (error) {
          await shard.target.wait(asError(error), signal);
        }
      }
    }
  }

  /** The cluster is to be found elsewhere from now on, or with another login. */
  async relocate(entry: ClusterEntry, signal: AbortSignal): Promise<void> {
    this.#seeds = entry.seeds;
    await Promise.all(
      this.#shards.map(({ target, members }) =>
        target.relocate({ kind: 'cluster-shard', seeds: entry.seeds, members: [...members] }, signal),
      ),
    );
  }

  describe(): string {
    return `the cluster of ${this.#seeds.map(describeEndpoint).join(', ')}`;
  }

  async close(): Promise<void> {
    await Promise.all([this.#guide.close(), ...this.#shards.map(({ target }) => target.close())]);
  }

  #adopt(topology: ClusterTopology): void {
    const before = this.#topology;
    this.#topology = topology;
    for (const shard of this.#shards) shard.facts = undefined;
    this.#byTopology = topology.shards.map((facts) => this.#shardFor(facts));
    if (before !== undefined && isOther(before, topology)) this.#options.onChanged(before, topology);
  }

  /** A primary that has handed over keeps its connections, and answers MOVED to whatever comes through them. */
  async #leaveDemoted(): Promise<void> {
    for (const { target, facts } of this.#shards) {
      const { current } = target;
      if (current === undefined || facts === undefined) continue;
      const { primary, replicas } = facts;
      const at = describeEndpoint(current.endpoint);
      const isDemoted = replicas.some(({ endpoint }) => describeEndpoint(endpoint) === at);
      if (isDemoted && describeEndpoint(primary.endpoint) !== at) await target.close();
    }
  }

  #shardFor(facts: Shard): TargetShard {
    const ids = [facts.primary, ...facts.replicas].map(({ id }) => id);
    const free = this.#shards.filter((each) => each.facts === undefined);
    const known =
      free.find(({ members }) => members.has(facts.primary.id)) ??
      free.find(({ members }) => ids.some((id) => members.has(id)));
    const shard = known ?? this.#open(facts, ids);
    for (const id of ids) shard.members.add(id);
    shard.facts = facts;
    return shard;
  }

  #open(facts: Shard, members: string[]): TargetShard {
    const seeds = unique([facts.primary.endpoint, ...this.#seeds]);
    const whereabouts: Whereabouts = { kind: 'cluster-shard', seeds, members };
    const shard: { -readonly [Name in keyof TargetShard]: TargetShard[Name] } = {
      id: facts.primary.id,
      target: this.#guide,
      members: new Set(members),
      facts,
    };
    shard.target = this.#options.openTarget(whereabouts, shard);
    this.#shards.push(shard);
    return shard;
  }
}

/** A slot nobody owns, or an owner who says it is not: the cluster is being changed. */
export function retryableIfMoved(error: Error): Error {
  if (!(error instanceof SyncError) || error.retryable) return error;
  if (!/\b(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/.test(error.message)) return error;
  return new SyncError('CONNECT', error.message, {
    retryable: true,
    cause: error.cause,
    ...(error.where === undefined ? {} : { where: error.where }),
  });
}

function uncovered(slot: number, nodes: readonly Endpoint[]): SyncError {
  return new SyncError('CONNECT', `No node of the cluster owns slot ${slot}.`, {
    where: nodes.map(describeEndpoint).join(', '),
    retryable: true,
    hint: 'The cluster is being formed, or a shard has lost all its nodes: see CLUSTER INFO, CLUSTER SLOTS.',
  });
}

function unique(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.map((endpoint) => [describeEndpoint(endpoint), endpoint])).values()];
}

function isOther(before: ClusterTopology, now: ClusterTopology): boolean {
  return before.owners.some(
    (owner, slot) => before.shards[owner]?.primary.id !== now.shards[now.owners[slot] ?? -1]?.primary.id,
  );
}
