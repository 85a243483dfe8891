/** A whole cluster where one server is wanted: any primary that is up. For questions that every node can answer. */
import { SyncError } from '../errors.ts';
import { askTopology } from './cluster-topology.ts';
import type { ClusterEntry as Entry, Discovery, LocateOptions } from './discovery.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';

const ASK_TIMEOUT_MS = 3000;

export class ClusterEntry implements Discovery {
  readonly #seeds: readonly Endpoint[];

  constructor({ seeds }: Entry) {
    this.#seeds = seeds;
  }

  async locate({ signal }: LocateOptions = {}): Promise<Endpoint> {
    const topology = await askTopology(this.#seeds, {
      connectTimeoutMs: ASK_TIMEOUT_MS,
      replyTimeoutMs: ASK_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    });
    const shard = topology.shards.find(({ primary }) => !topology.failed.has(primary.id));
    if (shard !== undefined) return shard.primary.endpoint;
    throw new SyncError('CONNECT', 'The cluster has no primary that is up.', {
      where: this.describe(),
      retryable: true,
    });
  }

  confirm(): void {
    // Whoever is up will do.
  }

  describe(): string {
    return `the cluster of ${this.#seeds.map(describeEndpoint).join(', ')}`;
  }
}
