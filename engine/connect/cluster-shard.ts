/**
 * One shard of a cluster: the primary among the nodes that belong together. Every node that was ever seen in the shard is
 * remembered, so that it is found again after a failover, and when the nodes it was described with are gone.
 */
import { SyncError } from '../errors.ts';
import type { ConnectOptions } from './connection.ts';
import { askTopology, type ClusterTopology, type Shard } from './cluster-topology.ts';
import type { ClusterShard as Description, Discovery, LocateOptions } from './discovery.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';
import { askRole } from './server-role.ts';

const ASK_TIMEOUT_MS = 3000;

export class ClusterShard implements Discovery {
  readonly #members: Set<string>;
  readonly #first: string;
  readonly #others: ReadonlySet<string>;
  /** Whoever answered or was named last stands first. */
  #nodes: Endpoint[];

  constructor({ seeds, members, others = [] }: Description) {
    this.#nodes = [...seeds];
    this.#others = new Set(others);
    this.#members = new Set(members);
    this.#first = members[0] ?? '';
  }

  async locate({ signal, replid }: LocateOptions = {}): Promise<Endpoint> {
    const topology = await this.#ask(signal);
    const candidates = topology.shards.filter(
      (shard) => this.#isOurs(shard) && !topology.failed.has(shard.primary.id),
    );
    for (const { primary, replicas } of byKinship(candidates, this.#first)) {
      const role = await askRole(primary.endpoint, {
        timeoutMs: ASK_TIMEOUT_MS,
        ...(signal ? { signal } : {}),
      });
      if (role.role !== 'primary' && role.role !== 'unknown') continue;
      // Of two primaries that were once one shard, the one that has the history.
      if (candidates.length > 1 && replid !== undefined && !role.replids.includes(replid)) continue;
      for (const { id } of [primary, ...replicas]) this.#members.add(id);
      return primary.endpoint;
    }
    throw new SyncError('CONNECT', `The shard of node ${this.#first.slice(0, 8)} has no primary now.`, {
      where: this.describe(),
      retryable: true,
      hint: 'Wait for the failover to end (CLUSTER NODES). A shard that was removed: its slots belong to others now.',
    });
  }

  /**
   * Others have all slots of the cluster, and this shard has no primary any more: it was removed, or its nodes are replicas
   * of another one now.
   *
   * @throws SyncError as `askTopology`.
   */
  async isGone(signal?: AbortSignal): Promise<boolean> {
    const { shards, owners } = await this.#ask(signal);
    return !owners.includes(-1) && !shards.some((shard) => this.#isOurs(shard));
  }

  confirm(endpoint: Endpoint): void {
    this.#prefer([endpoint]);
  }

  describe(): string {
    return `shard ${this.#first.slice(0, 8)} of the cluster of ${this.#nodes.slice(0, 3).map(describeEndpoint).join(', ')}`;
  }

  async #ask(signal: AbortSignal | undefined): Promise<ClusterTopology> {
    const topology = await askTopology(this.#nodes, {
      connectTimeoutMs: ASK_TIMEOUT_MS,
      replyTimeoutMs: ASK_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    });
    this.#remember(topology);
    return topology;
  }

  /** A shard of others may have our nodes as replicas: one that has given away its last slot is made the new owner's. */
  #isOurs({ primary, replicas }: Shard): boolean {
    if (this.#members.has(primary.id)) return true;
    return !this.#others.has(primary.id) && replicas.some(({ id }) => this.#members.has(id));
  }

  #remember({ shards }: ClusterTopology): void {
    this.#prefer(
      shards.flatMap(({ primary, replicas }) => [primary, ...replicas].map(({ endpoint }) => endpoint)),
    );
  }

  #prefer(endpoints: readonly Endpoint[]): void {
    const names = new Set(endpoints.map(describeEndpoint));
    this.#nodes = [...endpoints, ...this.#nodes.filter((node) => !names.has(describeEndpoint(node)))];
  }
}

/** Every shard of the cluster that has slots now, each as a place of its own. @throws SyncError as `askTopology`. */
export async function describeShards(
  seeds: readonly Endpoint[],
  options: ConnectOptions = {},
): Promise<Description[]> {
  const { shards } = await askTopology(seeds, options);
  return shards
    .filter(({ slots }) => slots.length > 0)
    .map((shard) => ({
      kind: 'cluster-shard',
      seeds: [shard.primary.endpoint, ...seeds],
      members: idsOf(shard),
      others: shards.filter((other) => other !== shard).flatMap(idsOf),
    }));
}

function idsOf({ primary, replicas }: Shard): string[] {
  return [primary, ...replicas].map(({ id }) => id);
}

/** The primary it was described with first, then those with slots. */
function byKinship(shards: readonly Shard[], first: string): Shard[] {
  return shards.toSorted(
    (a, b) =>
      Number(b.primary.id === first) - Number(a.primary.id === first) ||
      Number(b.slots.length > 0) - Number(a.slots.length > 0),
  );
}
