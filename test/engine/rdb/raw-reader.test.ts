/** The raw reader against hand-built snapshots: every opcode and type, every cut, every way to be wrong. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncError } from '../../../engine/errors.ts';
import { RawSnapshotReader } from '../../../engine/rdb/raw-reader.ts';
import {
  differingCuts,
  entriesOf,
  pieces,
  outcome,
  readOutcome,
  readPieces,
  readWhole,
  recorder,
  type SnapshotEvent,
  undetectedChanges,
} from './read-snapshot.ts';
import {
  bytes,
  double,
  int64,
  length,
  type Piece,
  resealed,
  snapshot,
  string,
  uint32,
} from './snapshot-bytes.ts';

const MODULE_ID = 0x1234_5678_9abc_def0n;

/** Every value type of Redis with a value that has more than one element where it can. */
const REDIS_VALUES: readonly (readonly [type: number, value: Piece])[] = [
  [0, string('hello')],
  [0, [0xc0, 0x85]],
  [0, [0xc1, 0x39, 0x30]],
  [0, [0xc2, uint32(123456)]],
  // LZF: 5 compressed bytes that become 20: literal "a", then a copy of 19 from one back.
  [0, [0xc3, length(5), length(20), Buffer.from([0x00, 0x61, 0xe0, 0x0a, 0x00])]],
  [1, [length(2), string('a'), string('b'.repeat(70))]],
  [2, [length(3), string('x'), [0xc0, 1], string('')]],
  [3, [length(4), string('m'), [3, '1.5'], string('n'), 253, string('o'), 254, string('p'), 255]],
  [4, [length(2), string('f'), string('v'), string('g'), string('w')]],
  [5, [length(2), string('m'), double(1.5), string('n'), double(-0)]],
  [
    7,
    [
      length(MODULE_ID),
      1,
      length(5),
      2,
      length(70000),
      3,
      uint32(0),
      4,
      double(2),
      5,
      string('module text'),
      0,
    ],
  ],
  [9, string('zipmap')],
  [10, string('ziplist')],
  [11, string('intset')],
  [12, string('ziplist')],
  [13, string('ziplist')],
  [14, [length(2), string('ziplist'), string('ziplist 2')]],
  [15, stream(1)],
  [16, string('listpack')],
  [17, string('listpack')],
  [18, [length(2), length(1), string('plain'), length(2), string('listpack')]],
  [19, stream(2)],
  [20, string('listpack')],
  [21, stream(3)],
  [22, [length(2), length(0), string('f'), string('v'), length(1800000000000), string('g'), string('w')]],
  [23, string('listpack ex')],
  [
    24,
    [
      int64(1800000000000),
      length(2),
      length(0),
      string('f'),
      string('v'),
      length(1),
      string('g'),
      string('w'),
    ],
  ],
  [25, [int64(1800000000000), string('listpack ex')]],
  [26, stream(4)],
  [27, stream(5)],
];

const VALKEY_VALUES: typeof REDIS_VALUES = [
  [22, [length(2), string('f'), string('v'), int64(-1), string('g'), string('w'), int64(1800000000000)]],
];

function id(ms: number, sequence: number): Piece {
  return [length(ms), length(sequence)];
}

/** An idempotent producer with the ids it sent. */
function producer(name: string, count: number): Piece {
  return [
    string(name),
    length(count),
    Array.from({ length: count }, (_, index) => [string(`iid ${index}`), id(1700000000000, index)]),
  ];
}

/** Two groups: one with two consumers (the second has nothing pending), one empty. */
function stream(generation: 1 | 2 | 3 | 4 | 5): Piece {
  const rawId = Buffer.alloc(16, 7);
  const pending = [rawId, int64(1700000000000), length(3)];
  const consumer = (name: string, count: number): Piece => [
    string(name),
    int64(1700000000001),
    generation >= 3 ? int64(1700000000002) : [],
    length(count),
    Buffer.alloc(16 * count, 7),
  ];
  const read = generation >= 2 ? length(5) : [];
  return [
    [
      length(2),
      string(Buffer.alloc(16)),
      string('listpack 1'),
      string(Buffer.alloc(16, 1)),
      string('listpack 2'),
    ],
    [length(9), id(1700000000000, 4)],
    generation >= 2 ? [id(1600000000000, 0), id(0, 0), length(12)] : [],
    length(2),
    [
      string('group'),
      id(1700000000000, 4),
      read,
      length(2),
      pending,
      pending,
      length(2),
      consumer('c1', 2),
      consumer('c2', 0),
    ],
    generation === 5 ? [length(1), rawId] : [],
    [string('empty'), id(0, 0), read, length(0), length(0)],
    generation === 5 ? length(0) : [],
    generation >= 4
      ? [length(100), length(1000), length(2), producer('p1', 2), producer('p2', 0), length(70000), length(1)]
      : [],
  ];
}

function entryRecords(values: typeof REDIS_VALUES): Piece[] {
  return values.map(([type, value], index) => [type, string(`key:${index}`), value]);
}

/** All opcodes, all types, several databases. */
const EVERYTHING = snapshot(
  'REDIS0012',
  [250, string('redis-ver'), string('7.4.0')],
  [250, string('redis-bits'), 0xc0, 64],
  [247, length(MODULE_ID), 2, 1, 5, string('aux text'), 0],
  [245, string('#!lua name=lib')],
  [254, 0, 251, length(28), length(2)],
  [243, length(2), uint32(77), 2, length(5), 5, string('meta'), 0, uint32(78), 0],
  [244, length(1000), length(3), length(0)],
  ...entryRecords(REDIS_VALUES),
  [254, length(12), 251, length(70000), length(1)],
  [252, int64(1893456000123), 248, length(100000), 0, string('idle'), string('1')],
  [253, uint32(1893456000), 249, 77, 0, string('hot'), string('2')],
  [252, int64(-5), 0, string(''), string('')],
  [0, bytes(0xc1, 0x39, 0x30), string('integer key')],
  [0, [0xc3, length(5), length(20), Buffer.from([0x00, 0x61, 0xe0, 0x0a, 0x00])], string('compressed key')],
);

const VALKEY = snapshot(
  'VALKEY080',
  [243, string('j'.repeat(40)), length(2), 1, 5, 9, length(100)],
  254,
  0,
  ...entryRecords(VALKEY_VALUES),
);

function failure(action: () => unknown): SyncError {
  try {
    action();
  } catch (error) {
    if (error instanceof SyncError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a whole snapshot', () => {
  const events = readWhole(EVERYTHING);

  it('gives each value the bytes between its key and the next record', () => {
    const entries = entriesOf(events);
    for (const [index, [type, value]] of REDIS_VALUES.entries()) {
      expect(entries[index]).toMatchObject({
        database: 0,
        type,
        key: Buffer.from(`key:${index}`),
        value: bytes(value),
      });
    }
    expect(entries).toHaveLength(REDIS_VALUES.length + 5);
  });

  it('attaches expiry, idle time and frequency to the one key that follows', () => {
    const [idle, hot, past, integer, compressed] = entriesOf(events).slice(REDIS_VALUES.length);
    expect(idle).toMatchObject({
      database: 12,
      expireAtMs: 1893456000123,
      idleSeconds: 100000,
      frequency: -1,
    });
    expect(hot).toMatchObject({ expireAtMs: 1893456000000, idleSeconds: -1, frequency: 77 });
    expect(past).toMatchObject({ key: Buffer.alloc(0), expireAtMs: -5, frequency: -1 });
    expect(integer).toMatchObject({ key: Buffer.from('12345'), expireAtMs: -1 });
    expect(compressed).toMatchObject({ key: Buffer.from('a'.repeat(20)) });
  });

  it('reports everything that is not a key', () => {
    expect(events.filter(([kind]) => kind !== 'entry')).toEqual([
      ['header', 12, 'REDIS'],
      ['aux', 'redis-ver', '7.4.0'],
      ['aux', 'redis-bits', '64'],
      ['moduleAux', 'EjRWeJq83'],
      ['function', '#!lua name=lib'],
      ['sizes', 0, 28, 2],
      ['moduleAux', 'metadata of a key'],
      ['moduleValue', 0, 'key:10', 'EjRWeJq83'],
      ['sizes', 12, 70000, 1],
      ['end', 'valid'],
    ]);
  });

  it('reads type 22 as Valkey lays it out under the magic of Valkey', () => {
    const entries = entriesOf(readWhole(VALKEY));
    expect(entries).toMatchObject([{ type: 22, value: bytes(VALKEY_VALUES[0]![1]) }]);
  });
});

describe('cuts', () => {
  it.each([
    ['REDIS', EVERYTHING],
    ['VALKEY', VALKEY],
  ])('gives the same events for every cut into two of a %s snapshot', (_, whole) => {
    expect(differingCuts(whole)).toEqual([]);
  });

  it.each([1, 2, 3, 5, 16, 61])('gives the same events in pieces of %i bytes', (size) => {
    expect(readPieces(pieces(EVERYTHING, size))).toEqual(readWhole(EVERYTHING));
  });

  it('tells how much of a chunk was snapshot, wherever the end was cut', () => {
    const commands = Buffer.from('*1\r\n$4\r\nPING\r\n');
    const whole = Buffer.concat([EVERYTHING, commands]);
    for (let cut = EVERYTHING.length - 12; cut <= EVERYTHING.length; cut++) {
      const reader = new RawSnapshotReader({ entry: () => undefined });
      expect(reader.push(whole.subarray(0, cut))).toBe(cut);
      expect(reader.done).toBe(cut === EVERYTHING.length);
      expect(reader.push(whole.subarray(cut))).toBe(EVERYTHING.length - cut);
      expect(reader.done).toBe(true);
      expect(reader.push(commands)).toBe(0);
      reader.finish();
    }
  });
});

/** Comparing megabytes element by element takes a test runner seconds. */
function sha1(content: Buffer): string {
  return createHash('sha1').update(content).digest('hex');
}

describe('big values', () => {
  const big = Buffer.alloc(3_000_000, 0x5a);
  const list: Piece = [
    length(3000),
    ...Array.from({ length: 3000 }, (_, index) => string(`element ${index}`.repeat(20))),
  ];
  const whole = snapshot(
    'REDIS0011',
    254,
    0,
    [0, string('string'), string(big)],
    [1, string('list'), list],
    [0, string('after'), string('x')],
  );

  it('collects a value over any number of chunks', () => {
    const entries = entriesOf(readPieces(pieces(whole, 65536)));
    expect(entries.map((entry) => [entry.key.toString(), entry.value.length])).toEqual([
      ['string', string(big).length],
      ['list', bytes(list).length],
      ['after', 2],
    ]);
    expect(entries[0]!.value.equals(string(big))).toBe(true);
    expect(entries[1]!.value.equals(bytes(list))).toBe(true);
  });

  it.each([1000, 4096, 65536])('hands out parts above maxInlineBytes, in chunks of %i', (size) => {
    const events: SnapshotEvent[] = [];
    const parts: Buffer[] = [];
    const reader = new RawSnapshotReader(
      {
        ...recorder(events),
        largeStart: (entry) => events.push(['start', entry.key.toString(), entry.type, entry.value.length]),
        largePart: (part) => parts.push(Buffer.from(part)),
        largeEnd: () => events.push(['stop', sha1(Buffer.concat(parts.splice(0)))]),
      },
      { maxInlineBytes: 500_000 },
    );
    for (const piece of pieces(whole, size)) reader.push(piece);
    reader.finish();
    expect(events.slice(1, 5)).toEqual([
      ['start', 'string', 0, 0],
      ['stop', sha1(string(big))],
      ['start', 'list', 1, 0],
      ['stop', sha1(bytes(list))],
    ]);
    expect(entriesOf(events)).toMatchObject([{ key: Buffer.from('after'), value: string('x') }]);
  });
});

describe('checksum', () => {
  it('is checked over the whole snapshot', () => {
    const broken = Buffer.from(EVERYTHING);
    broken[broken.indexOf('hello')]! ^= 1;
    expect(failure(() => readWhole(broken))).toMatchObject({
      code: 'SNAPSHOT_CORRUPT',
      message: expect.stringContaining('checksum'),
    });
  });

  it('counts as absent when all zero', () => {
    const without = Buffer.concat([EVERYTHING.subarray(0, -8), Buffer.alloc(8)]);
    expect(readWhole(without).at(-1)).toEqual(['end', 'absent']);
  });

  it('is not expected before version 5', () => {
    const reader = new RawSnapshotReader({ entry: () => undefined });
    const old = bytes('REDIS0004', 254, 0, 0, string('k'), string('v'), 255, 'rest');
    expect(reader.push(old)).toBe(old.length - 4);
    expect(reader.done).toBe(true);
  });
});

/** A snapshot with one record. */
function record(...parts: Piece[]): Buffer {
  return snapshot('REDIS0011', 254, 0, ...parts);
}

describe('wrong bytes', () => {
  it.each<[name: string, whole: Buffer, message: RegExp]>([
    ['no magic', bytes('RADIS0011', 255), /does not begin a snapshot/],
    ['an unknown version', bytes('REDIS0099', 255), /REDIS snapshot version 99 is not known/],
    [
      'an unknown type',
      record(99, string('kéy"'), string('v')),
      /type 99 of key "k\\xe9y\\"" is not a value type/,
    ],
    [
      'a pre-release module',
      record(6, string('k'), length(MODULE_ID)),
      /type 6 of key "k" is a module value of a 4.0/,
    ],
    [
      'a Redis-only type under Valkey',
      snapshot('VALKEY080', 24, string('k'), int64(0), 0),
      /type 24 of key "k"/,
    ],
    ['an unknown opcode', record(242), /opcode 242 is unknown in a REDIS snapshot of version 11/],
    ['a pre-release function', record(246, string('f')), /7.0 release candidate/],
    [
      'a string of unknown encoding',
      record(0, string('k'), 0xc4),
      /value of type 0 of key "k": 0xc4 does not start/,
    ],
    ['an encoded length', record(1, string('k'), 0xc0, 1), /value of type 1 of key "k": 0xc0 does not start/],
    ['a key of unknown encoding', record(0, 0xff), /0xff does not start/],
    ['an unknown module opcode', record(7, string('k'), length(MODULE_ID), 6), /module opcode 6 is unknown/],
    [
      'a key that does not decompress',
      record(0, [0xc3, 2, 20, 0x20, 0x00], string('v')),
      /a key does not decompress/,
    ],
    [
      'a compressed key of absurd size',
      record(0, [0xc3, 2, length(4e9), 0x20, 0], string('v')),
      /a key does not decompress/,
    ],
    [
      'a length above the limit',
      record(0, string('k'), length(2n ** 40n), 'x'),
      /value of type 0 of key "k": at least 1099511627785 bytes are above the limit/,
    ],
    [
      'a key length above the limit',
      record(0, length(2n ** 63n), 'x'),
      /a record of at least .* above the limit/,
    ],
    [
      'a count above the limit',
      record(1, string('k'), length(2n ** 60n), 'x'),
      /value of type 1 of key "k": a count of/,
    ],
  ])('refuses %s', (_, whole, message) => {
    const error = failure(() => readWhole(whole));
    expect(error.code).toBe('SNAPSHOT_CORRUPT');
    expect(error.message).toMatch(message);
    expect(error.where).toMatch(/^snapshot byte \d+$/);
    expect(failure(() => readPieces(pieces(whole, 1)))).toMatchObject({
      message: error.message,
      where: error.where,
    });
  });

  it('names the byte offset of the fault', () => {
    expect(failure(() => readWhole(record(242))).where).toBe('snapshot byte 11');
    expect(failure(() => readWhole(record(1, string('k'), 2, string('a'), 0xc9))).where).toBe(
      'snapshot byte 17',
    );
  });

  it('keeps failing after a failure', () => {
    const reader = new RawSnapshotReader({ entry: () => undefined });
    const first = failure(() => reader.push(Buffer.from('GARBAGE!!')));
    expect(failure(() => reader.push(EVERYTHING))).toBe(first);
    expect(failure(() => reader.finish())).toBe(first);
  });

  it('hands on what a callback throws', () => {
    const reader = new RawSnapshotReader({
      entry: () => {
        throw new SyncError('ABORTED', 'enough');
      },
    });
    expect(failure(() => reader.push(EVERYTHING)).code).toBe('ABORTED');
  });

  it('respects a smaller maxValueBytes for values that are whole and values that are not', () => {
    const whole = record(0, string('k'), string('v'.repeat(1000)));
    expect(readWhole(whole, { maxValueBytes: 1002 })).toHaveLength(3);
    expect(failure(() => readWhole(whole, { maxValueBytes: 1001 })).message).toContain('above the limit');
    expect(failure(() => readPieces(pieces(whole, 100), { maxValueBytes: 1001 })).message).toContain(
      'above the limit',
    );
  });

  it('says that a snapshot was cut, at every byte', () => {
    for (let cut = 0; cut < EVERYTHING.length; cut++) {
      const reader = new RawSnapshotReader({ entry: () => undefined });
      reader.push(EVERYTHING.subarray(0, cut));
      expect(failure(() => reader.finish())).toMatchObject({
        code: 'SNAPSHOT_CORRUPT',
        where: `snapshot byte ${cut}`,
      });
    }
  });

  it('detects any single changed byte', () => {
    expect(undetectedChanges(EVERYTHING)).toEqual([]);
  });

  it('never crashes or hangs on a changed byte whose checksum was made right', () => {
    for (let at = 0; at < EVERYTHING.length - 8; at++) {
      for (const flip of [0x01, 0x40, 0x80, 0xff]) {
        const changed = Buffer.from(EVERYTHING);
        changed[at]! ^= flip;
        expect(readOutcome(resealed(changed))).toMatch(/^(read|SNAPSHOT_CORRUPT)$/);
      }
    }
  });

  it('never crashes or hangs on any bytes behind a header, however cut', () => {
    const anything = fc.tuple(
      fc.constantFrom('REDIS0003', 'REDIS0012', 'VALKEY080'),
      fc.uint8Array({ maxLength: 120 }),
      fc.integer({ min: 1, max: 40 }),
    );
    fc.assert(
      fc.property(anything, ([header, content, size]) => {
        const whole = bytes(header, Buffer.from(content));
        const uncut = readOutcome(whole);
        expect(uncut).toMatch(/^(read|SNAPSHOT_CORRUPT)$/);
        expect(outcome(() => readPieces(pieces(whole, size), { maxValueBytes: 1 << 20 }))).toBe(uncut);
      }),
      { numRuns: 3000, seed: 4711 },
    );
  });
});
