/** Two groups of a Codis cluster into one target, a replicator for each in this process, and keys that move between them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '../../../../engine/connect/connection.ts';
import type { FromReplicator, LinkStatus } from '../../../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../../../engine/link/options.ts';
import { Replicator } from '../../../../engine/link/replicator.ts';
import type { Argument } from '../../../../engine/resp/encode.ts';
import { contentsOf } from '../../../support/cluster.ts';
import { infoOf } from '../../../support/replication.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';

interface Running {
  replicator: Replicator;
  ended: Promise<void>;
}

/** Links `group-0` and `group-1`; group 0 has the lower half of the slots at first. */
export class GroupLinks implements AsyncDisposable {
  readonly messages: FromReplicator[] = [];
  readonly groups: readonly TestServer[];
  readonly target: TestServer;
  readonly #folder: string;
  readonly #clients: readonly Connection[];
  readonly #running: (Running | undefined)[] = [undefined, undefined];
  #starts = 0;

  private constructor(folder: string, servers: TestServer[], clients: Connection[]) {
    const [first, second, target] = servers;
    if (first === undefined || second === undefined || target === undefined) throw new Error('three servers');
    this.#folder = folder;
    this.groups = [first, second];
    this.target = target;
    this.#clients = clients;
  }

  /** The servers only. */
  static async open(): Promise<GroupLinks> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-groups-'));
    const servers = await Promise.all([startServer(), startServer(), startServer()]);
    const clients = await Promise.all(servers.map(({ endpoint }) => Connection.open(endpoint)));
    return new GroupLinks(folder, servers, clients);
  }

  /** A command at a group, in a database. @throws what it is answered with. */
  async at(group: number, database: number, ...words: Argument[]): Promise<void> {
    await this.#client(group).call('SELECT', database);
    await this.#client(group).call(...words);
  }

  /** As a rebalance does: the key is at one group or the other, never at both. */
  async move(key: string, database: number, from: number): Promise<void> {
    const to = this.groups[1 - from];
    await this.at(from, database, 'MIGRATE', '127.0.0.1', to?.port ?? 0, key, database, 5000);
  }

  /** @param lateMs see GroupOptions. */
  start(group: number, lateMs?: number): void {
    const source = this.#server(group).endpoint;
    const peers = [{ link: `group-${1 - group}`, source: this.#server(1 - group).endpoint }];
    const slots: [number, number][] = group === 0 ? [[0, 511]] : [[512, 1023]];
    const replicator = new Replicator(
      {
        source,
        links: [
          {
            id: `group-${group}`,
            target: this.target.endpoint,
            group: { slots, peers, ...(lateMs === undefined ? {} : { lateMs }) },
          },
        ],
        engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 50, retryMs: 50_000 },
        spoolFolder: join(this.#folder, `spool-${group}-${this.#starts++}`),
      },
      (message) => this.messages.push(message),
    );
    this.#running[group] = { replicator, ended: replicator.run() };
  }

  /** As a process that dies: nothing is written any more. */
  async kill(group: number): Promise<void> {
    this.#running[group]?.replicator.abort();
    await this.#running[group]?.ended;
    this.#running[group] = undefined;
    // A process that dies says nothing; this one says that it was cut short.
    const last = this.messages.findIndex((m) => m.kind === 'link-failed' && m.link === `group-${group}`);
    if (last !== -1) this.messages.splice(last, 1);
  }

  pause(group: number): void {
    this.#running[group]?.replicator.pause(`group-${group}`);
  }

  resume(group: number): void {
    this.#running[group]?.replicator.resume(`group-${group}`);
  }

  status(group: number): LinkStatus {
    const [status] = this.#running[group]?.replicator.status() ?? [];
    if (status === undefined) throw new Error(`group ${group} has no link`);
    return status;
  }

  async synchronized(): Promise<void> {
    await until(() => Promise.resolve([0, 1].every((group) => this.#isState(group, 'Synchronizing'))));
  }

  /** What the group has written by now is on the target. */
  async applied(group: number): Promise<void> {
    const wanted = await this.#offset(group);
    await until(() => {
      this.#refuseFailure();
      return Promise.resolve(BigInt(this.status(group).appliedOffset) >= wanted);
    });
  }

  /** Everything is applied and right. */
  async drained(): Promise<void> {
    for (const group of [0, 1]) await this.applied(group);
    await until(() => {
      this.#refuseFailure();
      return Promise.resolve([0, 1].every((group) => this.status(group).deferred === 0));
    });
  }

  /** Of all databases used: what differs between the groups together and the target. */
  async differences(databases: readonly number[]): Promise<string[]> {
    const wrong: string[] = [];
    for (const database of databases) {
      const [first, second, target] = await Promise.all([0, 1, 2].map((at) => this.#contents(at, database)));
      if (first === undefined || second === undefined || target === undefined) throw new Error('contents');
      for (const key of new Set([...first.keys(), ...second.keys(), ...target.keys()])) {
        const wanted = first.get(key) ?? second.get(key);
        if (first.has(key) && second.has(key)) wrong.push(`${key} is in both groups`);
        if (wanted !== target.get(key)) wrong.push(`db ${database} ${key}: ${wanted} / ${target.get(key)}`);
      }
    }
    return wrong.slice(0, 20);
  }

  /** Keys that the healers have written. */
  get putRight(): number {
    return [0, 1].reduce(
      (sum, group) => sum + (this.status(group).handled?.['moved keys put right'] ?? 0),
      0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill(0);
    await this.kill(1);
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all([...this.groups, this.target].map((server) => server.stop()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #client(at: number): Connection {
    const client = this.#clients[at];
    if (client === undefined) throw new Error(`no server ${at}`);
    return client;
  }

  #server(group: number): TestServer {
    const server = this.groups[group];
    if (server === undefined) throw new Error(`no group ${group}`);
    return server;
  }

  async #contents(at: number, database: number): Promise<Map<string, string>> {
    await this.#client(at).call('SELECT', database);
    return contentsOf(this.#client(at));
  }

  async #offset(group: number): Promise<bigint> {
    const info = await infoOf(this.#server(group).endpoint, 'replication');
    return BigInt(info['master_repl_offset'] ?? -1);
  }

  #isState(group: number, state: string): boolean {
    this.#refuseFailure();
    return this.status(group).state === state;
  }

  #refuseFailure(): void {
    const failed = this.messages.find(
      (message) => message.kind === 'link-failed' && message.error.code !== 'ABORTED',
    );
    if (failed?.kind === 'link-failed') throw new Error(`${failed.link} failed: ${failed.error.message}`);
  }
}
