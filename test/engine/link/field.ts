/** Several servers and replicators between them, for live tests of topologies: fan-out, pairs, chains, rings. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import type { ConflictDesks } from '../../../engine/link/conflict/conflict-desks.ts';
import type { LinkStatus } from '../../../engine/link/messages.ts';
import {
  DEFAULT_ENGINE_OPTIONS,
  type EngineOptions,
  type ReplicatorOptions,
} from '../../../engine/link/options.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { fingerprint, Life, until } from './rehearsal.ts';

export class Field<Name extends string> implements AsyncDisposable {
  readonly servers: Record<Name, TestServer>;
  /** A connection to each. */
  readonly at: Record<Name, Connection>;
  readonly folder: string;
  readonly #lives: Life[] = [];

  private constructor(servers: Record<Name, TestServer>, at: Record<Name, Connection>, folder: string) {
    this.servers = servers;
    this.at = at;
    this.folder = folder;
  }

  static async open<Name extends string>(
    names: readonly Name[],
    config: Record<string, string> = {},
  ): Promise<Field<Name>> {
    const directives = { 'enable-debug-command': 'yes', ...config };
    const started = await Promise.all(names.map(() => startServer(directives)));
    const connected = await Promise.all(
      started.map(({ endpoint }) => Connection.open(endpoint, { name: 'test' })),
    );
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-field-'));
    return new Field(byName(names, started), byName(names, connected), folder);
  }

  endpoint(name: Name): Endpoint {
    return this.servers[name].endpoint;
  }

  /** What a replicator of this source is told; a link is called `source-target`. */
  options(
    source: Name,
    targets: readonly (Name | ({ name: Name; endpoint?: Endpoint } & Record<string, unknown>))[],
    engine: Partial<EngineOptions> = {},
  ): ReplicatorOptions {
    const links = targets.map((target) => {
      const { name, ...more } = typeof target === 'string' ? { name: target } : target;
      return { id: `${source}-${name}`, target: this.endpoint(name), ...more };
    });
    return {
      source: this.endpoint(source),
      links,
      engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 0, ...engine },
      spoolFolder: join(this.folder, `spool-${source}-${this.#lives.length}`),
    };
  }

  /** @param desks shared by the directions of a pair. */
  start(options: ReplicatorOptions, desks?: ConflictDesks): Life {
    const life = new Life(options, desks);
    this.#lives.push(life);
    return life;
  }

  async offset(name: Name): Promise<bigint> {
    return BigInt(parseInfo(await this.at[name].call('INFO', 'replication'))['master_repl_offset'] ?? -1);
  }

  async info(name: Name, section: string): Promise<Record<string, string>> {
    return parseInfo(await this.at[name].call('INFO', section));
  }

  /** Waits until a link has applied everything that its source has written up to now. */
  async drained(life: Life, source: Name, link: string): Promise<void> {
    const offset = await this.offset(source);
    await until(`${link} has applied ${offset}`, () => {
      const failed = life.of('link-failed').find((message) => message.link === link);
      if (failed) throw new Error(`${link} failed: ${failed.error.message}`);
      if (BigInt(statusIn(life, link).appliedOffset) < offset) return false;
      life.replicator.settle(link);
      return statusIn(life, link).deferred === 0;
    });
  }

  /** What differs between two servers, in any database, the engine's own keys aside. */
  async differences(left: Name, right: Name): Promise<string[]> {
    const [a, b] = [await fingerprint(this.at[left]), await fingerprint(this.at[right])];
    const keys = new Set([...a.keys(), ...b.keys()]);
    return [...keys]
      .filter((key) => a.get(key) !== b.get(key))
      .map((key) => `${key}: ${a.get(key)} ≠ ${b.get(key)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lives.map((life) => life.abort()));
    await Promise.all(Object.values<Connection>(this.at).map((connection) => connection.close()));
    await Promise.all(Object.values<TestServer>(this.servers).map((server) => server.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function statusIn(life: Life, link: string): LinkStatus {
  const status = life.replicator.status().find((each) => each.link === link);
  if (status === undefined) throw new Error(`no link ${link}`);
  return status;
}

/** Waits for a state of one link of several. */
export async function reaches(life: Life, link: string, state: LinkStatus['state']): Promise<void> {
  await until(`${link} is ${state}`, () => statusIn(life, link).state === state);
}

function byName<Name extends string, Value>(
  names: readonly Name[],
  values: readonly Value[],
): Record<Name, Value> {
  const table: Partial<Record<Name, Value>> = {};
  names.forEach((name, index) => (table[name] = values[index]!));
  if (!hasAll(table, names)) throw new Error('not one value per name');
  return table;
}

function hasAll<Name extends string, Value>(
  table: Partial<Record<Name, Value>>,
  names: readonly Name[],
): table is Record<Name, Value> {
  return names.every((name) => table[name] !== undefined);
}
