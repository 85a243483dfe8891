/** Three instances in a ring write the same keys at once: in the end all three have the same, by the rule, and it is listed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Argument } from '../../../engine/connect/connection.ts';
import { ConflictDesks } from '../../../engine/link/conflict/conflict-desks.ts';
import {
  DEFAULT_EXPIRY_OPTIONS,
  type EngineOptions,
  type ReplicatorOptions,
} from '../../../engine/link/options.ts';
import { Random } from '../../../scenarios/data/random.ts';
import { Field, reaches, statusIn } from './field.ts';
import { ask, until, type Life } from './rehearsal.ts';
import { Process } from './replicator-life.ts';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];
const HOPS = [
  { from: 'a', to: 'b' },
  { from: 'b', to: 'c' },
  { from: 'c', to: 'a' },
] as const;

function optionsOf(
  field: Field<Name>,
  engine: Partial<EngineOptions>,
  listFile?: string,
): ReplicatorOptions[] {
  const circle = { members: NAMES, ...(listFile === undefined ? {} : { listFile }) };
  return HOPS.map(({ from, to }) => {
    const origins = { source: from, target: to };
    const closing = to === 'a' ? { incrementalOnly: true } : {};
    return field.options(from, [{ name: to, origins, circle, ...closing }], {
      heartbeatMs: 20,
      conflict: 'last-write-wins',
      ...engine,
    });
  });
}

class Ring {
  readonly field: Field<Name>;
  readonly listFile: string;
  readonly lives: Life[] = [];

  constructor(field: Field<Name>) {
    this.field = field;
    this.listFile = join(field.folder, 'conflicts.ndjson');
  }

  static async open(field: Field<Name>, engine: Partial<EngineOptions> = {}): Promise<Ring> {
    const ring = new Ring(field);
    const desks = new ConflictDesks();
    for (const [at, options] of optionsOf(field, engine, ring.listFile).entries()) {
      const life = field.start(options, desks);
      ring.lives.push(life);
      await reaches(life, linkAt(at), 'Synchronizing');
    }
    return ring;
  }

  /** Until all have all, nothing is contested, and nothing more comes. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++)
      for (const [at, life] of this.lives.entries())
        await this.field.drained(life, HOPS[at]!.from, linkAt(at));
  }

  /** Holds all links, so that what is written meanwhile crosses. */
  async crossing(write: () => Promise<unknown>): Promise<void> {
    for (const [at, life] of this.lives.entries()) life.replicator.pause(linkAt(at));
    await write();
    for (const [at, life] of this.lives.entries()) life.replicator.resume(linkAt(at));
  }

  handled(what: string): number | undefined {
    return statusIn(this.lives[0]!, 'a-b').handled?.[what];
  }

  async listed(): Promise<Record<string, unknown>[]> {
    await Promise.all(this.lives.map((life) => life.stop()));
    const text = await readFile(this.listFile, 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }
}

function linkAt(at: number): string {
  const { from, to } = HOPS[at]!;
  return `${from}-${to}`;
}

async function differences(field: Field<Name>): Promise<string[]> {
  return [...(await field.differences('a', 'b')), ...(await field.differences('a', 'c'))];
}

/** Commands of every kind on a few keys. */
function anything(random: Random): Argument[][] {
  const key = (): string => `k${random.between(0, 9)}`;
  return [
    ['SET', key(), random.between(0, 1000), 'EX', 1000],
    ['SETRANGE', key(), 3, 'xyz'],
    ['DEL', key()],
    ['RPUSH', `list:${key()}`, random.between(0, 9)],
    ['LPOP', `list:${key()}`],
    ['HSET', `hash:${key()}`, `f${random.between(0, 3)}`, random.between(0, 9)],
    ['HINCRBY', `hash:${key()}`, 'n', 1],
    ['ZADD', `zset:${key()}`, random.between(0, 9), 'm'],
    ['PERSIST', key()],
    ['RENAME', `list:${key()}`, `list:${key()}`],
    ['SUNIONSTORE', `set:${key()}`, `set:${key()}`, `set:${key()}`],
    ['SADD', `set:${key()}`, random.between(0, 9)],
    ['MULTI'],
    ['SET', key(), 'in a transaction'],
    ['SELECT', 2],
    ['INCR', 'other'],
    ['EXPIRE', 'other', random.between(100, 999)],
    ['SELECT', 0],
    ['EXEC'],
  ];
}

describe('conflicts in a ring of three', () => {
  it('last-write-wins: the newest write is everywhere, whoever made it, and all values are listed', async () => {
    await using field = await Field.open(NAMES);
    const ring = await Ring.open(field);
    await field.at.a.call('SET', 'deleted', 'old');
    await ring.settle();
    // One key per order of the three: every side is once the last, and once the one before.
    const orders = [
      ['a', 'b', 'c'],
      ['b', 'c', 'a'],
      ['c', 'a', 'b'],
      ['c', 'b', 'a'],
      ['a', 'c', 'b'],
    ] as const;
    await ring.crossing(async () => {
      for (let turn = 0; turn < 3; turn++) {
        for (const order of orders) await field.at[order[turn]!].call('SET', order.join(''), order[turn]!);
        if (turn === 1) await field.at.b.call('APPEND', 'deleted', 'and changed');
        if (turn === 2) await field.at.c.call('DEL', 'deleted');
        // The heartbeats pass: the times are known to be apart.
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    });
    await ring.settle();
    expect(await differences(field)).toEqual([]);
    for (const order of orders) expect(await ask(field.at.a, 'GET', order.join(''))).toBe(order[2]);
    expect(await ask(field.at.b, 'EXISTS', 'deleted')).toBe('0');
    const list = await ring.listed();
    expect(list.find(({ key }) => key === '"cab"')).toMatchObject({
      winner: 'b',
      rule: 'last-write-wins',
      undecidable: expect.any(Boolean),
      converged: true,
      sides: NAMES.map((side) => ({ side, value: expect.any(String), writtenAt: expect.any(String) })),
    });
    expect(list).toHaveLength(6);
    expect(ring.lives[0]!.findings('CONFLICT').at(-1)).toMatchObject({ severity: 'warning' });
  });

  it('source-priority: of those that wrote the one named first wins', async () => {
    await using field = await Field.open(NAMES);
    const ring = await Ring.open(field, { conflict: 'source-priority' });
    await ring.crossing(async () => {
      for (const name of NAMES) await field.at[name].call('SET', 'all', name);
      for (const name of ['c', 'b'] as const) await field.at[name].call('SET', 'two', name);
    });
    await ring.settle();
    expect(await differences(field)).toEqual([]);
    expect([await ask(field.at.c, 'GET', 'all'), await ask(field.at.c, 'GET', 'two')]).toEqual(['a', 'b']);
  });

  it('what commutes passes, and is no conflict; writes in turn are none either', async () => {
    await using field = await Field.open(NAMES);
    const ring = await Ring.open(field);
    // At the beginning a side may take for unknown what another one has told of: until its marks have come round.
    for (let round = 0; round < 4; round++) {
      for (const name of NAMES) await field.at[name].call('SET', `warm:${name}`, round);
      await ring.settle();
    }
    await ring.crossing(() =>
      Promise.all(
        NAMES.map((name) =>
          field.at[name].pipeline([
            ['INCRBY', 'counter', 5],
            ['SADD', 'set', name],
            ['HINCRBY', 'hash', 'field', 7],
            ['PFADD', 'visitors', name],
          ]),
        ),
      ),
    );
    await ring.settle();
    for (const name of NAMES) {
      await field.at[name].call('APPEND', 'k', name);
      await ring.settle();
    }
    expect(await differences(field)).toEqual([]);
    expect(await ask(field.at.c, 'GET', 'counter')).toBe('15');
    expect(await ask(field.at.a, 'GET', 'k')).toBe('abc');
    expect(ring.handled('conflicts')).toBeUndefined();
  });

  it.each([
    ['far', 10_000],
    ['near, and so written later for a time', 2_000_000],
  ])(
    'whatever all sides do to a few keys of every type, all end up the same; deadlines are %s',
    async (_how, guardMs) => {
      await using field = await Field.open(NAMES);
      const ring = await Ring.open(field, {
        envelopeCommands: 25,
        expiry: { ...DEFAULT_EXPIRY_OPTIONS, guardMs },
      });
      const random = new Random(17, 'ring');
      await Promise.all(
        NAMES.map(async (name) => {
          for (let round = 0; round < 30; round++) {
            await field.at[name].pipeline(Array.from({ length: 5 }, () => anything(random)).flat());
            await new Promise((resolve) => setImmediate(resolve));
          }
        }),
      );
      await ring.settle();
      expect(await differences(field)).toEqual([]);
      expect(ring.handled('conflicts')).toBeGreaterThan(100);
      expect(ring.lives.flatMap((life) => life.findings('LOOP_ECHO'))).toEqual([]);
      expect((await ring.listed()).every(({ converged }) => converged === true)).toBe(true);
    },
  );

  it.each([3, 8])('the process is killed in the middle (seed %i): all end up the same', async (seed) => {
    await using field = await Field.open(NAMES, { 'repl-backlog-size': '64mb' });
    const [first, ...others] = optionsOf(field, { envelopeCommands: 40 });
    const random = new Random(seed, 'killed');
    const write = async (at: Name, signal: AbortSignal): Promise<void> => {
      for (let round = 0; !signal.aborted; round++) {
        await field.at[at].pipeline(anything(random));
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    };
    for (let life = 0; life < 2; life++) {
      await using all = new Process(first!);
      await until('a-b', () => all.says('sync-finished') === 1);
      for (const [index, options] of others.entries()) {
        all.send({ kind: 'start', options });
        await until(options.links[0]!.id, () => all.says('sync-finished') === index + 2);
      }
      const writing = new AbortController();
      const written = Promise.all(NAMES.map((name) => write(name, writing.signal)));
      await until('conflicts', () => (all.status?.handled?.['conflicts'] ?? 0) > 50);
      if (life < 1) await all.kill();
      writing.abort();
      await written;
      if (life < 1) continue;
      await until('the same', async () => {
        for (const { links } of [first!, ...others]) all.send({ kind: 'settle', link: links[0]!.id });
        return (await differences(field)).length === 0 && all.status?.deferred === 0;
      });
      expect(all.says('link-failed')).toBe(0);
    }
  });
});
