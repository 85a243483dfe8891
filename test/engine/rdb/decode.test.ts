/** Decoding of encodings that no server at hand writes, built byte by byte, and of bytes that are wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue } from '../../../engine/rdb/decode.ts';
import type { Flavor } from '../../../engine/rdb/format.ts';
import { lzfDecompress } from '../../../engine/rdb/lzf.ts';
import { canonicalValue } from './canonical.ts';
import { entriesOf, outcome, readWhole } from './read-snapshot.ts';
import { bytes, double, int64, length, type Piece, string, uint16, uint32 } from './snapshot-bytes.ts';

function decoded(type: number, value: Piece, flavor?: Flavor): unknown {
  return canonicalValue(decodeValue(type, bytes(value), flavor));
}

/** A ziplist; the length of the previous entry and the tail offset are not read, so they are zero. */
function ziplist(...entries: Piece[]): Buffer {
  const body = bytes(...entries.map((entry) => [0, entry]));
  return bytes(uint32(11 + body.length), uint32(0), uint16(entries.length), body, 0xff);
}

/** A listpack of small elements: the backward length is one byte (its value is not read). */
function listpack(...elements: Piece[]): Buffer {
  const body = bytes(...elements.map((one) => [one, bytes(one).length]));
  return bytes(uint32(7 + body.length), uint16(elements.length), body, 0xff);
}

/** A listpack string or small integer. */
function element(value: string | number): Piece {
  return typeof value === 'number' ? value & 0x7f : [0x80 | value.length, value];
}

function intset(width: number, ...members: Piece[]): Buffer {
  return bytes(uint32(width), uint32(members.length), ...members);
}

describe('strings', () => {
  it.each<[name: string, value: Piece, text: string]>([
    ['a 6-bit length', [3, 'abc'], 'abc'],
    ['a 14-bit length', [0x40, 3, 'abc'], 'abc'],
    ['a 32-bit length', [0x80, 0, 0, 0, 3, 'abc'], 'abc'],
    ['a 64-bit length', [0x81, 0, 0, 0, 0, 0, 0, 0, 3, 'abc'], 'abc'],
    ['an 8-bit integer', [0xc0, 0x80], '-128'],
    ['a 16-bit integer', [0xc1, 0x00, 0x80], '-32768'],
    ['a 32-bit integer', [0xc2, 0x00, 0x00, 0x00, 0x80], '-2147483648'],
    // literal "ab", then 2+7+… bytes from 2 back: an overlapping copy.
    ['a compressed run', [0xc3, 6, 13, 0x01, 'ab', 0xe0, 0x02, 0x01], 'ababababababa'],
  ])('reads %s', (_, value, text) => {
    expect(decoded(0, value)).toEqual({ string: text });
  });

  it.each<[name: string, input: Piece, size: number]>([
    ['a literal beyond the input', [0x05, 'ab'], 6],
    ['a literal beyond the output', [0x01, 'ab'], 1],
    ['a copy from before the start', [0x00, 'a', 0x20, 0x05], 4],
    ['a copy beyond the output', [0x00, 'a', 0x20, 0x00], 3],
    ['a copy without its offset', [0x00, 'a', 0x20], 4],
    ['a long copy without its length', [0x00, 'a', 0xe0], 12],
    ['too little output', [0x00, 'a'], 2],
  ])('refuses to decompress %s', (_, input, size) => {
    const from = bytes(input);
    expect(lzfDecompress(from, 0, from.length, Buffer.alloc(size))).toBe(false);
  });
});

describe('ziplists', () => {
  const every = ziplist(
    [0x03, 'abc'],
    [0x40, 0x03, 'abc'],
    [0x80, 0, 0, 0, 3, 'abc'],
    [0xc0, 0x00, 0x80],
    [0xd0, 0x00, 0x00, 0x00, 0x80],
    [0xe0, int64(-(2n ** 63n))],
    [0xf0, 0x00, 0x00, 0x80],
    [0xfe, 0x80],
    0xf1,
    0xfd,
  );
  const elements = [
    'abc',
    'abc',
    'abc',
    '-32768',
    '-2147483648',
    '-9223372036854775808',
    '-8388608',
    '-128',
    '0',
    '12',
  ];

  it('reads every encoding of an entry', () => {
    expect(decoded(10, string(every))).toEqual({ list: elements });
  });

  it('reads entries behind a long one', () => {
    const long = bytes(uint32(11 + 5 + 2), uint32(0), uint16(1), [0xfe, uint32(300), 0x01, 'x'], 0xff);
    expect(decoded(10, string(long))).toEqual({ list: ['x'] });
  });

  it('reads more than 65534 entries, whose count is not stored', () => {
    const body = bytes(...Array.from({ length: 70000 }, () => [0, 0xf2]));
    const many = bytes(uint32(11 + body.length), uint32(0), uint16(65535), body, 0xff);
    expect(decodeValue(10, string(many))).toMatchObject({ elements: { length: 70000 } });
  });

  it('reads quicklists of ziplists', () => {
    expect(decoded(14, [length(2), string(every), string(ziplist([1, 'z']))])).toEqual({
      list: [...elements, 'z'],
    });
  });

  it('reads hashes and sorted sets', () => {
    expect(decoded(13, string(ziplist([1, 'f'], [1, 'v'])))).toEqual({ hash: [['f', 'v', -1]] });
    const scores = ziplist(
      [1, 'a'],
      [4, '-inf'],
      [1, 'b'],
      [2, '-0'],
      [1, 'c'],
      [19, '3.14159265358979312'],
      [1, 'd'],
      0xf4,
    );
    expect(decoded(12, string(scores))).toEqual({
      zset: [
        ['a', '-Infinity'],
        ['b', '-0'],
        ['c', '3.141592653589793'],
        ['d', '3'],
      ],
    });
  });
});

describe('listpacks', () => {
  it('reads every encoding of an element', () => {
    const twelveBits = 'x'.repeat(300);
    const pack = bytes(
      [0x00, 1, 0x7f, 1],
      [0x83, 'abc', 4],
      [0xc0, 0x05, 2, 0xdf, 0xff, 2],
      [0xe1, 0x2c, twelveBits, 0, 0],
      [0xf0, uint32(3), 'abc', 8],
      [0xf1, 0x00, 0x80, 3],
      [0xf2, 0x00, 0x00, 0x80, 4],
      [0xf3, 0x00, 0x00, 0x00, 0x80, 5],
      [0xf4, int64(-(2n ** 63n)), 9],
    );
    const whole = bytes(uint32(7 + pack.length), uint16(65535), pack, 0xff);
    const elements = [
      '0',
      '127',
      'abc',
      '5',
      '-1',
      twelveBits,
      'abc',
      '-32768',
      '-8388608',
      '-2147483648',
      '-9223372036854775808',
    ];
    expect(decoded(20, string(whole))).toEqual({ set: elements.toSorted() });
    expect(decoded(18, [length(1), length(2), string(whole)])).toEqual({ list: elements });
  });
});

describe('other packed encodings', () => {
  it('reads zipmaps with short, long and padded elements', () => {
    const long = 'v'.repeat(300);
    const zipmap = bytes(
      3,
      [1, 'a', 2, 0, '12'],
      [1, 'b', [254, uint32(300)], 0, long],
      [1, 'c', 1, 3, 'x???'],
      0xff,
    );
    expect(decoded(9, string(zipmap))).toEqual({
      hash: [
        ['a', '12', -1],
        ['b', long, -1],
        ['c', 'x', -1],
      ],
    });
    expect(decoded(9, string(bytes(254, [1, 'a', 0, 0], 0xff)))).toEqual({ hash: [['a', '', -1]] });
  });

  it('reads intsets of every width', () => {
    expect(decoded(11, string(intset(2, [0xff, 0xff], [5, 0])))).toEqual({ set: ['-1', '5'] });
    expect(decoded(11, string(intset(4, [0xff, 0xff, 0xff, 0xff], uint32(70000))))).toEqual({
      set: ['-1', '70000'],
    });
    expect(decoded(11, string(intset(8, int64(-(2n ** 63n)), int64(9007199254740993n))))).toEqual({
      set: ['-9223372036854775808', '9007199254740993'],
    });
  });

  it('reads sorted sets with scores as text and as doubles', () => {
    const text = [
      length(5),
      string('a'),
      [3, '1.5'],
      string('b'),
      253,
      string('c'),
      254,
      string('d'),
      255,
      string('e'),
      [2, '-0'],
    ];
    expect(decoded(3, text)).toEqual({
      zset: [
        ['a', '1.5'],
        ['b', 'NaN'],
        ['c', 'Infinity'],
        ['d', '-Infinity'],
        ['e', '-0'],
      ],
    });
    expect(decoded(5, [length(1), string('a'), double(-0)])).toEqual({ zset: [['a', '-0']] });
  });
});

describe('hashes with a time to live per field', () => {
  const expected = {
    hash: [
      ['f', 'v', -1],
      ['g', 'w', 1800000000000],
      ['h', 'x', 1800000005000],
    ],
  };
  const triples = listpack(
    ...['f', 'v', 0, 'g', 'w'].map(element),
    [0xf4, int64(1800000000000)],
    ...['h', 'x'].map(element),
    [0xf4, int64(1800000005000)],
  );

  it('reads what Redis 7.4 writes: the smallest expiry in front, the others relative to it', () => {
    const relative = [
      length(0),
      string('f'),
      string('v'),
      length(1),
      string('g'),
      string('w'),
      length(5001),
      string('h'),
      string('x'),
    ];
    expect(decoded(24, [int64(1800000000000), length(3), relative])).toEqual(expected);
    expect(decoded(25, [int64(1800000000000), string(triples)])).toEqual(expected);
  });

  it('reads what the release candidates of 7.4 wrote: absolute times', () => {
    const absolute = [
      [length(0), string('f'), string('v')],
      [length(1800000000000n), string('g'), string('w')],
      [length(1800000005000n), string('h'), string('x')],
    ];
    expect(decoded(22, [length(3), absolute])).toEqual(expected);
    expect(decoded(23, string(triples))).toEqual(expected);
  });

  it('reads what Valkey 9 writes under the number of the former', () => {
    const fields = [
      [string('f'), string('v'), int64(-1)],
      [string('g'), string('w'), int64(1800000000000)],
      [string('h'), string('x'), int64(1800000005000)],
    ];
    expect(decoded(22, [length(3), fields], 'VALKEY')).toEqual(expected);
  });
});

/** A stream id as 16 big-endian bytes. */
function rawId(ms: number, sequence: number): Buffer {
  const out = Buffer.alloc(16);
  out.writeBigUInt64BE(BigInt(ms));
  out.writeBigUInt64BE(BigInt(sequence), 8);
  return out;
}

describe('streams', () => {
  /** Master 1000-5 with field "f": two live entries and a deleted one, the last with its own field. */
  const block = listpack(
    ...[2, 1, 1, 'f', 0].map(element),
    ...[2, 0, 0, 'v1', 4].map(element),
    ...[3, 0, 1, 'gone', 4].map(element),
    // One millisecond later the sequence starts at 0 again: −5.
    ...[0, 1].map(element),
    [0xdf, 0xfb],
    ...[1, 'own', 'v2', 5].map(element),
  );
  const entries = [
    ['1000-5', ['f', 'v1']],
    ['1001-0', ['own', 'v2']],
  ];
  const head = [length(1), string(rawId(1000, 5)), string(block), length(2), length(1001), length(0)];
  const pending = [length(2), rawId(1000, 5), int64(111), length(1), rawId(1001, 0), int64(222), length(9)];

  it('reads the first generation (5.0): no counters', () => {
    const consumers = [
      length(2),
      string('c1'),
      int64(50),
      length(1),
      rawId(1001, 0),
      string('c2'),
      int64(60),
      length(1),
      rawId(1000, 5),
    ];
    const group = [string('g'), length(1001), length(0), pending, consumers];
    expect(decoded(15, [head, length(1), group])).toEqual({
      entries,
      length: 2,
      lastId: '1001-0',
      firstId: '1000-5',
      maxDeletedId: '0-0',
      entriesAdded: -1,
      groups: [
        {
          name: 'g',
          lastId: '1001-0',
          entriesRead: -1,
          pending: [
            ['1000-5', 'c2', 111, 1],
            ['1001-0', 'c1', 222, 9],
          ],
          consumers: [
            ['c1', 50, 50],
            ['c2', 60, 60],
          ],
        },
      ],
    });
  });

  it('reads the fifth (8.8): pending entries of nobody, idempotent producers', () => {
    const counters = [length(1000), length(5), length(1000), length(6), length(3)];
    const consumers = [length(1), string('c1'), int64(50), int64(-1), length(1), rawId(1001, 0)];
    const unknownRead = [0x81, int64(-1)];
    const group = [
      string('g'),
      length(1001),
      length(0),
      unknownRead,
      pending,
      consumers,
      [length(1), rawId(1000, 5)],
    ];
    const producers = [
      length(100),
      length(1000),
      length(1),
      string('p'),
      length(1),
      string('iid'),
      length(1000),
      length(5),
      length(1),
      length(0),
    ];
    expect(decoded(27, [head, counters, length(1), group, producers])).toMatchObject({
      firstId: '1000-5',
      maxDeletedId: '1000-6',
      entriesAdded: 3,
      groups: [
        {
          entriesRead: -1,
          pending: [
            ['1000-5', '', 111, 1],
            ['1001-0', 'c1', 222, 9],
          ],
          consumers: [['c1', 50, -1]],
        },
      ],
    });
  });

  it.each<[name: string, group: Piece]>([
    ['a pending entry of no consumer', [pending, length(0)]],
    [
      'a consumer with an entry its group has not',
      [length(0), length(1), string('c'), int64(1), length(1), rawId(1, 1)],
    ],
  ])('refuses %s', (_, group) => {
    const value = bytes(head, length(1), string('g'), length(0), length(0), group);
    expect(outcome(() => decodeValue(15, value))).toBe('SNAPSHOT_CORRUPT');
  });

  it('refuses a block whose id has not 16 bytes', () => {
    const value = bytes(
      length(1),
      string('short'),
      string(block),
      length(2),
      length(1),
      length(0),
      length(0),
    );
    expect(outcome(() => decodeValue(15, value))).toBe('SNAPSHOT_CORRUPT');
  });
});

describe('modules', () => {
  it('stay opaque, with their name', () => {
    const value = bytes(length(0x1234_5678_9abc_def0n), 2, 5, 0);
    expect(decodeValue(7, value)).toEqual({ type: 'module', module: 'EjRWeJq83', raw: value });
  });
});

describe('wrong bytes', () => {
  it.each<[name: string, type: number, value: Piece]>([
    ['an unknown type', 99, ''],
    ['bytes left over', 0, [string('a'), 0]],
    ['nothing at all', 0, ''],
    ['a cut string', 0, [5, 'abc']],
    ['a count that lies', 1, [length(2n ** 40n), string('a')]],
    ['a compressed string of absurd size', 0, [0xc3, 2, 0x80, 0xff, 0xff, 0xff, 0xff, 0x20, 0]],
    ['an odd number of elements in a hash', 13, string(ziplist([1, 'f']))],
    ['an odd number of elements in a sorted set', 12, string(ziplist([1, 'f']))],
    ['a score that is none', 12, string(ziplist([1, 'f'], [1, 'x']))],
    ['an empty score', 12, string(ziplist([1, 'f'], 0x00))],
    ['a ziplist of the wrong size', 10, string(bytes(uint32(99), uint32(0), uint16(0), 0xff))],
    ['a ziplist of the wrong count', 10, string(bytes(uint32(11), uint32(0), uint16(3), 0xff))],
    ['a ziplist without an end', 10, string(bytes(uint32(10), uint32(0), uint16(0)))],
    ['a ziplist with an unknown entry', 10, string(ziplist(0xff))],
    ['a listpack of the wrong size', 16, string(bytes(uint32(8), uint16(0), 0xff))],
    ['a listpack of the wrong count', 20, string(bytes(uint32(7), uint16(1), 0xff))],
    ['a listpack without an end', 20, string(bytes(uint32(6), uint16(0)))],
    ['a listpack with a cut element', 20, string(bytes(uint32(9), uint16(1), 0xbf, 1, 0xff))],
    ['a listpack with an unknown element', 20, string(listpack(0xf9))],
    ['an intset of an unknown width', 11, string(intset(3))],
    ['an intset of the wrong size', 11, string(bytes(uint32(2), uint32(2), 0, 0))],
    ['a zipmap that is cut', 9, string(bytes(1, [1, 'a', 5, 0, 'x']))],
    ['a zipmap of the wrong count', 9, string(bytes(2, [1, 'a', 0, 0], 0xff))],
    ['an unknown quicklist container', 18, [length(1), length(3), string('x')]],
    ['a field without its expiry', 25, [int64(0), string(listpack(element('f'), element('v')))]],
    ['an expiry that is none', 25, [int64(0), string(listpack(element('f'), element('v'), element('x')))]],
    [
      'a block of a stream that ends early',
      15,
      [length(1), string(Buffer.alloc(16)), string(listpack(1, 0, 5)), 0, 0, 0, 0],
    ],
  ])('refuses %s', (_, type, value) => {
    expect(outcome(() => decodeValue(type, bytes(value)))).toBe('SNAPSHOT_CORRUPT');
  });

  it('names what and where', () => {
    expect(() => decodeValue(11, string(intset(3)))).toThrow(/^an intset is malformed: 3 is not a width$/);
    expect(() => decodeValue(1, bytes(length(2), string('a')))).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_CORRUPT', where: 'value byte 3' }),
    );
  });

  it('never crashes or hangs on any bytes of any type', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.uint8Array({ maxLength: 200 }), (type, content) => {
        for (const flavor of ['REDIS', 'VALKEY'] as const) {
          expect(outcome(() => decodeValue(type, Buffer.from(content), flavor))).toMatch(
            /^(read|SNAPSHOT_CORRUPT)$/,
          );
        }
      }),
      { numRuns: 2000, seed: 4711 },
    );
  });

  it.each(['redis-6.0.16', 'redis-8.0.2', 'valkey-9.1.2'])(
    'never crashes or hangs on damaged values of %s',
    (name) => {
      const snapshot = readFileSync(join(import.meta.dirname, 'fixtures', `${name}.rdb`));
      const flavor = name.startsWith('valkey-9') ? 'VALKEY' : 'REDIS';
      const outcomes = new Set<string>();
      for (const { type, value } of entriesOf(readWhole(snapshot))) {
        for (let at = 0; at < value.length; at++) {
          outcomes.add(outcome(() => decodeValue(type, value.subarray(0, at), flavor)));
          for (const flip of [0x01, 0x10, 0x80, 0xff]) {
            const damaged = Buffer.from(value);
            damaged[at]! ^= flip;
            outcomes.add(outcome(() => decodeValue(type, damaged, flavor)));
          }
        }
      }
      expect([...outcomes].toSorted()).toEqual(['SNAPSHOT_CORRUPT', 'read']);
    },
  );
});
