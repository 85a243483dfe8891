/** The links of a whole source cluster, one replicator per shard, in this process; or the one of a single server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeShards } from '../../../../engine/connect/cluster-shard.ts';
import type { Whereabouts } from '../../../../engine/connect/discovery.ts';
import type { Connection } from '../../../../engine/connect/connection.ts';
import { openWhere } from '../../../../engine/connect/discover.ts';
import type { FromReplicator, LinkStatus } from '../../../../engine/link/messages.ts';
import type { Endpoint } from '../../../../engine/connect/endpoint.ts';
import {
  DEFAULT_ENGINE_OPTIONS,
  type EngineOptions,
  type LinkOptions,
} from '../../../../engine/link/options.ts';
import { Replicator } from '../../../../engine/link/replicator.ts';
import { parseInfo } from '../../../../engine/resp/reply-text.ts';
import type { TestCluster } from '../../../support/cluster.ts';
import { until } from '../../../support/until.ts';

/** The links' names begin so; and what makes them links of a circle. */
export interface Way extends Pick<LinkOptions, 'origins' | 'incrementalOnly'> {
  name?: string;
}

interface ShardLink {
  id: string;
  source: Whereabouts;
  replicator: Replicator;
  running: Promise<void>;
}

export class ShardLinks implements AsyncDisposable {
  readonly messages: FromReplicator[] = [];
  readonly #folder: string;
  readonly #links: ShardLink[] = [];

  private constructor(folder: string, target: Whereabouts, engine: Partial<EngineOptions>, way: Way) {
    this.#folder = folder;
    this.#target = target;
    this.#engine = engine;
    this.#way = way;
  }

  readonly #target: Whereabouts;
  readonly #engine: Partial<EngineOptions>;
  readonly #way: Way;

  static async start(
    source: TestCluster | Endpoint,
    target: Whereabouts,
    engine: Partial<EngineOptions> = {},
    way: Way = {},
  ): Promise<ShardLinks> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-shards-'));
    const links = new ShardLinks(folder, target, engine, way);
    await links.adopt(source);
    return links;
  }

  /** Starts a link for every shard that has none. */
  async adopt(source: TestCluster | Endpoint): Promise<void> {
    const known = new Set(
      this.#links.flatMap((link) => ('members' in link.source ? link.source.members : [])),
    );
    const { name = 'shard', ...way } = this.#way;
    for (const shard of 'seeds' in source ? await describeShards(source.seeds) : [source]) {
      if ('members' in shard && shard.members.some((member) => known.has(member))) continue;
      const id = `${name}-${this.#links.length}`;
      const siblings = Array.from({ length: 8 }, (_, number) => `${name}-${number}`).filter(
        (each) => each !== id,
      );
      const replicator = new Replicator(
        {
          source: shard,
          links: [{ id, target: this.#target, siblings, ...way }],
          engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 100, retryMs: 50_000, ...this.#engine },
          spoolFolder: join(this.#folder, id),
        },
        (message) => this.messages.push(message),
      );
      this.#links.push({ id, source: shard, replicator, running: replicator.run() });
    }
  }

  get statuses(): LinkStatus[] {
    return this.#links.flatMap(({ replicator }) => replicator.status());
  }

  async synchronized(): Promise<void> {
    await until(() => {
      this.#refuseFailure();
      return Promise.resolve(this.statuses.every(({ state }) => state === 'Synchronizing'));
    });
  }

  /** Every shard has applied what its source has written by now, and nothing is left to put right. */
  async drained(alsoDeferred = true): Promise<void> {
    // A link that has ended has nothing more to come.
    const running = this.#links.filter(({ replicator }) => replicator.status()[0]?.state !== 'Finished');
    const wanted = await Promise.all(running.map(({ source }) => offsetOf(source)));
    await until(() => {
      this.#refuseFailure();
      const statuses = running.flatMap(({ replicator }) => replicator.status());
      return Promise.resolve(
        statuses.every(
          (status, index) =>
            BigInt(status.appliedOffset) >= (wanted[index] ?? 0n) && (!alsoDeferred || status.deferred === 0),
        ),
      );
    });
  }

  /** The cutover: deferred deadlines are given back. */
  settle(): void {
    for (const { id, replicator } of this.#links) replicator.settle(id);
  }

  findings(code: string): (FromReplicator & { kind: 'finding' })[] {
    return this.messages.filter(
      (message): message is FromReplicator & { kind: 'finding' } =>
        message.kind === 'finding' && message.code === code,
    );
  }

  async stop(): Promise<void> {
    for (const { replicator } of this.#links) replicator.stop();
    await Promise.all(this.#links.map(({ running }) => running));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { replicator } of this.#links) replicator.abort();
    await Promise.all(this.#links.map(({ running }) => running));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #refuseFailure(): void {
    const failed = this.messages.find((message) => message.kind === 'link-failed');
    if (failed?.kind === 'link-failed') throw new Error(`${failed.link} failed: ${failed.error.message}`);
  }
}

async function offsetOf(source: Whereabouts): Promise<bigint> {
  await using connection: Connection = await openWhere(source);
  return BigInt(parseInfo(await connection.call('INFO', 'replication'))['master_repl_offset'] ?? -1);
}
