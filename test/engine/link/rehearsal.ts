/**
 * A source, targets and a replicator between them, for live tests of the engine. Tells what happened, waits for what is
 * said to happen, and compares both sides completely.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection, type Argument } from '../../../engine/connect/connection.ts';
import type { Whereabouts } from '../../../engine/connect/discovery.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import type { ConflictDesks } from '../../../engine/link/conflict/conflict-desks.ts';
import type { FromReplicator, LinkState, LinkStatus } from '../../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../../../engine/link/options.ts';
import { Replicator } from '../../../engine/link/replicator.ts';
import { parseInfo, textOf } from '../../../engine/resp/reply-text.ts';
import { startServer, type TestServer } from '../../support/server.ts';

export const LINK = 'a->b';

type Message<Kind extends FromReplicator['kind']> = FromReplicator & { kind: Kind };

export interface RehearsalOptions {
  source?: Record<string, string>;
  target?: Record<string, string>;
}

/** Below the limit of a test, so that it is told what was waited for. A machine that is busy takes its time. */
const WAIT_LIMIT_MS = 45_000;

/** The answer to a command as text; an array's elements separated by spaces. */
export async function ask(connection: Connection, ...words: Argument[]): Promise<string> {
  return textOf(await connection.call(...words));
}

/** Looks again and again; the limit is only there to end a test that fails. `what` may say how things stand by then. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + WAIT_LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadlineMs)
      throw new Error(`waited in vain for: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Two servers with a connection to each, and a spool folder. */
export class Rehearsal implements AsyncDisposable {
  readonly servers: { source: TestServer; target: TestServer };
  readonly source: Connection;
  readonly target: Connection;
  readonly folder: string;
  readonly #lives: Life[] = [];

  private constructor(
    servers: { source: TestServer; target: TestServer },
    source: Connection,
    target: Connection,
    folder: string,
  ) {
    this.servers = servers;
    this.source = source;
    this.target = target;
    this.folder = folder;
  }

  static async open(options: RehearsalOptions = {}): Promise<Rehearsal> {
    const base = { 'enable-debug-command': 'yes' };
    const [source, target] = await Promise.all([
      startServer({ ...base, ...options.source }),
      startServer({ ...base, ...options.target }),
    ]);
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-link-'));
    const onSource = await Connection.open(source.endpoint, { name: 'test' });
    const onTarget = await Connection.open(target.endpoint, { name: 'test' });
    return new Rehearsal({ source, target }, onSource, onTarget, folder);
  }

  /**
   * Starts a replicator in this process. Off by default, to keep the streams of tests empty of it: the heartbeat; and the
   * watch, whose connection to the target is none of a link's.
   */
  start(
    engine: Partial<EngineOptions> = {},
    endpoints: { source?: Endpoint; target?: Whereabouts } = {},
  ): Life {
    const life = new Life({
      source: endpoints.source ?? this.servers.source.endpoint,
      links: [{ id: LINK, target: endpoints.target ?? this.servers.target.endpoint }],
      engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 0, watchMs: 0, ...engine },
      spoolFolder: this.spoolFolder,
    });
    this.#lives.push(life);
    return life;
  }

  get spoolFolder(): string {
    return join(this.folder, 'spool');
  }

  /** Files of the spool folder; it does not exist when nothing is spilled. */
  async spooled(): Promise<string[]> {
    return readdir(this.spoolFolder).catch(() => []);
  }

  /** The source's own offset: everything written up to now. */
  async sourceOffset(source: Connection = this.source): Promise<bigint> {
    return BigInt(parseInfo(await source.call('INFO', 'replication'))['master_repl_offset'] ?? -1);
  }

  /** Waits until the link has applied everything that the source has written up to now, expiries included. */
  async drained(life: Life, source: Connection = this.source): Promise<void> {
    const offset = await this.sourceOffset(source);
    await until(
      () => `offset ${offset} applied: ${life.describe()}`,
      () => {
        if (life.failure) throw new Error(`the link failed: ${life.failure.error.message}`);
        if (BigInt(life.status.appliedOffset) < offset) return false;
        life.replicator.settle(LINK);
        return life.status.deferred === 0;
      },
    );
  }

  /** What differs between the two sides, in any database, the engine's own keys aside. */
  async differences(source: Connection = this.source): Promise<string[]> {
    const [left, right] = [await fingerprint(source), await fingerprint(this.target)];
    const keys = new Set([...left.keys(), ...right.keys()]);
    return [...keys]
      .filter((key) => left.get(key) !== right.get(key))
      .map((key) => `${key}: ${left.get(key)} ≠ ${right.get(key)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lives.map((life) => life.abort()));
    await this.source.close();
    await this.target.close();
    await Promise.all([this.servers.source.stop(), this.servers.target.stop()]);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One life of a replicator. */
export class Life {
  readonly messages: FromReplicator[] = [];
  readonly replicator: Replicator;
  readonly ended: Promise<void>;

  constructor(options: ConstructorParameters<typeof Replicator>[0], desks?: ConflictDesks) {
    this.replicator = new Replicator(options, (message) => this.messages.push(message), desks);
    this.ended = this.replicator.run();
  }

  get status(): LinkStatus {
    const [status] = this.replicator.status();
    if (status === undefined) throw new Error('no link');
    return status;
  }

  of<Kind extends FromReplicator['kind']>(kind: Kind): Message<Kind>[] {
    return this.messages.filter((message): message is Message<Kind> => message.kind === kind);
  }

  /** The states the link went through. */
  get states(): LinkState[] {
    return this.of('link-state').map(({ to }) => to);
  }

  get failure(): Message<'link-failed'> | undefined {
    return this.of('link-failed')[0];
  }

  /** Findings with this code. */
  findings(code: string): Message<'finding'>[] {
    return this.of('finding').filter((finding) => finding.code === code);
  }

  /** Modes of the synchronizations begun, in order. */
  get syncs(): string[] {
    return this.of('sync-started').map(({ mode }) => mode);
  }

  async reaches(...states: LinkState[]): Promise<void> {
    await until(
      () => `state ${states.join(' or ')}: ${this.describe()}`,
      () => states.includes(this.status.state),
    );
  }

  async fails(): Promise<Message<'link-failed'>> {
    await this.ended;
    if (this.failure === undefined) throw new Error(`the link did not fail: ${this.describe()}`);
    return this.failure;
  }

  async stop(): Promise<void> {
    this.replicator.stop();
    await this.ended;
  }

  async abort(): Promise<void> {
    this.replicator.abort();
    await this.ended;
  }

  describe(): string {
    const { state, appliedOffset, receivedOffset } = this.status;
    return `${state} ${appliedOffset}/${receivedOffset} ${JSON.stringify(this.of('link-state').at(-1)?.cause)}`;
  }
}

/** `db:key` → type, digest of the value, expiry; and the function libraries. Not our own keys. */
export async function fingerprint(connection: Connection): Promise<Map<string, string>> {
  const print = new Map<string, string>();
  const keyspace = parseInfo(await connection.call('INFO', 'keyspace'));
  for (const database of Object.keys(keyspace).flatMap((name) => /^db(\d+)$/.exec(name)?.[1] ?? [])) {
    await connection.call('SELECT', database);
    const reply = await connection.call('KEYS', '*');
    const keys = (Array.isArray(reply) ? reply : []).filter((key) => Buffer.isBuffer(key));
    const data = keys.filter((key) => !/^(redis-sync:|DTS_)/.test(key.toString('latin1')));
    const lines = await connection.pipeline(
      data.flatMap((key) => [
        ['TYPE', key],
        ['DEBUG', 'DIGEST-VALUE', key],
        ['PEXPIRETIME', key],
      ]),
    );
    data.forEach((key, index) => {
      const facts = lines.slice(3 * index, 3 * index + 3).map(textOf);
      print.set(`${database}:${key.toString('latin1')}`, facts.join(' '));
    });
  }
  await connection.call('SELECT', 0);
  print.set('functions', textOf(await connection.tryCall('FUNCTION', 'LIST', 'WITHCODE')));
  return print;
}
