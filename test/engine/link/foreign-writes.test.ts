/** Whose a write is, in every form in which a target's stream shows it. */
import { describe, expect, it } from 'vitest';
import { clusterSlot, SLOTS } from '../../../engine/keys/cluster-slot.ts';
import { ForeignWrites, type DeletionCounts } from '../../../engine/link/foreign-writes.ts';

const LINK = 'redis-sync:link:a->b';
const ENVELOPE = [
  ['MULTI'],
  ['SELECT', '0'],
  ['HSET', LINK, 'replid', 'x'],
  ['SELECT', '3'],
  ['SET', 'ours', '1'],
  ['DEL', 'ours too'],
  ['FLUSHDB'],
  ['EXEC'],
];

class Bench {
  readonly foreign: string[] = [];
  readonly deletions: number[] = [];
  readonly #writes: ForeignWrites;
  #offset = 0n;
  #counts: DeletionCounts = {
    runId: 'one',
    offset: 0n,
    expiredKeys: 0,
    evictedKeys: 0,
    expiredFields: undefined,
  };

  constructor() {
    this.#writes = new ForeignWrites({
      heartbeatPrefix: 'DTS_',
      onForeign: ({ command, key, database }) =>
        this.foreign.push(`${command} ${key.toString()} db${database}`),
      onForeignDeletions: (count) => this.deletions.push(count),
    });
    this.#writes.settle(this.#counts);
  }

  take(...commands: string[][]): this {
    for (const command of commands) {
      this.#offset += 10n;
      const words = command.slice(0, 3).map((word) => Buffer.from(word));
      this.#writes.take({ words, argc: command.length, end: 0 }, this.#offset);
    }
    return this;
  }

  /** The target counts, at the end of what was taken (or before its last `back` commands). */
  settle(change: Partial<DeletionCounts> = {}, back = 0): this {
    this.#counts = { ...this.#counts, offset: this.#offset - 10n * BigInt(back), ...change };
    this.#writes.settle(this.#counts);
    return this;
  }

  forget(): this {
    this.#writes.forget();
    return this;
  }

  reserve(until: bigint): this {
    this.#writes.reserve(until);
    return this;
  }

  loading(link: string): this {
    this.#writes.loading(link);
    return this;
  }
}

/** Of the slots of these keys, whether they are the shard's and stand still. */
function slots(steady: Record<string, boolean>): Uint8Array {
  const all = new Uint8Array(SLOTS);
  for (const [key, isSteady] of Object.entries(steady)) all[clusterSlot(Buffer.from(key))] = isSteady ? 1 : 0;
  return all;
}

/** A shard that looks after two slots, and gets one. */
function here(): Bench {
  return new Bench().settle({ steady: slots({ stays: true, goes: true, comes: false }) });
}

describe('ours, or nobody’s', () => {
  const NEUTRAL: Record<string, string[][]> = {
    'an envelope': ENVELOPE,
    'an envelope of another link': [
      ['MULTI'],
      ['HSET', 'redis-sync:link:c->b', 'replid', 'x'],
      ['SET', 'k', '1'],
      ['EXEC'],
    ],
    'the checkpoint alone, without MULTI': [['HSET', LINK, 'replid', 'x']],
    'fence, owner, probes': [
      ['INCR', 'redis-sync:fence:a->b'],
      ['SET', 'redis-sync:owner:a->b', 'x'],
      ['RESTORE', 'redis-sync:probe', '0', 'x'],
      ['DEL', 'redis-sync:probe'],
    ],
    'heartbeats of links that start there': [
      ['SET', 'DTS_x', '1', 'PXAT', '2'],
      ['DEL', 'DTS_x'],
    ],
    'protocol and messages': [
      ['PING'],
      ['SELECT', '4'],
      ['REPLCONF', 'GETACK', '*'],
      ['publish', 'c', 'm'],
      ['SCRIPT', 'LOAD', 'x'],
    ],
    'a cache that a reader made it write': [['PFCOUNT', 'hll']],
  };
  for (const [name, commands] of Object.entries(NEUTRAL)) {
    it(`are not foreign: ${name}`, () => {
      expect(new Bench().take(...commands).settle().foreign).toEqual([]);
    });
  }

  it('everything while a link copies its snapshot, and nothing behind that', () => {
    const bench = new Bench().take(
      ['MULTI'],
      ['DEL', LINK],
      ['HSET', 'redis-sync:loading:a->b', 'replid', 'x'],
      ['EXEC'],
      ['RESTORE', 'k', '0', 'x'],
      ['UNLINK', 'stale', 'stale2'],
      ['MULTI'],
      ['DEL', 'redis-sync:loading:a->b'],
      ['HSET', LINK, 'replid', 'x'],
      ['EXEC'],
    );
    expect(bench.foreign).toEqual([]);
    expect(bench.take(['RESTORE', 'k', '0', 'x']).foreign).toEqual(['RESTORE k dbundefined']);
  });

  it('everything of a full sync that runs when we begin, until its checkpoint', () => {
    const bench = new Bench()
      .loading('other')
      .take(['RESTORE', 'k', '0', 'x'], ...ENVELOPE, ['RESTORE', 'l', '0', 'x']);
    expect(bench.foreign).toEqual([]);
    expect(
      bench.take(['HSET', 'redis-sync:link:other', 'replid', 'x'], ['SET', 'k', '1']).foreign,
    ).toHaveLength(1);
  });
});

describe('on a shard of a cluster', () => {
  it('deletions of a slot that has left, and keys of one that comes, are those of the move', () => {
    const bench = here()
      .take(['DEL', 'goes', '{goes}2', '{goes}3'], ['DEL', 'goes'], ['RESTORE-ASKING', 'comes', '0', 'x'])
      .settle({ steady: slots({ stays: true, goes: false, comes: true }) });
    expect([bench.foreign, bench.deletions]).toEqual([[], []]);
  });

  it('so are those of a slot that was away in between, and has brought a key of ours', () => {
    const there = { steady: slots({ stays: true, goes: true, comes: false }) };
    const bench = here()
      .take(['DEL', '{goes}1', '{goes}2'], ['RESTORE-ASKING', 'redis-sync:link:a->b:{goes}', '0', 'x'])
      .take(['RESTORE-ASKING', '{goes}1', '0', 'x'])
      .settle(there);
    expect(bench.foreign).toEqual([]);
    expect(bench.take(['DEL', '{goes}1', '{goes}2']).settle(there).foreign).toEqual(['DEL {goes}1 db0']);
  });

  it('deletions in a slot that stays are foreign, of several keys too, and keys that come there', () => {
    const bench = here()
      .take(['DEL', 'stays', '{stays}2'], ['UNLINK', 'stays'], ['RESTORE-ASKING', 'stays', '0', 'x'])
      .settle();
    expect(bench.foreign).toEqual(['DEL stays db0', 'RESTORE-ASKING stays db0', 'UNLINK stays db0']);
  });

  it('writes to a slot that is not the shard’s are those of an atomic migration, as long as one goes on', () => {
    const bench = here().take(
      ['CLUSTER', 'SYNCSLOTS', 'ESTABLISH', 'x'],
      ['SET', 'comes', '1'],
      ['SET', 'stays', '1'],
      ['CLUSTER', 'SYNCSLOTS', 'FINISH', 'x'],
      ['SET', '{comes}2', '1'],
    );
    expect(bench.foreign).toEqual(['SET stays db0', 'SET {comes}2 db0']);
  });

  it('what a link says is its own, until it says that this ends, or writes a checkpoint', () => {
    const begins = ['HSET', 'redis-sync:loading:a->b:{stays}', 'begins', '1'];
    const write = ['PEXPIREAT', 'stays', '1'];
    const bench = here().take(begins, write, ['HSET', 'redis-sync:loading:a->b:{goes}', 'ends', '1']);
    expect(bench.foreign).toEqual([]);
    expect(bench.take(write).foreign).toHaveLength(1);
    expect(
      bench.take(begins, ['HSET', 'redis-sync:link:a->b:{goes}', 'offset', '1'], write).foreign,
    ).toHaveLength(2);
  });
});

it('what a link has ended since we began may all be the link’s, if nobody knew of it before', () => {
  const bench = new Bench().reserve(100n);
  bench.take(
    ['PEXPIREAT', 'ours', '1'],
    ['UNLINK', 'ours'],
    ['HSET', 'redis-sync:loading:a->b:{x}', 'ends', '1'],
  );
  bench.take(['SET', 'theirs', '1']);
  expect(bench.foreign).toEqual([]);
  // By now whoever had begun before has ended, or is known.
  expect(bench.settle({}, -20).foreign).toEqual(['SET theirs dbundefined']);
});

describe('foreign', () => {
  it('a command, with its key and database', () => {
    expect(new Bench().take(['SELECT', '12'], ['set', 'k', '1'], ...ENVELOPE, ['INCR', 'n']).foreign).toEqual(
      ['SET k db12', 'INCR n db3'],
    );
  });

  it('a transaction of somebody else, every command of it', () => {
    expect(
      new Bench().take(['MULTI'], ['SET', 'a', '1'], ['HSET', LINK, 'x', 'y'], ['SET', 'b', '1'], ['EXEC'])
        .foreign,
    ).toEqual(['SET a dbundefined', 'SET b dbundefined']);
  });

  it('a flush, and a deletion of several keys at once', () => {
    expect(new Bench().take(['FLUSHALL'], ['DEL', 'a', 'b']).foreign).toEqual([
      'FLUSHALL  dbundefined',
      'DEL a dbundefined',
    ]);
  });
});

describe('a single deletion', () => {
  it('is foreign when the target has neither expired nor evicted a key', () => {
    expect(new Bench().take(['SELECT', '0'], ['DEL', 'k'], ['UNLINK', 'l']).settle().foreign).toEqual([
      'DEL k db0',
      'UNLINK l db0',
    ]);
  });

  it('is the target’s own when it counts as many', () => {
    const bench = new Bench()
      .take(['DEL', 'k'], ['UNLINK', 'l'], ['DEL', 'm'])
      .settle({ expiredKeys: 2, evictedKeys: 1 });
    expect([bench.foreign, bench.deletions]).toEqual([[], []]);
  });

  it('is foreign in number when there are more than it counts', () => {
    const bench = new Bench().take(['DEL', 'k'], ['DEL', 'l'], ['DEL', 'm']).settle({ expiredKeys: 1 });
    expect([bench.foreign, bench.deletions]).toEqual([[], [2]]);
  });

  it('is judged by the count that covers it, not by an earlier one', () => {
    const bench = new Bench().take(['DEL', 'expired'], ['DEL', 'later']).settle({ expiredKeys: 1 }, 1);
    expect([bench.foreign, bench.deletions]).toEqual([[], []]);
    bench.settle({ expiredKeys: 2 });
    expect(bench.foreign).toEqual([]);
    expect(bench.take(['DEL', 'theirs']).settle().foreign).toEqual(['DEL theirs dbundefined']);
  });

  it('is not judged by a count that is older than the last one', () => {
    const bench = new Bench().take(['DEL', 'k']).settle({ expiredKeys: 1 });
    bench.settle({ expiredKeys: 0 }, 1);
    expect(bench.take(['DEL', 'l']).settle({ expiredKeys: 1 }).foreign).toEqual(['DEL l dbundefined']);
  });

  it('is left alone when the counts began anew: the server was restarted, or is another one', () => {
    const bench = new Bench()
      .settle({ expiredKeys: 100 })
      .take(['DEL', 'k'])
      .settle({ runId: 'two', expiredKeys: 0 });
    expect(bench.foreign).toEqual([]);
    expect(bench.take(['DEL', 'l']).settle().foreign).toEqual(['DEL l dbundefined']);
  });

  it('is left alone when the stream had a gap', () => {
    const bench = new Bench().take(['DEL', 'k']).forget().settle();
    expect(bench.foreign).toEqual([]);
  });

  it('is counted when there are too many to name', () => {
    const bench = new Bench()
      .take(...Array.from({ length: 1500 }, (_, index) => ['DEL', `k${index}`]))
      .settle();
    expect([bench.foreign.length, bench.deletions]).toEqual([0, [1500]]);
  });

  it('of a field is foreign unless fields have expired', () => {
    expect(new Bench().take(['HDEL', 'h', 'f']).settle().foreign).toEqual(['HDEL h dbundefined']);
    expect(new Bench().take(['HDEL', 'h', 'f']).settle({ expiredKeys: 1 }).foreign).toEqual([
      'HDEL h dbundefined',
    ]);
    expect(new Bench().take(['HDEL', 'h', 'f']).settle({ expiredFields: 1 }).foreign).toEqual([]);
  });
});
