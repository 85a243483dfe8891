import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestValue } from '../../../../engine/compare/digest/value-digest.ts';
import type { Value } from '../../../../engine/rdb/value.ts';

function digest(value: Value): string {
  const lanes = new Int32Array(4);
  digestValue(value, lanes);
  return lanes.join();
}

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const distinct = fc.uniqueArray(bytes, {
  selector: (item) => item.toString('latin1'),
  minLength: 1,
  maxLength: 12,
});
const score = fc.double({ noNaN: true });

const set = (members: Buffer[]): Value => ({ type: 'set', members });
const list = (elements: Buffer[]): Value => ({ type: 'list', elements });
const zset = (members: Buffer[], scores: number[]): Value => ({
  type: 'zset',
  members: members.map((member, index) => ({ member, score: scores[index] ?? 0 })),
});
const hash = (pairs: [Buffer, Buffer][]): Value => ({
  type: 'hash',
  fields: pairs.map(([field, value]) => ({ field, value, expireAtMs: -1 })),
});

/** Values that occur together are joined with where they come from, then put in another order. */
function shuffled<T>(items: readonly T[], order: number): T[] {
  return items
    .map((item, index) => ({ item, rank: Math.imul(index + 1, order | 1) >>> 0 }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

describe('order does not matter', () => {
  test('in a set', () => {
    fc.assert(
      fc.property(distinct, fc.integer(), (members, order) => {
        expect(digest(set(shuffled(members, order)))).toBe(digest(set(members)));
      }),
    );
  });

  test('in a hash and a zset', () => {
    fc.assert(
      fc.property(distinct, fc.array(score), fc.integer(), (members, scores, order) => {
        const pairs = members.map((field): [Buffer, Buffer] => [
          field,
          Buffer.concat([field, Buffer.from('!')]),
        ]);
        expect(digest(hash(shuffled(pairs, order)))).toBe(digest(hash(pairs)));
        const value = zset(members, scores);
        const moved = { ...value, members: shuffled(value.type === 'zset' ? value.members : [], order) };
        expect(digest(moved.type === 'zset' ? moved : value)).toBe(digest(value));
      }),
    );
  });

  test('but it does in a list', () => {
    fc.assert(
      fc.property(distinct, (elements) => {
        fc.pre(elements.length > 1);
        expect(digest(list(elements.toReversed()))).not.toBe(digest(list(elements)));
      }),
    );
  });
});

describe('a change of one element is seen', () => {
  test('removed, added, repeated', () => {
    fc.assert(
      fc.property(distinct, fc.nat(), (members, at) => {
        const index = at % members.length;
        const removed = members.toSpliced(index, 1);
        const repeated = members.toSpliced(index, 0, members[index] ?? Buffer.alloc(0));
        for (const make of [set, list]) {
          const digests = [members, removed, repeated, [...repeated, members[index] ?? Buffer.alloc(0)]].map(
            (items) => digest(make(items)),
          );
          // A pair of equal elements must not cancel, as it would with XOR.
          expect(new Set(digests).size).toBe(4);
        }
      }),
    );
  });

  test('values of two fields exchanged', () => {
    fc.assert(
      fc.property(distinct, bytes, bytes, (fields, a, b) => {
        fc.pre(fields.length > 1 && !a.equals(b));
        const [first = a, second = b] = fields;
        const straight = digest(
          hash([
            [first, a],
            [second, b],
          ]),
        );
        expect(
          digest(
            hash([
              [first, b],
              [second, a],
            ]),
          ),
        ).not.toBe(straight);
      }),
    );
  });

  test('the border between field and value moved', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(), (array, at) => {
        const all = Buffer.from(array);
        const cut = at % all.length;
        const digests = [cut, cut + 1].map((border) =>
          digest(hash([[all.subarray(0, border), all.subarray(border)]])),
        );
        expect(digests[0]).not.toBe(digests[1]);
      }),
    );
  });

  test('a score by the last bit, but not the sign of zero', () => {
    fc.assert(
      fc.property(score, (value) => {
        fc.pre(Number.isFinite(value));
        const doubles = new Float64Array([value]);
        const bits = new BigUint64Array(doubles.buffer);
        bits[0] = (bits[0] ?? 0n) ^ 1n;
        const member = [Buffer.from('m')];
        expect(digest(zset(member, [doubles[0] ?? 0]))).not.toBe(digest(zset(member, [value])));
      }),
    );
    const member = [Buffer.from('m')];
    expect(digest(zset(member, [-0]))).toBe(digest(zset(member, [0])));
  });
});

test('empty values of all types differ from each other', () => {
  const empty: Value[] = [
    { type: 'string', value: Buffer.alloc(0) },
    list([]),
    set([]),
    zset([], []),
    hash([]),
    {
      type: 'stream',
      entries: [],
      length: 0,
      lastId: '0-0',
      firstId: '0-0',
      maxDeletedId: '0-0',
      entriesAdded: 0,
      groups: [],
    },
  ];
  expect(new Set(empty.map(digest)).size).toBe(empty.length);
});

const stream = (change: Partial<Extract<Value, { type: 'stream' }>> = {}): Value => ({
  type: 'stream',
  entries: [{ id: '1-1', fields: [Buffer.from('f'), Buffer.from('v')] }],
  length: 1,
  lastId: '1-1',
  firstId: '1-1',
  maxDeletedId: '0-0',
  entriesAdded: 1,
  groups: [
    {
      name: Buffer.from('g'),
      lastId: '1-1',
      entriesRead: 1,
      consumers: [{ name: Buffer.from('c'), seenTimeMs: 5, activeTimeMs: 5 }],
      pending: [{ id: '1-1', consumer: Buffer.from('c'), deliveryTimeMs: 5, deliveryCount: 1 }],
    },
  ],
  ...change,
});

describe('a stream', () => {
  test('is equal whatever times and counters say that equal streams may say differently', () => {
    const other = stream({
      entriesAdded: -1,
      maxDeletedId: '0-9',
      groups: [
        {
          name: Buffer.from('g'),
          lastId: '1-1',
          entriesRead: -1,
          consumers: [{ name: Buffer.from('c'), seenTimeMs: 9, activeTimeMs: -1 }],
          pending: [{ id: '1-1', consumer: Buffer.from('c'), deliveryTimeMs: 7, deliveryCount: 1 }],
        },
      ],
    });
    expect(digest(other)).toBe(digest(stream()));
  });

  test.each<[string, Partial<Extract<Value, { type: 'stream' }>>]>([
    ['its last id', { lastId: '2-1' }],
    ['its entries', { entries: [{ id: '1-1', fields: [Buffer.from('f'), Buffer.from('w')] }] }],
    ['the borders in an entry', { entries: [{ id: '1-1', fields: [Buffer.from('fv'), Buffer.from('')] }] }],
    ['its groups', { groups: [] }],
  ])('differs by %s', (_, change) => {
    expect(digest(stream(change))).not.toBe(digest(stream()));
  });
});
