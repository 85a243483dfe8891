/** Pausing, stopping, policies, several targets: what an operator does to links, and what it must not cost. */
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Connection, type Argument } from '../../../engine/connect/connection.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../../engine/link/options.ts';
import { startServer } from '../../support/server.ts';
import { ask, Life, LINK, Rehearsal, until } from './rehearsal.ts';

const POSITION = ['HMGET', `redis-sync:link:${LINK}`, 'replid', 'offset', 'db'] as const;

function noise(megabytes: number): Argument[][] {
  return Array.from({ length: megabytes * 16 }, (_, index) => [
    'SET',
    `noise:${index}`,
    Buffer.alloc(64 * 1024, index),
  ]);
}

describe('pause and resume', () => {
  it('a paused link applies nothing, reads on, spills to disk, and the source never drops it', async () => {
    // A source that drops a replica which is 4 MB behind in reading.
    await using rehearsal = await Rehearsal.open({
      source: { 'client-output-buffer-limit': 'replica 4mb 4mb 1', 'repl-backlog-size': '1mb' },
    });
    const { source, target } = rehearsal;
    const life = rehearsal.start({ logMemoryBytes: 1024 * 1024 });
    await life.reaches('Synchronizing');
    life.replicator.pause(LINK);
    expect(life.status.state).toBe('Suspending');
    // 2 MB at a time, each read before the next: a busy machine must not look like a replica that does not read.
    for (let round = 0; round < 8; round++) {
      await source.pipeline([['INCR', 'round'], ...noise(2)]);
      const offset = await rehearsal.sourceOffset();
      await until('everything received', () => BigInt(life.status.receivedOffset) >= offset);
    }
    expect(life.status.log.diskBytes).toBeGreaterThan(8 * 1024 * 1024);
    expect(await rehearsal.spooled()).not.toEqual([]);
    expect(await ask(target, 'EXISTS', 'round')).toBe('0');
    life.replicator.resume(LINK);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
    expect(life.syncs).toEqual(['full']);
    expect(rehearsal.servers.source.log()).not.toContain('output buffer limits');
    await until('nothing left in the log', () => life.status.log.diskBytes === 0);
    await life.stop();
    expect(await rehearsal.spooled()).toEqual([]);
  });

  it('a paused link stays paused over a reconnect, and goes on where it was', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    life.replicator.pause(LINK);
    await source.pipeline([
      ['INCR', 'n'],
      ['CLIENT', 'KILL', 'TYPE', 'replica'],
      ['INCR', 'n'],
    ]);
    await until('reconnected', () => life.syncs.length === 2);
    await life.reaches('Suspending');
    life.replicator.resume(LINK);
    await rehearsal.drained(life);
    expect(life.status.state).toBe('Synchronizing');
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('a link whose source went away before its snapshot was applied is in sync when the source is there again', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    await source.call('SET', 'k', 'v');
    const life = rehearsal.start();
    life.replicator.pause(LINK);
    await until('snapshot received', async () =>
      /state=online/.test(await ask(source, 'INFO', 'replication')),
    );
    await source.pipeline([
      ['ACL', 'SETUSER', 'default', '-psync'],
      ['CLIENT', 'KILL', 'TYPE', 'replica'],
    ]);
    await until('the source is missed', () => life.status.waitingFor.source !== undefined);
    life.replicator.resume(LINK);
    await until('snapshot applied', () => life.status.snapshot.done);
    expect(life.status.state).toBe('Retrying');
    await source.call('ACL', 'SETUSER', 'default', '+psync');
    await life.reaches('Synchronizing');
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('a link that is paused at the very end of its full sync is in sync when it is resumed', async () => {
    await using rehearsal = await Rehearsal.open();
    await rehearsal.source.call('SET', 'k', 'v');
    const life = rehearsal.start();
    const hear = life.messages.push.bind(life.messages);
    life.messages.push = (...heard) => {
      if (heard.some(({ kind }) => kind === 'sync-finished')) life.replicator.pause(LINK);
      return hear(...heard);
    };
    await life.reaches('Suspending');
    life.replicator.resume(LINK);
    expect(life.status.state).toBe('Synchronizing');
    await rehearsal.source.call('INCR', 'n');
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('a paused link ends when the source is lost for good, instead of holding up the end', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = rehearsal.start({ retryMs: 100 });
    await life.reaches('Synchronizing');
    life.replicator.pause(LINK);
    await rehearsal.servers.source.stop();
    expect((await life.fails()).error).toMatchObject({ code: 'CONNECT' });
    expect(life.states.at(-1)).toBe('Failed');
  });

  it('a log that reaches its limit ends the link with a clear word, and the next start continues', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'repl-backlog-size': '64mb' } });
    const { source } = rehearsal;
    const life = rehearsal.start({ logMemoryBytes: 256 * 1024, logDiskBytes: 2 * 1024 * 1024 });
    await life.reaches('Synchronizing');
    life.replicator.pause(LINK);
    await source.pipeline([...noise(6), ['INCR', 'n']]);
    expect((await life.fails()).error).toMatchObject({
      code: 'LOG_FULL',
      hint: expect.stringContaining('engine.disk'),
    });
    expect(await rehearsal.spooled()).toEqual([]);
    const next = rehearsal.start();
    await next.reaches('Synchronizing');
    await rehearsal.drained(next);
    expect(next.syncs).toEqual(['partial']);
    expect(await rehearsal.differences()).toEqual([]);
  });
});

describe('stop', () => {
  const slow = { 'rdb-key-save-delay': '1000' };
  const keys = Array.from({ length: 2000 }, (_, index) => [
    'SET',
    `key:${index}`,
    Buffer.alloc(500, `${index}`),
  ]);

  it('in the middle of a full sync is never "Finished", and leaves no checkpoint', async () => {
    await using rehearsal = await Rehearsal.open({ source: slow });
    await rehearsal.source.pipeline(keys);
    for (const when of ['begun', 'half way'] as const) {
      const life = rehearsal.start();
      await until(
        when,
        () => life.status.snapshot.bytes > 0 && (when === 'begun' || life.status.snapshot.bytes > 10_000),
      );
      await life.stop();
      expect(life.states.at(-1)).toBe('InitializeFailed');
      expect(life.failure?.error.code).toBe('ABORTED');
      expect(await ask(rehearsal.target, 'EXISTS', `redis-sync:link:${LINK}`)).toBe('0');
    }
  });

  it('between two attempts of a full sync is not "Finished" either', async () => {
    await using rehearsal = await Rehearsal.open({ source: slow });
    await rehearsal.source.pipeline(keys);
    const life = rehearsal.start();
    await until('begun', () => life.status.snapshot.bytes > 0);
    await rehearsal.servers.source.stop();
    await life.reaches('Retrying');
    await life.stop();
    expect(life.states.at(-1)).toBe('InitializeFailed');
    expect(life.failure?.error.code).toBe('ABORTED');
  });

  it('before the source or the target was ever reached ends at once', async () => {
    await using rehearsal = await Rehearsal.open();
    await using silent = await startSilentServer();
    for (const endpoints of [
      { source: silent.endpoint },
      { target: silent.endpoint },
      { source: { host: '127.0.0.1', port: 1 } },
    ]) {
      const life = rehearsal.start({}, endpoints);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await life.stop();
      expect(life.failure?.error.code).toBe('ABORTED');
      expect(life.states.at(-1)).toBe('InitializeFailed');
    }
  });

  it('applies everything received before it ends', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    life.replicator.pause(LINK);
    await rehearsal.source.pipeline([...noise(4), ['SELECT', 12], ['INCR', 'n'], ['SELECT', 0]]);
    const offset = await rehearsal.sourceOffset();
    await until('received', () => BigInt(life.status.receivedOffset) >= offset);
    await life.stop();
    expect(life.states.at(-1)).toBe('Finished');
    expect(await rehearsal.differences()).toEqual([]);
    expect(await ask(rehearsal.target, ...POSITION)).toContain(` ${offset} 12`);
  });

  it('abort ends a link whose target is down, and the next start loses nothing', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, servers } = rehearsal;
    const life = rehearsal.start({ idleTimeoutMs: 60_000 });
    await life.reaches('Synchronizing');
    process.kill(servers.target.pid, 'SIGSTOP');
    await source.pipeline([
      ['INCR', 'n'],
      ['RPUSH', 'l', 'a'],
    ]);
    await until(
      'received',
      async () => BigInt(life.status.receivedOffset) >= (await rehearsal.sourceOffset()),
    );
    life.replicator.stop();
    await life.abort();
    process.kill(servers.target.pid, 'SIGCONT');
    expect(life.states).not.toContain('Finished');
    const next = rehearsal.start();
    await next.reaches('Synchronizing');
    await rehearsal.drained(next);
    expect(await rehearsal.differences()).toEqual([]);
  });
});

describe('FLUSHALL, FLUSHDB and SWAPDB of the source', () => {
  it('propagate: executed on the target, and the checkpoint survives in database 0', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.pipeline([
      ['SET', 'a', 1],
      ['SELECT', 12],
      ['SET', 'b', 1],
      ['SELECT', 0],
    ]);
    const life = rehearsal.start({ flush: 'propagate' });
    await life.reaches('Synchronizing');
    for (const flush of [['FLUSHDB'], ['FLUSHALL'], ['FLUSHALL', 'ASYNC']]) {
      await source.pipeline([
        ['SET', 'c', 1],
        ['SELECT', 12],
        ['SET', 'd', 1],
        flush,
        ['SET', 'e', 1],
        ['SELECT', 0],
      ]);
      await rehearsal.drained(life);
      expect(await rehearsal.differences()).toEqual([]);
      expect(await ask(target, ...POSITION)).toContain(life.status.appliedOffset);
    }
    expect(life.findings('FLUSH').map(({ severity }) => severity)).toEqual(['warning', 'warning', 'warning']);
    await life.stop();
    const next = rehearsal.start();
    await source.call('INCR', 'n');
    await next.reaches('Synchronizing');
    await rehearsal.drained(next);
    expect(next.syncs).toEqual(['partial']);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('ignore: the target keeps its data', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.call('SET', 'kept', 1);
    const life = rehearsal.start({ flush: 'ignore' });
    await life.reaches('Synchronizing');
    await source.pipeline([['FLUSHALL'], ['SET', 'new', 1]]);
    await rehearsal.drained(life);
    expect(await ask(target, 'MGET', 'kept', 'new')).toBe('1 1');
    expect(life.status.dropped).toEqual({ flushall: 1 });
    expect(life.findings('FLUSH')).toHaveLength(1);
  });

  it('fail: stops right before it; started again with another policy it begins with that very command', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.call('SET', 'kept', 1);
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    await source.pipeline([
      ['INCR', 'before'],
      ['SELECT', 12],
      ['INCR', 'before'],
      ['FLUSHDB'],
      ['INCR', 'behind'],
      ['SELECT', 0],
    ]);
    expect((await life.fails()).error).toMatchObject({
      code: 'POLICY',
      message: expect.stringContaining('FLUSHDB on the source (database 12'),
    });
    expect(life.states.at(-1)).toBe('Failed');
    expect(await ask(target, 'MGET', 'kept', 'before')).toBe('1 1');
    await target.call('SELECT', 12);
    expect(await ask(target, 'MGET', 'before', 'behind')).toBe('1 (nil)');
    await target.call('SELECT', 0);
    const next = rehearsal.start({ flush: 'propagate' });
    await next.reaches('Synchronizing');
    await rehearsal.drained(next);
    expect(next.syncs).toEqual(['partial']);
    expect(next.findings('FLUSH')).toHaveLength(1);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('SWAPDB: the data moves, the checkpoint stays in database 0, and nowhere else', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.pipeline([
      ['SET', 'zero', 1],
      ['SELECT', 3],
      ['SET', 'three', 1],
      ['SELECT', 0],
    ]);
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    await source.pipeline([
      ['SWAPDB', 0, 3],
      ['INCR', 'n'],
      ['SWAPDB', 3, 12],
      ['SWAPDB', 12, 0],
      ['SELECT', 5],
      ['SET', 'five', 1],
      ['SELECT', 0],
      ['MULTI'],
      ['SWAPDB', 5, 0],
      ['INCR', 'n'],
      ['SWAPDB', 0, 7],
      ['EXEC'],
    ]);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
    expect(await ask(target, ...POSITION)).toContain(life.status.appliedOffset);
    for (const database of [3, 5, 7, 12]) {
      await target.call('SELECT', database);
      expect(await ask(target, 'KEYS', 'redis-sync:link:*')).toBe('');
    }
    await target.call('SELECT', 0);
    await life.stop();
    const next = rehearsal.start();
    await next.reaches('Synchronizing');
    expect(next.syncs).toEqual(['partial']);
  });
});

describe('a failover of the source at the same address', () => {
  it('continues with the promoted replica under its new id, without a full sync', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, servers } = rehearsal;
    await using replica = await startServer({
      replicaof: `127.0.0.1 ${servers.source.port}`,
      'enable-debug-command': 'yes',
    });
    await using onReplica = await Connection.open(replica.endpoint);
    await using address = await startAddress(servers.source.port);
    await source.call('SET', 'k', 'v');
    await until('the replica follows', async () =>
      (await ask(onReplica, 'INFO', 'replication')).includes('master_link_status:up'),
    );
    const life = rehearsal.start({}, { source: address.endpoint });
    await life.reaches('Synchronizing');
    await source.pipeline([
      ['SELECT', 12],
      ['RPUSH', 'l', 'a'],
      ['SELECT', 0],
    ]);
    await rehearsal.drained(life);
    await until(
      'the replica has it all',
      async () => (await rehearsal.sourceOffset(onReplica)) === (await rehearsal.sourceOffset()),
    );
    const before = life.status.replid;
    await onReplica.call('REPLICAOF', 'NO', 'ONE');
    address.moveTo(replica.port);
    await servers.source.stop();
    await onReplica.pipeline([
      ['SELECT', 12],
      ['RPUSH', 'l', 'b'],
      ['SELECT', 0],
      ['INCR', 'n'],
    ]);
    await rehearsal.drained(life, onReplica);
    expect(await rehearsal.differences(onReplica)).toEqual([]);
    expect(life.syncs).toEqual(['full', 'partial']);
    expect(life.status.replid).not.toBe(before);
    expect(await ask(rehearsal.target, 'HGET', `redis-sync:link:${LINK}`, 'replid')).toBe(life.status.replid);
    await life.stop();
    const next = rehearsal.start({}, { source: address.endpoint });
    await next.reaches('Synchronizing');
    expect(next.syncs).toEqual(['partial']);
  });
});

describe('one source, several targets', () => {
  it('copies once for all, and resumes each where it is, though they are at different places', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target, servers } = rehearsal;
    await using second = await startServer({ 'enable-debug-command': 'yes' });
    await using onSecond = await Connection.open(second.endpoint);
    const start = (): Life =>
      new Life({
        source: servers.source.endpoint,
        links: [
          { id: 'one', target: servers.target.endpoint },
          { id: 'two', target: second.endpoint },
        ],
        engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 0 },
        spoolFolder: rehearsal.spoolFolder,
      });
    await source.call('RPUSH', 'l', 'a');
    const first = start();
    await until('both in sync', () =>
      first.replicator.status().every(({ state }) => state === 'Synchronizing'),
    );
    expect((await ask(source, 'INFO', 'stats')).match(/sync_full:(\d+)/)?.[1]).toBe('1');
    first.replicator.pause('two');
    await source.pipeline([
      ['SELECT', 12],
      ['RPUSH', 'l', 'b'],
      ['SELECT', 0],
      ['INCR', 'n'],
    ]);
    await until('the first has it', async () => (await ask(target, 'GET', 'n')) === '1');
    await first.abort();
    expect(await ask(onSecond, 'GET', 'n')).toBe('(nil)');
    await source.pipeline([
      ['SELECT', 12],
      ['RPUSH', 'l', 'c'],
      ['SELECT', 0],
      ['INCR', 'n'],
    ]);
    const next = start();
    const offset = await rehearsal.sourceOffset();
    await until('both have everything', () =>
      next.replicator.status().every(({ appliedOffset }) => BigInt(appliedOffset) >= offset),
    );
    expect(next.syncs).toEqual(['partial', 'partial']);
    expect(await rehearsal.differences()).toEqual([]);
    expect(await ask(onSecond, 'GET', 'n')).toBe('2');
    await onSecond.call('SELECT', 12);
    expect(await ask(onSecond, 'LRANGE', 'l', 0, -1)).toBe('b c');
    await next.stop();
  });

  it('a target that cannot be used fails alone', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, servers } = rehearsal;
    await using replica = await startServer({ replicaof: `127.0.0.1 ${servers.target.port}` });
    await source.call('SET', 'k', 'v');
    const life = new Life({
      source: servers.source.endpoint,
      links: [
        { id: 'bad', target: replica.endpoint },
        { id: LINK, target: servers.target.endpoint },
      ],
      engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 0 },
      spoolFolder: rehearsal.spoolFolder,
    });
    await until('the other one in sync', () => life.replicator.status()[1]?.state === 'Synchronizing');
    expect(life.replicator.status()[0]?.state).toBe('InitializeFailed');
    expect(life.of('link-failed')).toMatchObject([{ link: 'bad', error: { code: 'TARGET_NOT_WRITABLE' } }]);
    await life.stop();
    expect(await rehearsal.differences()).toEqual([]);
  });
});

interface Listening extends AsyncDisposable {
  endpoint: { host: string; port: number };
}

/** Accepts connections and says nothing. */
async function startSilentServer(): Promise<Listening> {
  return listen(() => undefined);
}

/** An address that leads to one loopback port, and later to another: what a virtual address does in a failover. */
async function startAddress(port: number): Promise<Listening & { moveTo: (port: number) => void }> {
  let to = port;
  const listening = await listen((socket) => {
    const upstream = connect(to, '127.0.0.1');
    socket.pipe(upstream).pipe(socket);
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  });
  return { ...listening, moveTo: (next) => (to = next) };
}

async function listen(onConnection: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    endpoint: { host: '127.0.0.1', port: address.port },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
