/**
 * The process of a known-bad engine: `redis-sync bad-engine NAME`. It runs the real replicator as a child and stands between
 * it and the runner, and between it and its source.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../engine/connect/connection.ts';
import { describeEndpoint } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import type { FromReplicator, ToReplicator } from '../../engine/link/messages.ts';
import type { ReplicatorOptions } from '../../engine/link/options.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { LaneKind } from '../../reports/evidence.ts';
import { COMMAND_FILE } from '../run/command-file.ts';
import { confessingStream, confessingTell, type Confess } from './confession.ts';
import { plainEndpoint, type Misbehaviour } from './misbehaviour.ts';
import { startStreamProxy, type StreamProxy } from './stream-proxy.ts';

const NAME = 'bad-engine';
const LANE_ELEMENTS_MIN = 3;
const LOOK_MS = 30;

/** Resolves when the replicator has ended. @throws SyncError USAGE without a parent to talk to. */
export async function runBadEngine(misbehaviour: Misbehaviour, confess: Confess): Promise<void> {
  if (process.send === undefined)
    throw new SyncError('USAGE', 'A known-bad engine is started by redis-sync selftest, not by hand.');
  await new BadEngine(misbehaviour, confess).run();
}

class BadEngine {
  readonly #misbehaviour: Misbehaviour;
  readonly #confess: Confess;
  readonly #child: ChildProcess;
  readonly #tell: (message: FromReplicator) => FromReplicator[];
  readonly #ending = new AbortController();
  #options: ReplicatorOptions | undefined;
  #proxy: StreamProxy | undefined;
  #meddled: Promise<void> | undefined;

  constructor(misbehaviour: Misbehaviour, confess: Confess) {
    this.#misbehaviour = misbehaviour;
    this.#confess = confess;
    this.#tell = confessingTell(misbehaviour.tell?.() ?? ((message) => [message]), confess);
    this.#child = fork(COMMAND_FILE, ['replicator'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'json',
    });
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.on('message', (message: FromReplicator) => this.#onMessage(message));
    process.on('message', (message: ToReplicator) => void this.#obey(message));
    // The replicator notices by itself that nobody is there any more.
    process.on('disconnect', () => this.#child.disconnect());
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined);
    await ended;
    this.#ending.abort();
    await this.#meddled;
    await this.#proxy?.[Symbol.asyncDispose]();
    if (process.connected) process.disconnect();
  }

  #onMessage(message: FromReplicator): void {
    if (message.kind === 'link-state' && message.to === 'Synchronizing') this.#meddled ??= this.#meddle();
    if (!process.connected) return;
    for (const told of this.#tell(message)) process.send?.(told);
  }

  async #obey(message: ToReplicator): Promise<void> {
    if (message.kind === 'stop') this.#ending.abort();
    this.#child.send(
      message.kind === 'start' ? { ...message, options: await this.#begin(message.options) } : message,
    );
  }

  async #begin(given: ReplicatorOptions): Promise<ReplicatorOptions> {
    const { begin, stream } = this.#misbehaviour;
    this.#options = given;
    // It does not tell on itself.
    const options: ReplicatorOptions = { ...given, engine: { ...given.engine, foreignWrites: 'ignore' } };
    if (stream !== undefined) {
      const source = plainEndpoint(options.source);
      this.#proxy = await startStreamProxy(source, () => confessingStream(stream(), this.#confess));
      const { host, port } = this.#proxy;
      options.routes = { ...options.routes, [describeEndpoint(source)]: { host, port } };
    }
    if (begin !== undefined) this.#confess('began otherwise than told');
    return begin?.(options) ?? options;
  }

  async #meddle(): Promise<void> {
    const { meddle } = this.#misbehaviour;
    const [link] = this.#options?.links ?? [];
    if (meddle === undefined || this.#options === undefined || link === undefined) return;
    const { signal } = this.#ending;
    await using source = await Connection.open(plainEndpoint(this.#options.source), { name: NAME });
    await using target = await Connection.open(plainEndpoint(link.target), { name: NAME });
    await meddle({
      source,
      target,
      signal,
      confess: () => this.#confess('meddled with the servers'),
      pause: (ms) => sleep(ms, undefined, { signal }).catch(() => undefined),
      findLane: (kind) => findLane(kind, source, target, signal),
    });
  }
}

/** Waits for clients to have written a few elements. */
async function findLane(
  kind: LaneKind,
  source: Connection,
  target: Connection,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const databases = Object.keys(parseInfo(await source.call('INFO', 'keyspace')));
    for (const database of databases.map((name) => Number(name.slice(2)))) {
      await source.call('SELECT', database);
      await target.call('SELECT', database);
      const keys = await source.call('KEYS', `*:ledger:*:${kind}:*`);
      for (const key of Array.isArray(keys) ? keys.map(String) : [])
        if (await hasElements(source, kind, key)) return key;
    }
    await sleep(LOOK_MS);
  }
}

async function hasElements(source: Connection, kind: LaneKind, key: string): Promise<boolean> {
  const sizes: Partial<Record<LaneKind, string>> = {
    list: 'LLEN',
    set: 'SCARD',
    stream: 'XLEN',
    counter: 'GET',
  };
  const command = sizes[kind];
  return command !== undefined && Number(await source.call(command, key)) >= LANE_ELEMENTS_MIN;
}
