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
  /** Whoever answered or was named last stands first. */
  #nodes: Endpoint[];

  constructor({ seeds, members }: Description) {
    this.#nodes = [...seeds];
    this.#members = new Set(members);
    this.#first = members[0] ?? '';
  }

  async locate({ signal, replid }: LocateOptions = {}): Promise<Endpoint> {
    const options = {
      connectTimeoutMs: ASK_TIMEOUT_MS,
      replyTimeoutMs: ASK_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    };
    const topology = await askTopology(this.#nodes, options);
    this.#remember(topology);
    const candidates = topology.shards.filter(
      (shard) => isOf(shard, this.#members) && !topology.failed.has(shard.primary.id),
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

  confirm(endpoint: Endpoint): void {
    this.#prefer([endpoint]);
  }

  describe(): string {
    return `shard ${this.#first.slice(0, 8)} of the cluster of ${this.#nodes.slice(0, 3).map(describeEndpoint).join(', ')}`;
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
    .map(({ primary, replicas }) => ({
      kind: 'cluster-shard',
      seeds: [primary.endpoint, ...seeds],
      members: [primary, ...replicas].map(({ id }) => id),
    }));
}

function isOf({ primary, replicas }: Shard, members: ReadonlySet<string>): boolean {
  return [primary, ...replicas].some(({ id }) => members.has(id));
}

/** The primary it was described with first, then those with slots. */
function byKinship(shards: readonly Shard[], first: string): Shard[] {
  return shards.toSorted(
    (a, b) =>
      Number(b.primary.id === first) - Number(a.primary.id === first) ||
      Number(b.slots.length > 0) - Number(a.slots.length > 0),
  );
}
