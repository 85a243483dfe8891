/** Where it happens: two real servers, a proxy before each, a dataset, and traffic that counts twice when it is applied twice. */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { DatasetPlan } from '../../scenarios/data/dataset.ts';
import { seedDataset } from '../../scenarios/data/seeding.ts';
import { Ledger } from '../../scenarios/workload/ledger.ts';
import type { Workload } from '../../scenarios/workload/open-loop.ts';
import type { WorkloadPlan } from '../../scenarios/workload/workload.ts';
import { startWorkload } from '../../scenarios/workload/workload-start.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { seedLargeValues } from './large-values.ts';
import { startServer, type TestServer } from '../support/server.ts';

export const DATABASES = [0, 3, 12];

export interface FieldOptions {
  seed: number;
  /** Keys in the snapshot, besides those of the workload. */
  keys: number;
  commandsPerSecond: number;
  /** The source sleeps so long after each key of a snapshot, so that a full sync is long enough to be hit. */
  keySaveDelayUs: number;
  /** Part of the traffic is on keys that expire within half a second. */
  expiring?: boolean;
}

/** Weights. What is not idempotent has most of it; the ledger takes a tenth besides. */
const MIX: Record<string, number> = {
  incr: 8,
  incrby: 3,
  decrby: 2,
  append: 10,
  setrange: 6,
  incrbyfloat: 2,
  set: 8,
  getset: 1,
  getdel: 1,
  mset: 2,
  rpush: 8,
  lpush: 4,
  lpop: 6,
  rpop: 3,
  lmove: 3,
  rpoplpush: 1,
  linsert: 2,
  ltrim: 1,
  xadd: 6,
  xtrim: 1,
  hincrby: 6,
  hincrbyfloat: 1,
  hset: 3,
  hdel: 1,
  zincrby: 6,
  zadd: 2,
  zpopmin: 2,
  sadd: 2,
  spop: 2,
  smove: 1,
  del: 3,
  unlink: 1,
  expire: 1,
  persist: 1,
  rename: 2,
  copy: 1,
  move: 1,
  setbit: 1,
  pfadd: 1,
  multi: 8,
  script: 2,
  pubsub: 1,
};

export class Field implements AsyncDisposable {
  readonly source: TestServer;
  readonly target: TestServer;
  readonly toSource: CuttingProxy;
  readonly toTarget: CuttingProxy;
  readonly onSource: Connection;
  readonly ledger = new Ledger();
  readonly #options: FieldOptions;

  private constructor(
    options: FieldOptions,
    servers: { source: TestServer; target: TestServer },
    proxies: { toSource: CuttingProxy; toTarget: CuttingProxy },
    onSource: Connection,
  ) {
    this.#options = options;
    this.source = servers.source;
    this.target = servers.target;
    this.toSource = proxies.toSource;
    this.toTarget = proxies.toTarget;
    this.onSource = onSource;
  }

  /** Servers up, dataset in the source, target empty. */
  static async open(options: FieldOptions): Promise<Field> {
    const source = await startServer({
      'enable-debug-command': 'yes',
      // A full sync is then never the backlog's fault.
      'repl-backlog-size': '256mb',
      'repl-ping-replica-period': '1',
      'rdb-key-save-delay': String(options.keySaveDelayUs),
    });
    const target = await startServer();
    const toSource = await CuttingProxy.start(source.endpoint);
    const toTarget = await CuttingProxy.start(target.endpoint);
    const onSource = await Connection.open(source.endpoint, { name: 'torture' });
    const field = new Field(options, { source, target }, { toSource, toTarget }, onSource);
    await field.#seed();
    return field;
  }

  /** About a tenth of the commands are ledgered. */
  startWorkload(seed: number): Promise<Workload> {
    const plan: WorkloadPlan = {
      name: 'torture',
      into: ['source'],
      databases: DATABASES,
      ratePerSecond: this.#options.commandsPerSecond,
      clients: 6,
      start: 'full-sync',
      mix: this.#options.expiring === true ? { ...MIX, expiry: 8 } : MIX,
      keyspace: 200,
      prefix: 'w:',
    };
    return startWorkload([this.source.endpoint], plan, { seed, ledger: this.ledger });
  }

  /** What the source has written to its stream, and the name of its history. */
  async sourcePosition(): Promise<{ replid: string; offset: bigint }> {
    const info = parseInfo(await this.onSource.call('INFO', 'replication'));
    return { replid: info['master_replid'] ?? '', offset: BigInt(info['master_repl_offset'] ?? '0') };
  }

  /** The next PSYNC cannot be continued: a full sync over what the target has. @returns the new history. */
  async changeHistory(): Promise<string> {
    await this.onSource.pipeline([
      ['DEBUG', 'CHANGE-REPL-ID'],
      ['CLIENT', 'KILL', 'TYPE', 'replica'],
    ]);
    return (await this.sourcePosition()).replid;
  }

  endpointOf(side: 'source' | 'target'): Endpoint {
    return side === 'source' ? this.toSource.endpoint : this.toTarget.endpoint;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.onSource.close();
    await this.toSource[Symbol.asyncDispose]();
    await this.toTarget[Symbol.asyncDispose]();
    await this.source.stop();
    await this.target.stop();
  }

  async #seed(): Promise<void> {
    const { keys, seed } = this.#options;
    await using connection = await Connection.open(this.source.endpoint);
    await seedLargeValues(connection, seed);
    for (const database of DATABASES) {
      const plan: DatasetPlan = {
        into: ['source'],
        database,
        keys: Math.ceil(keys / DATABASES.length),
        types: { string: 60, hash: 10, list: 10, set: 8, zset: 8, stream: 4 },
        prefix: 'seed:',
        ttl: { share: 0.2, betweenMs: [3_600_000, 86_400_000] },
        values: { median: 64, p99: 1024 },
        elements: { median: 8, p99: 64 },
        corners: database === 0,
      };
      await seedDataset(this.source.endpoint, plan, { seed: seed + database });
    }
  }
}
