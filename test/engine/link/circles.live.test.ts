/** Pairs, chains and rings of links: what is written anywhere is everywhere, once. */
import { describe, expect, it } from 'vitest';
import type { Argument, Connection } from '../../../engine/connect/connection.ts';
import { Field, reaches, statusIn } from './field.ts';
import { ask, until, type Life } from './rehearsal.ts';
import { Process } from './replicator-life.ts';

/** Counts what is applied twice or not at all: nothing here is written by two sides. */
function writes(who: string, round: number): Argument[][] {
  return [
    ['INCR', `${who}:counter`],
    ['RPUSH', `${who}:list`, round],
    ['INCR', 'shared:counter'],
    ['SADD', 'shared:set', `${who}${round}`],
    ['MULTI'],
    ['XADD', `${who}:stream`, '*', 'n', round],
    ['SELECT', 3],
    ['APPEND', `${who}:string`, `${round},`],
    ['SELECT', 0],
    ['EXEC'],
    ['SET', `${who}:${round % 5}`, round, 'PX', 600_000],
    ['DEL', `${who}:${(round + 2) % 5}`],
  ];
}

async function write(to: Connection, who: string, rounds: number): Promise<void> {
  await to.pipeline(Array.from({ length: rounds }, (_, round) => writes(who, round)).flat());
}

interface Hop<Name extends string> {
  from: Name;
  to: Name;
  life: Life;
}

/** Drains link after link, until none has anything left: one may bring work for the next. */
async function settle<Name extends string>(field: Field<Name>, hops: readonly Hop<Name>[]): Promise<void> {
  for (let turn = 0; turn < hops.length; turn++)
    for (const { from, to, life } of hops) await field.drained(life, from, `${from}-${to}`);
}

function between<Name extends string>(
  field: Field<Name>,
  from: NoInfer<Name>,
  to: NoInfer<Name>,
  more: Record<string, unknown> = {},
): Hop<Name> {
  const origins = { source: from, target: to };
  return {
    from,
    to,
    life: field.start(field.options(from, [{ name: to, origins, ...more }], { envelopeCommands: 30 })),
  };
}

const REVERSE = { incrementalOnly: true };

function echoes<Name extends string>(hops: readonly Hop<Name>[]): unknown[] {
  return hops.flatMap(({ life }) => [...life.findings('LOOP_ECHO'), ...life.of('link-failed')]);
}

describe('circles of links', () => {
  it('a pair: each side has everything once, the reverse begins without a copy, nothing comes back', async () => {
    await using field = await Field.open(['a', 'b']);
    await write(field.at.a, 'old', 30);
    const forward = between(field, 'a', 'b');
    await reaches(forward.life, 'a-b', 'Synchronizing');
    const reverse = between(field, 'b', 'a', REVERSE);
    await reaches(reverse.life, 'b-a', 'Synchronizing');
    await Promise.all([write(field.at.a, 'a', 300), write(field.at.b, 'b', 200)]);
    await settle(field, [forward, reverse]);
    expect(await field.differences('a', 'b')).toEqual([]);
    expect(await ask(field.at.a, 'GET', 'shared:counter')).toBe('530');
    expect(await ask(field.at.b, 'LLEN', 'b:list')).toBe('200');
    expect(reverse.life.findings('SNAPSHOT_DISCARDED')).toMatchObject([{ evidence: { keys: 9 } }]);
    expect(echoes([forward, reverse])).toEqual([]);
    expect(statusIn(reverse.life, 'b-a').dropped['own origin']).toBeGreaterThan(300);
    // Quiet: what was applied does not set the other side in motion for ever.
    const before = [await field.offset('a'), await field.offset('b')];
    await settle(field, [forward, reverse]);
    expect([await field.offset('a'), await field.offset('b')]).toEqual(before);
  });

  it('writes to keys that the other side owns are found, with their keys; those that links apply are none', async () => {
    await using field = await Field.open(['a', 'b']);
    const forward = between(field, 'a', 'b', { foreignKeys: [{ owner: 'b', patterns: ['b:*'] }] });
    await reaches(forward.life, 'a-b', 'Synchronizing');
    const reverse = between(field, 'b', 'a', {
      ...REVERSE,
      foreignKeys: [{ owner: 'a', patterns: ['a:*'] }],
    });
    await reaches(reverse.life, 'b-a', 'Synchronizing');
    await field.at.a.call('SET', 'a:fine', '1');
    await field.at.b.pipeline([
      ['SET', 'b:fine', '1'],
      ['MSET', 'nobody:x', '1', 'a:taken', '2'],
    ]);
    await settle(field, [forward, reverse]);
    expect(forward.life.findings('FOREIGN_WRITE')).toEqual([]);
    expect(reverse.life.findings('FOREIGN_WRITE')).toMatchObject([
      {
        evidence: { owner: 'a', pattern: 'a:*', count: 1, samples: [{ command: 'MSET', key: '"a:taken"' }] },
      },
    ]);
    expect(await field.differences('a', 'b')).toEqual([]);
  });

  it('a second full sync of the forward link brings nothing back to its source', async () => {
    await using field = await Field.open(['a', 'b'], { 'proto-max-bulk-len': '512mb' });
    await field.at.a.pipeline([
      ['SET', 'plain', 'old'],
      ['SET', 'large', Buffer.alloc(3 << 20, 'x')],
      ['RPUSH', 'list', ...Array.from({ length: 9000 }, (_, index) => `${index}`.padEnd(400, '.'))],
      ['FUNCTION', 'LOAD', '#!lua name=lib\nredis.register_function("f", function() return 1 end)'],
    ]);
    const forward = between(field, 'a', 'b');
    await reaches(forward.life, 'a-b', 'Synchronizing');
    const reverse = between(field, 'b', 'a', REVERSE);
    await reaches(reverse.life, 'b-a', 'Synchronizing');
    await settle(field, [forward, reverse]);
    const before = statusIn(reverse.life, 'b-a').stream.commands;
    await field.at.a.call('DEBUG', 'CHANGE-REPL-ID');
    await field.at.a.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await until('copied again', () => statusIn(forward.life, 'a-b').fullResyncs === 2);
    await write(field.at.b, 'b', 3);
    await settle(field, [forward, reverse]);
    expect(await field.differences('a', 'b')).toEqual([]);
    expect(statusIn(reverse.life, 'b-a').stream.commands - before).toBeLessThan(60);
    expect(echoes([forward, reverse])).toEqual([]);
  });

  it('a chain of pairs: what is written at one end or in the middle reaches the others once', async () => {
    await using field = await Field.open(['a', 'b', 'c']);
    const down = between(field, 'a', 'b');
    await reaches(down.life, 'a-b', 'Synchronizing');
    const up = field.start(
      field.options(
        'b',
        [
          { name: 'c', origins: { source: 'b', target: 'c' } },
          { name: 'a', origins: { source: 'b', target: 'a' }, ...REVERSE },
        ],
        { envelopeCommands: 30 },
      ),
    );
    await reaches(up, 'b-c', 'Synchronizing');
    await reaches(up, 'b-a', 'Synchronizing');
    const back = between(field, 'c', 'b', REVERSE);
    await reaches(back.life, 'c-b', 'Synchronizing');
    const names = ['a', 'b', 'c'] as const;
    await Promise.all(names.map((name) => write(field.at[name], name, 100)));
    const hops = [down, { from: 'b', to: 'c', life: up }, { from: 'b', to: 'a', life: up }, back] as const;
    await settle(field, hops);
    expect(await field.differences('a', 'b')).toEqual([]);
    expect(await field.differences('b', 'c')).toEqual([]);
    expect(await ask(field.at.a, 'GET', 'shared:counter')).toBe('300');
    expect(echoes(hops)).toEqual([]);
  });

  it('a ring of three', async () => {
    await using field = await Field.open(['a', 'b', 'c']);
    await write(field.at.a, 'old', 10);
    const hops: Hop<'a' | 'b' | 'c'>[] = [between(field, 'a', 'b')];
    await reaches(hops[0]!.life, 'a-b', 'Synchronizing');
    hops.push(between(field, 'b', 'c'));
    await reaches(hops[1]!.life, 'b-c', 'Synchronizing');
    hops.push(between(field, 'c', 'a', REVERSE));
    await reaches(hops[2]!.life, 'c-a', 'Synchronizing');
    const names = ['a', 'b', 'c'] as const;
    await Promise.all(names.map((name) => write(field.at[name], name, 100)));
    await settle(field, hops);
    expect(await field.differences('a', 'b')).toEqual([]);
    expect(await field.differences('a', 'c')).toEqual([]);
    expect(await ask(field.at.c, 'GET', 'shared:counter')).toBe('310');
    expect(echoes(hops)).toEqual([]);
  });

  it('both replicators of a pair are killed in the middle: nothing is lost, twice, or back', async () => {
    await using field = await Field.open(['a', 'b'], { 'repl-backlog-size': '64mb' });
    const engine = { envelopeCommands: 30 };
    const forth = field.options('a', [{ name: 'b', origins: { source: 'a', target: 'b' } }], engine);
    const back = field.options(
      'b',
      [{ name: 'a', origins: { source: 'b', target: 'a' }, ...REVERSE }],
      engine,
    );
    {
      await using forward = new Process(forth);
      await until('forward', () => forward.says('sync-finished') === 1);
      await using reverse = new Process(back);
      await until('reverse', () => reverse.says('sync-finished') === 1);
      const writing = Promise.all([write(field.at.a, 'a', 1500), write(field.at.b, 'b', 1500)]);
      await until('b has some of a', async () => (await ask(field.at.b, 'LLEN', 'a:list')) > '0');
      await Promise.all([forward.kill(), reverse.kill()]);
      await writing;
    }
    await using forward = new Process(forth);
    await using reverse = new Process(back);
    for (const name of ['a', 'b'] as const)
      await until(
        `${name} has all`,
        async () => (await ask(field.at[name], 'GET', 'shared:counter')) === '3000',
      );
    for (const [process, link] of [
      [forward, 'a-b'],
      [reverse, 'b-a'],
    ] as const) {
      process.send({ kind: 'settle', link });
      await until(`${link} has given its deadlines back`, () => process.status?.deferred === 0);
    }
    expect(await field.differences('a', 'b')).toEqual([]);
    expect([...forward.syncs, ...reverse.syncs]).toEqual(['partial', 'partial']);
    expect(forward.says('finding') + reverse.says('finding')).toBe(0);
  });
});
