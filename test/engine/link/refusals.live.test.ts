/** A target that refuses: what passes is waited for and nothing is lost; what does not is named. */
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';
import { startServer } from '../../support/server.ts';
import { ask, type Life, LINK, Rehearsal, until } from './rehearsal.ts';

/** A state that refuses writes, and how it ends, as commands for the target. */
const PASSING: Record<string, { refuse: string[]; heal: string[] }> = {
  OOM: { refuse: ['CONFIG', 'SET', 'maxmemory', '1'], heal: ['CONFIG', 'SET', 'maxmemory', '0'] },
  // Its new primary does not exist: it keeps its data, and refuses writes.
  READONLY: { refuse: ['REPLICAOF', '127.0.0.1', '1'], heal: ['REPLICAOF', 'NO', 'ONE'] },
  NOREPLICAS: {
    refuse: ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
    heal: ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
  },
  NOPERM: { refuse: ['ACL', 'SETUSER', 'default', '-incr'], heal: ['ACL', 'SETUSER', 'default', '+@all'] },
};

/** Writes before, in and behind a state that refuses. */
async function writeThrough(
  rehearsal: Rehearsal,
  word: string,
  refuse: () => Promise<unknown>,
  heal: () => Promise<unknown>,
): Promise<Life> {
  const { source } = rehearsal;
  const life = rehearsal.start();
  await life.reaches('Synchronizing');
  await source.pipeline([
    ['INCR', 'n'],
    ['RPUSH', 'l', 'a'],
  ]);
  await rehearsal.drained(life);
  await refuse();
  await source.pipeline([
    ['INCR', 'n'],
    ['RPUSH', 'l', 'b'],
    ['SET', 'big', 'v'.repeat(100)],
  ]);
  await until(`${word} makes it wait`, () =>
    life.of('link-state').some(({ to, cause }) => to === 'Retrying' && cause.includes(word)),
  );
  await source.pipeline([
    ['INCR', 'n'],
    ['RPUSH', 'l', 'c'],
  ]);
  await heal();
  await rehearsal.drained(life);
  await life.reaches('Synchronizing');
  return life;
}

describe('a target that refuses for a while', () => {
  for (const [word, { refuse, heal }] of Object.entries(PASSING)) {
    it(`${word}: waits, and loses nothing`, async () => {
      await using rehearsal = await Rehearsal.open();
      const { target } = rehearsal;
      const life = await writeThrough(
        rehearsal,
        word,
        () => target.call(...refuse),
        () => target.call(...heal),
      );
      expect(await rehearsal.differences()).toEqual([]);
      expect(life.failure).toBe(undefined);
      expect(life.findings('APPLY_ERROR')).toEqual([]);
    });
  }

  it('a replica that was our primary: an engine that starts meanwhile waits too', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const first = rehearsal.start();
    await first.reaches('Synchronizing');
    await source.call('INCR', 'n');
    await rehearsal.drained(first);
    await first.stop();
    // Its new primary does not exist: it keeps its data, and refuses writes.
    await target.call('REPLICAOF', '127.0.0.1', '1');
    await source.call('INCR', 'n');
    const second = rehearsal.start();
    await second.reaches('Retrying');
    await target.call('REPLICAOF', 'NO', 'ONE');
    await rehearsal.drained(second);
    expect(second.failure).toBe(undefined);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('a replica that we know nothing of: stops', async () => {
    await using rehearsal = await Rehearsal.open();
    await rehearsal.target.call('REPLICAOF', '127.0.0.1', '1');
    const life = rehearsal.start();
    await until('it gives up', () => life.failure !== undefined);
    expect(life.failure?.error).toMatchObject({ code: 'TARGET_NOT_WRITABLE' });
  });

  it('BUSY: waits for a script to end', async () => {
    await using rehearsal = await Rehearsal.open({ target: { 'busy-reply-threshold': '20' } });
    const { endpoint } = rehearsal.servers.target;
    await using script = await Connection.open(endpoint);
    await using killer = await Connection.open(endpoint);
    const block = async (): Promise<void> => {
      script.tryCall('EVAL', 'while true do end', 0).catch(() => undefined);
      await until(
        'the script blocks the target',
        async () => (await killer.tryCall('PING')) instanceof ReplyError,
      );
    };
    const life = await writeThrough(rehearsal, 'BUSY', block, () => killer.call('SCRIPT', 'KILL'));
    expect(await rehearsal.differences()).toEqual([]);
    expect(life.failure).toBe(undefined);
  });

  it('a target that stops answering, and comes back', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, servers } = rehearsal;
    // Long enough that a busy machine does not make the source look silent too.
    const life = rehearsal.start({ idleTimeoutMs: 2000, heartbeatMs: 50 });
    await life.reaches('Synchronizing');
    process.kill(servers.target.pid, 'SIGSTOP');
    await source.pipeline([
      ['INCR', 'n'],
      ['RPUSH', 'l', 'a'],
    ]);
    await life.reaches('Retrying');
    await source.pipeline([
      ['INCR', 'n'],
      ['RPUSH', 'l', 'b'],
    ]);
    process.kill(servers.target.pid, 'SIGCONT');
    await rehearsal.drained(life);
    await life.stop();
    expect(await rehearsal.differences()).toEqual([]);
    expect(life.syncs).toEqual(['full']);
  });

  it('a target that is not there yet is waited for from the first moment on', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, servers } = rehearsal;
    await source.call('SET', 'k', 'v');
    await servers.target.stop();
    const life = rehearsal.start();
    await life.reaches('Retrying');
    await using again = await startServer({
      port: String(servers.target.port),
      'enable-debug-command': 'yes',
    });
    await life.reaches('Synchronizing');
    await using connection = await Connection.open(again.endpoint);
    expect(await ask(connection, 'GET', 'k')).toBe('v');
  });

  it('OOM in the middle of the full sync: waits, and loses nothing', async () => {
    await using rehearsal = await Rehearsal.open({ target: { maxmemory: '3mb' } });
    const { source, target } = rehearsal;
    await source.pipeline(
      Array.from({ length: 3000 }, (_, index) => ['SET', `key:${index}`, `${index}`.repeat(200)]),
    );
    const life = rehearsal.start();
    await life.reaches('Retrying');
    expect(await ask(target, 'EXISTS', `redis-sync:link:${LINK}`)).toBe('0');
    await target.call('CONFIG', 'SET', 'maxmemory', 0);
    await life.reaches('Synchronizing');
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
  });
});

describe('a target that refuses for good', () => {
  it('a planted key of another type: named with its key, counted, and everything else goes on', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    await target.call('SET', 'planted', 'a string');
    await source.pipeline([
      ['INCR', 'before'],
      ['RPUSH', 'planted', 'a'],
      ['MULTI'],
      ['RPUSH', 'planted', 'b'],
      ['INCR', 'in the same transaction'],
      ['EXEC'],
      ['INCR', 'behind'],
    ]);
    await rehearsal.drained(life);
    expect(life.findings('APPLY_ERROR')).toMatchObject([
      {
        severity: 'error',
        message: expect.stringMatching(/RPUSH "planted": WRONGTYPE/),
        evidence: { command: 'RPUSH', key: Buffer.from('planted').toString('base64') },
      },
      { evidence: { command: 'RPUSH' } },
    ]);
    expect(life.status.errors).toEqual({ WRONGTYPE: 2 });
    expect(await rehearsal.differences()).toEqual([expect.stringMatching(/^0:planted: list .* ≠ string/)]);
  });

  it('a command that the target does not know: stops at it, and everything before it is there', async () => {
    await using rehearsal = await Rehearsal.open({ target: { 'rename-command': 'RPUSH ""' } });
    const { source, target } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    await source.call('INCR', 'before');
    await rehearsal.drained(life);
    await source.pipeline([['RPUSH', 'l', 'secret']]);
    const { error } = await life.fails();
    expect(error.message).not.toContain('secret');
    expect(error.code).toBe('POLICY');
    expect(error.message).toContain('RPUSH');
    expect(life.findings('UNSUPPORTED_COMMAND')).toMatchObject([
      { message: expect.stringContaining('RPUSH "l"') },
    ]);
    expect(await ask(target, 'GET', 'before')).toBe('1');
    expect(life.states.at(-1)).toBe('Failed');
  });

  it('a replica: refused at once, untouched', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target, servers } = rehearsal;
    await source.call('SET', 'k', 'v');
    await using primary = await startServer();
    await target.call('REPLICAOF', '127.0.0.1', primary.port);
    const { error } = await rehearsal.start().fails();
    expect(error).toMatchObject({ code: 'TARGET_NOT_WRITABLE', where: `127.0.0.1:${servers.target.port}` });
    expect(error.message).toContain(String(primary.port));
  });

  it('a wrong password: refused at once', async () => {
    await using rehearsal = await Rehearsal.open();
    const { target, servers } = rehearsal;
    await target.call('CONFIG', 'SET', 'requirepass', 'sesame');
    const { error } = await rehearsal
      .start({}, { target: { ...servers.target.endpoint, password: 'wrong' } })
      .fails();
    expect(error).toMatchObject({ code: 'AUTH' });
    expect(JSON.stringify(error)).not.toContain('wrong"');
  });

  it('an account without MULTI: stops, and says that part of it may be there', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target, servers } = rehearsal;
    await target.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '&*', '+@all');
    const life = rehearsal.start(
      {},
      { target: { ...servers.target.endpoint, username: 'app', password: 'pw' } },
    );
    await life.reaches('Synchronizing');
    await target.call('ACL', 'SETUSER', 'app', '-multi');
    await source.call('INCR', 'n');
    expect((await life.fails()).error).toMatchObject({
      code: 'APPLY_REFUSED',
      hint: expect.stringContaining('+multi'),
    });
  });

  it('reports a hundred refusals one by one, and the rest as a number', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    await target.call('SET', 'planted', 'a string');
    await source.pipeline(Array.from({ length: 1000 }, (_, index) => ['RPUSH', 'planted', index]));
    await rehearsal.drained(life);
    expect(life.findings('APPLY_ERROR')).toHaveLength(100);
    expect(life.status.errors).toEqual({ WRONGTYPE: 1000 });
  });
});
