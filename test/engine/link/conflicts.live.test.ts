/** Both sides of a pair write the same keys at once: in the end both have the same, by the pair's rule, and it is listed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConflictDesks } from '../../../engine/link/conflict/conflict-desks.ts';
import { DEFAULT_EXPIRY_OPTIONS, type EngineOptions } from '../../../engine/link/options.ts';
import { Random } from '../../../scenarios/data/random.ts';
import { Field, reaches, statusIn } from './field.ts';
import { ask, until, type Life } from './rehearsal.ts';
import { Process } from './replicator-life.ts';

interface Pair {
  field: Field<'a' | 'b'>;
  forward: Life;
  reverse: Life;
  listFile: string;
}

async function openPair(field: Field<'a' | 'b'>, engine: Partial<EngineOptions>): Promise<Pair> {
  const desks = new ConflictDesks();
  const listFile = join(field.folder, 'conflicts.ndjson');
  const circle = { members: ['a', 'b'], listFile };
  const settings = { heartbeatMs: 20, conflict: 'last-write-wins', ...engine } as const;
  const forth = { name: 'b', origins: { source: 'a', target: 'b' }, circle } as const;
  const back = { name: 'a', origins: { source: 'b', target: 'a' }, circle, incrementalOnly: true } as const;
  const forward = field.start(field.options('a', [forth], settings), desks);
  await reaches(forward, 'a-b', 'Synchronizing');
  const reverse = field.start(field.options('b', [back], settings), desks);
  await reaches(reverse, 'b-a', 'Synchronizing');
  return { field, forward, reverse, listFile };
}

/** Until both have all, nothing is contested, and nothing more comes. */
async function settle({ field, forward, reverse }: Pair): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await field.drained(forward, 'a', 'a-b');
    await field.drained(reverse, 'b', 'b-a');
  }
}

/** Holds both directions, so that what is written meanwhile crosses. */
async function crossing({ forward, reverse }: Pair, write: () => Promise<unknown>): Promise<void> {
  forward.replicator.pause('a-b');
  reverse.replicator.pause('b-a');
  await write();
  forward.replicator.resume('a-b');
  reverse.replicator.resume('b-a');
}

function handled({ forward }: Pair, what: string): number | undefined {
  return statusIn(forward, 'a-b').handled?.[what];
}

async function listed(pair: Pair): Promise<Record<string, unknown>[]> {
  await Promise.all([pair.forward.stop(), pair.reverse.stop()]);
  const text = await readFile(pair.listFile, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

describe('conflicts of a pair', () => {
  it('last-write-wins: the newer write is on both sides, a newer delete too, and both values are listed', async () => {
    await using field = await Field.open(['a', 'b']);
    const pair = await openPair(field, {});
    const { a, b } = field.at;
    await a.call('SET', 'deleted-later', 'old');
    await settle(pair);
    await crossing(pair, async () => {
      await a.call('SET', 'plain', 'from a');
      await b.pipeline([
        ['SET', 'late', 'from b'],
        ['SET', 'deleted-later', 'changed'],
      ]);
      // The heartbeats pass: the times are known to be apart.
      await new Promise((resolve) => setTimeout(resolve, 200));
      await b.call('SET', 'plain', 'from b');
      await a.pipeline([
        ['RPUSH', 'late', 'from a'],
        ['DEL', 'deleted-later'],
      ]);
    });
    await settle(pair);
    expect(await field.differences('a', 'b')).toEqual([]);
    expect(await ask(a, 'GET', 'plain')).toBe('from b');
    expect(await ask(a, 'EXISTS', 'deleted-later')).toBe('0');
    expect(handled(pair, 'conflicts')).toBe(3);
    const list = await listed(pair);
    expect(list.find(({ key }) => key === '"plain"')).toMatchObject({
      conflicts: 1,
      winner: 'b',
      rule: 'last-write-wins',
      undecidable: false,
      copied: true,
      converged: true,
      sides: [
        { side: 'a', value: '"from b"', writtenAt: expect.any(String) },
        { side: 'b', value: '"from a"', writtenAt: expect.any(String) },
      ],
    });
    expect(list).toHaveLength(3);
    expect(pair.forward.findings('CONFLICT').at(-1)).toMatchObject({ severity: 'warning' });
  });

  it.each([
    ['waits for it and says nothing when it comes back', true],
    ['says so in the end when it does not', false],
  ])('without the right to copy a value it %s', async (_what, comesBack) => {
    await using field = await Field.open(['a', 'b']);
    const pair = await openPair(field, { conflict: 'source-priority' });
    const servers = [field.at.a, field.at.b];
    for (const server of servers) await server.call('ACL', 'SETUSER', 'default', '-eval');
    await crossing(pair, async () => {
      await field.at.a.call('SET', 'k', 'from a');
      await field.at.b.call('SET', 'k', 'from b');
    });
    const denied = async (): Promise<string> =>
      (await Promise.all(servers.map((server) => ask(server, 'ACL', 'LOG')))).join();
    await until('a refusal', async () => (await denied()).includes('eval'));
    for (const server of servers)
      await server.call('ACL', 'SETUSER', 'default', comesBack ? '+eval' : '+ping');
    if (comesBack) await settle(pair);
    const differing = await field.differences('a', 'b');
    expect(differing).toHaveLength(comesBack ? 0 : 1);
    await Promise.all([pair.forward.stop(), pair.reverse.stop()]);
    const said = [...pair.forward.findings('CONFLICT'), ...pair.reverse.findings('CONFLICT')].filter(
      ({ message }) => message.startsWith('Conflicts cannot be resolved'),
    );
    expect(said).toHaveLength(comesBack ? 0 : 1);
  });

  it('source-priority: the named side wins, whenever it wrote', async () => {
    await using field = await Field.open(['a', 'b']);
    const pair = await openPair(field, { conflict: 'source-priority' });
    await crossing(pair, async () => {
      await field.at.a.call('SET', 'k', 'from a');
      await field.at.b.call('SET', 'k', 'from b');
    });
    await settle(pair);
    expect([await ask(field.at.a, 'GET', 'k'), await ask(field.at.b, 'GET', 'k')]).toEqual([
      'from a',
      'from a',
    ]);
  });

  it('overwrite: crossing writes are exchanged and stay different, which is said; what commutes converges', async () => {
    await using field = await Field.open(['a', 'b']);
    const pair = await openPair(field, { conflict: 'overwrite' });
    const { a, b } = field.at;
    await crossing(pair, async () => {
      for (const [at, who] of [
        [a, 'a'],
        [b, 'b'],
      ] as const)
        await at.pipeline([
          ['SET', 'k', who],
          ['INCRBY', 'counter', 5],
          ['SADD', 'set', who],
          ['HINCRBY', 'hash', 'field', 7],
          ['ZINCRBY', 'zset', 3, 'member'],
          ['PFADD', 'visitors', who],
        ]);
    });
    await settle(pair);
    expect([await ask(a, 'GET', 'k'), await ask(b, 'GET', 'k')]).toEqual(['b', 'a']);
    expect(await ask(a, 'GET', 'counter')).toBe('10');
    expect((await field.differences('a', 'b')).map((line) => line.split(' ')[0])).toEqual(['0:k:']);
    expect(handled(pair, 'conflicts')).toBe(1);
    expect(pair.forward.findings('CONFLICT')).toMatchObject([{ severity: 'error' }]);
  });

  it('a second full sync would leave older values and deleted keys: the link stops instead', async () => {
    await using field = await Field.open(['a', 'b']);
    const pair = await openPair(field, {});
    await field.at.a.call('DEBUG', 'CHANGE-REPL-ID');
    await field.at.a.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await until('the link stops', () => pair.forward.of('link-failed').length > 0);
    expect(pair.forward.of('link-failed')[0]?.error).toMatchObject({
      code: 'POLICY',
      message: expect.stringContaining('does not tell which of its values win'),
    });
  });

  it('writes in turn are no conflict', async () => {
    await using field = await Field.open(['a', 'b']);
    const pair = await openPair(field, {});
    for (let round = 0; round < 5; round++) {
      await field.at.a.call('SET', 'k', `a${round}`);
      await field.drained(pair.forward, 'a', 'a-b');
      await field.at.b.call('APPEND', 'k', `b${round}`);
      await field.drained(pair.reverse, 'b', 'b-a');
    }
    expect(await field.differences('a', 'b')).toEqual([]);
    expect(handled(pair, 'conflicts')).toBeUndefined();
  });

  it.each([
    ['far', 10_000],
    ['near, and so written later for a time', 2_000_000],
  ])(
    'whatever both sides do to a few keys of every type, both end up the same; deadlines are %s',
    async (_how, guardMs) => {
      await using field = await Field.open(['a', 'b']);
      const expiry = { ...DEFAULT_EXPIRY_OPTIONS, guardMs };
      const pair = await openPair(field, { envelopeCommands: 25, expiry });
      const random = new Random(11, 'conflicts');
      const key = (): string => `k${random.between(0, 9)}`;
      const commands = (): (string | number)[][] => [
        ['SET', key(), random.between(0, 1000), 'EX', 1000],
        ['SETRANGE', key(), 3, 'xyz'],
        ['DEL', key()],
        ['RPUSH', `list:${key()}`, random.between(0, 9)],
        ['LPOP', `list:${key()}`],
        ['HSET', `hash:${key()}`, `f${random.between(0, 3)}`, random.between(0, 9)],
        ['HDEL', `hash:${key()}`, `f${random.between(0, 3)}`],
        ['ZADD', `zset:${key()}`, random.between(0, 9), 'm'],
        ['PERSIST', key()],
        ['RENAME', `list:${key()}`, `list:${key()}`],
        ['MULTI'],
        ['SET', key(), 'in a transaction'],
        ['SELECT', 2],
        ['INCR', 'other'],
        ['EXPIRE', 'other', random.between(100, 999)],
        ['SELECT', 0],
        ['EXEC'],
      ];
      const work = async (at: 'a' | 'b'): Promise<void> => {
        for (let round = 0; round < 40; round++) {
          await field.at[at].pipeline(Array.from({ length: 5 }, commands).flat());
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await Promise.all([work('a'), work('b')]);
      await settle(pair);
      expect(await field.differences('a', 'b')).toEqual([]);
      expect(handled(pair, 'conflicts')).toBeGreaterThan(100);
      expect([...pair.forward.findings('LOOP_ECHO'), ...pair.reverse.findings('LOOP_ECHO')]).toEqual([]);
      expect((await listed(pair)).every(({ converged }) => converged === true)).toBe(true);
    },
  );

  it('the process of both directions is killed in the middle: both sides still end up the same', async () => {
    await using field = await Field.open(['a', 'b'], { 'repl-backlog-size': '64mb' });
    const engine = { heartbeatMs: 20, envelopeCommands: 20, conflict: 'last-write-wins' } as const;
    const circle = { members: ['a', 'b'] };
    const forth = field.options('a', [{ name: 'b', origins: { source: 'a', target: 'b' }, circle }], engine);
    const back = field.options(
      'b',
      [{ name: 'a', origins: { source: 'b', target: 'a' }, circle, incrementalOnly: true }],
      engine,
    );
    const random = new Random(5, 'killed');
    const write = async (at: 'a' | 'b', signal: AbortSignal): Promise<void> => {
      for (let round = 0; !signal.aborted; round++) {
        const key = `k${random.between(0, 300)}`;
        await field.at[at].pipeline([
          ['SET', key, `${at}${round}`],
          ['RPUSH', `list:${key}`, `${at}${round}`],
          ['DEL', `k${random.between(0, 300)}`],
        ]);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    for (let life = 0; life < 2; life++) {
      await using both = new Process(forth);
      await until('forward', () => both.says('sync-finished') === 1);
      both.send({ kind: 'start', options: back });
      await until('reverse', () => both.says('sync-finished') === 2);
      const writing = new AbortController();
      const written = Promise.all([write('a', writing.signal), write('b', writing.signal)]);
      await until('conflicts', () => (both.status?.handled?.['conflicts'] ?? 0) > 20);
      if (life < 1) await both.kill();
      writing.abort();
      await written;
      if (life < 1) continue;
      await until('the same', async () => (await field.differences('a', 'b')).length === 0);
      expect(both.says('link-failed')).toBe(0);
    }
  });
});
