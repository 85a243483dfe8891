/** The replicator process is killed at random instants and started again: nothing is lost and nothing applied twice. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../engine/connect/connection.ts';
import type { FromReplicator, LinkStatus, ToReplicator } from '../../../engine/link/messages.ts';
import {
  DEFAULT_ENGINE_OPTIONS,
  type EngineOptions,
  type ReplicatorOptions,
} from '../../../engine/link/options.ts';
import { Random } from '../../../scenarios/data/random.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { ask, LINK, Rehearsal, until } from './rehearsal.ts';

const PROGRAM = resolve('test/engine/link/programs/replicator.ts');

/** One process. */
class Process implements AsyncDisposable {
  readonly messages: FromReplicator[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  constructor(options: ReplicatorOptions) {
    this.#child = fork(resolve('test/support/run-typescript.mjs'), [PROGRAM], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#gone = once(this.#child, 'exit');
    this.#child.on('message', (message: FromReplicator) => {
      if (message.kind === 'ready') this.send({ kind: 'start', options });
      this.messages.push(message);
    });
  }

  send(message: ToReplicator): void {
    this.#child.send(message);
  }

  get status(): LinkStatus | undefined {
    return this.messages.findLast((message) => message.kind === 'status')?.links[0];
  }

  says(kind: FromReplicator['kind']): number {
    return this.messages.filter((message) => message.kind === kind).length;
  }

  /** Modes of the synchronizations begun. */
  get syncs(): string[] {
    return this.messages.flatMap((message) => (message.kind === 'sync-started' ? [message.mode] : []));
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  /** As when the parent dies. */
  async abandon(): Promise<void> {
    this.#child.disconnect();
    await this.#gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function optionsFor(rehearsal: Rehearsal, engine: Partial<EngineOptions> = {}): ReplicatorOptions {
  return {
    source: rehearsal.servers.source.endpoint,
    links: [{ id: LINK, target: rehearsal.servers.target.endpoint }],
    engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 20, envelopeCommands: 40, ...engine },
    spoolFolder: rehearsal.spoolFolder,
  };
}

async function writeUntil(source: Connection, signal: AbortSignal): Promise<number> {
  let round = 0;
  for (; !signal.aborted; round++) {
    await source.pipeline([
      ['INCR', 'counter'],
      ['RPUSH', 'list', round],
      ['SELECT', 12],
      ['APPEND', 'string', `${round},`],
      ['MULTI'],
      ['XADD', 'stream', '*', 'n', round],
      ['SELECT', 0],
      ['HINCRBY', 'hash', 'field', 1],
      ['EXEC'],
    ]);
    if (round % 20 === 0) await new Promise((resolveTurn) => setImmediate(resolveTurn));
  }
  return round;
}

describe('a replicator process that is killed', () => {
  it('applies everything exactly once, over full sync and stream', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'repl-backlog-size': '64mb' } });
    const { source, target } = rehearsal;
    const random = new Random(7, 'crash');
    await source.pipeline(
      Array.from({ length: 3000 }, (_, index) => ['RPUSH', `old:${index}`, index, random.bytes(200)]),
    );
    const controller = new AbortController();
    const writing = writeUntil(source, controller.signal);
    const syncs: string[] = [];
    for (let life = 0; life < 4; life++) {
      await using engine = new Process(optionsFor(rehearsal));
      // The first two in their full sync, or right behind it; the others anywhere in the stream.
      const wanted = life < 2 ? 'sync-started' : 'sync-finished';
      await until(`life ${life}: ${wanted}`, () => engine.says(wanted) > 0 || engine.says('link-failed') > 0);
      await new Promise((resolveLater) => setTimeout(resolveLater, random.between(0, life < 2 ? 40 : 200)));
      await engine.kill();
      expect(engine.says('link-failed')).toBe(0);
      syncs.push(...engine.syncs);
    }
    controller.abort();
    const rounds = await writing;
    await using last = new Process(optionsFor(rehearsal));
    const offset = await rehearsal.sourceOffset();
    await until('everything applied', () => BigInt(last.status?.appliedOffset ?? '-1') >= offset);
    expect(await ask(target, 'GET', 'counter')).toBe(String(rounds));
    expect(await ask(target, 'LLEN', 'list')).toBe(String(rounds));
    expect(await rehearsal.differences()).toEqual([]);
    // Once a full sync had come to its end, no other one was needed.
    expect([...syncs, ...last.syncs].join(' ')).toMatch(/^(full )+(partial ?)+$/);
  });

  it('leaves nothing behind: the next one removes its files, and its last bytes do no harm when they come late', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await using proxy = await CuttingProxy.start(rehearsal.servers.target.endpoint);
    const first = {
      ...optionsFor(rehearsal, { logMemoryBytes: 0, heartbeatMs: 0 }),
      links: [{ id: LINK, target: proxy.endpoint }],
    };
    await using killed = new Process(first);
    await until('in sync', () => killed.says('sync-finished') > 0);
    await source.pipeline([['INCR', 'counter']]);
    await until('one counted', async () => (await ask(target, 'GET', 'counter')) === '1');
    proxy.arm({ kind: 'late', afterBytes: 0, holdMs: 1200, lateMs: 400 });
    await source.pipeline([
      ['INCR', 'counter'],
      ['RPUSH', 'list', 'a'],
      ...Array.from({ length: 200 }, (_, index) => ['SET', `noise:${index}`, 'n'.repeat(1000)]),
    ]);
    await until('its segments are on disk', async () => (await rehearsal.spooled()).length > 0);
    await until('its bytes are held back', () => proxy.live === 0);
    await killed.kill();
    expect(await rehearsal.spooled()).not.toEqual([]);
    await using next = new Process(optionsFor(rehearsal));
    await until('the next one in sync', () => next.says('sync-finished') > 0);
    await until('caught up', async () => (await ask(target, 'GET', 'counter')) === '2');
    expect(await rehearsal.spooled()).toEqual([]);
    await until('the late bytes', () => proxy.counters.late === 1);
    expect(proxy.counters.lateBytes).toBeGreaterThan(100);
    await source.call('INCR', 'counter');
    await until('three', async () => (await ask(target, 'GET', 'counter')) === '3');
    expect(await ask(target, 'LRANGE', 'list', 0, -1)).toBe('a');
    expect(next.says('link-failed')).toBe(0);
  });

  it('ends by itself when its parent is gone, with everything received applied', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    await using engine = new Process(optionsFor(rehearsal, { heartbeatMs: 0 }));
    await until('in sync', () => engine.says('sync-finished') > 0);
    await source.pipeline(Array.from({ length: 1000 }, (_, index) => ['RPUSH', 'list', index]));
    const offset = await rehearsal.sourceOffset();
    await until('received', () => BigInt(engine.status?.receivedOffset ?? '-1') >= offset);
    await engine.abandon();
    expect(await rehearsal.differences()).toEqual([]);
    expect(await rehearsal.spooled()).toEqual([]);
  });
});
