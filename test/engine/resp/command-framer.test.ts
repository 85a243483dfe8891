import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { SyncError } from '../../../engine/errors.ts';
import { CommandFramer, type FramerLimits } from '../../../engine/resp/command-framer.ts';
import { encodeCommand, encodeCommands } from '../../../engine/resp/encode.ts';

interface Framed {
  words: string[];
  /** The framed bytes, as the translator forwards them. */
  raw: string;
  consumed: number;
}

/** Frames the chunks; bytes are shown as latin1 so that a difference is readable. */
function frame(
  chunks: readonly Buffer[],
  limits: FramerLimits = {},
): { framed: Framed[]; framer: CommandFramer } {
  const framed: Framed[] = [];
  const framer: CommandFramer = new CommandFramer(({ buffer, start, end, argc, argStart, argEnd }) => {
    const words = Array.from({ length: argc }, (_, index) =>
      buffer.toString('latin1', argStart[index], argEnd[index]),
    );
    framed.push({ words, raw: buffer.toString('latin1', start, end), consumed: framer.consumed });
  }, limits);
  for (const chunk of chunks) framer.push(chunk);
  return { framed, framer };
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts, bytes.length];
  return ends.map((end, index) => Buffer.from(bytes.subarray(index === 0 ? 0 : ends[index - 1], end)));
}

/** What framing comes to: the commands, and how it ended. */
function outcome(chunks: readonly Buffer[]): string {
  const framed: string[] = [];
  const framer = new CommandFramer((command) =>
    framed.push(command.buffer.toString('latin1', command.start, command.end)),
  );
  try {
    for (const chunk of chunks) framer.push(chunk);
    return JSON.stringify([framed, framer.pendingBytes]);
  } catch (error) {
    return JSON.stringify([framed, error instanceof SyncError ? error.code : 'crashed']);
  }
}

function eachByte(bytes: Buffer): Buffer[] {
  return [...bytes].map((byte) => Buffer.from([byte]));
}

const BINARY = Buffer.from([0, 13, 10, 255, 42, 36, 13, 10]);
const CASES: [name: string, wire: Buffer, words: string[][]][] = [
  ['one command', encodeCommand(['SET', 'k', 'v']), [['SET', 'k', 'v']]],
  [
    'adjacent commands',
    encodeCommands([['PING'], ['SELECT', 12], ['DEL', 'a']]),
    [['PING'], ['SELECT', '12'], ['DEL', 'a']],
  ],
  ['empty words', encodeCommand(['SET', '', '']), [['SET', '', '']]],
  [
    'words that look like protocol',
    encodeCommand(['SET', '*1\r\n$4\r\n', BINARY]),
    [['SET', '*1\r\n$4\r\n', BINARY.toString('latin1')]],
  ],
  [
    'a word longer than a slice',
    encodeCommand(['SET', 'k', 'v'.repeat(5000)]),
    [['SET', 'k', 'v'.repeat(5000)]],
  ],
];

describe('CommandFramer', () => {
  for (const [name, wire, words] of CASES) {
    it(`frames ${name} whole and cut at every byte`, () => {
      const whole = frame([wire]).framed;
      expect(whole.map((command) => command.words)).toEqual(words);
      expect(whole.map((command) => command.raw).join('')).toBe(wire.toString('latin1'));
      expect(whole.at(-1)?.consumed).toBe(wire.length);
      for (let cut = 1; cut < wire.length; cut++) expect(frame(cutAt(wire, [cut])).framed).toEqual(whole);
      expect(frame(eachByte(wire)).framed).toEqual(whole);
    });
  }

  it('counts bare newlines into consumed, before, between and behind commands, in any cut', () => {
    const ping = encodeCommand(['PING']);
    const wire = Buffer.concat([Buffer.from('\n\n'), ping, Buffer.from('\n'), ping, Buffer.from('\n\n\n')]);
    for (const chunks of [[wire], eachByte(wire), cutAt(wire, [3]), cutAt(wire, [2 + ping.length + 1])]) {
      const { framed, framer } = frame(chunks);
      expect(framed.map((command) => command.consumed)).toEqual([2 + ping.length, 3 + 2 * ping.length]);
      expect(framer.consumed).toBe(wire.length);
      expect(framer.pendingBytes).toBe(0);
    }
  });

  it('holds back an incomplete command and says how much', () => {
    const wire = encodeCommand(['SET', 'k', 'v']);
    const { framed, framer } = frame([wire.subarray(0, -1)]);
    expect(framed).toEqual([]);
    expect(framer.consumed).toBe(0);
    expect(framer.pendingBytes).toBe(wire.length - 1);
  });

  it('keeps the bytes of earlier frames of a push intact while later ones are framed and held', () => {
    const seen: { buffer: Buffer; start: number; end: number }[] = [];
    const framer = new CommandFramer(({ buffer, start, end }) => seen.push({ buffer, start, end }));
    const commands = [
      encodeCommand(['SET', 'first', 'a']),
      encodeCommand(['SET', 'second', 'b']),
      encodeCommand(['SET', 'third', 'c']),
    ];
    const wire = Buffer.concat(commands);
    framer.push(wire.subarray(0, 5));
    framer.push(wire.subarray(5, -4));
    expect(seen.map(({ buffer, start, end }) => buffer.toString('latin1', start, end))).toEqual(
      commands.slice(0, 2).map((command) => command.toString('latin1')),
    );
  });

  const LIES: [name: string, wire: string][] = [
    ['a bulk shorter than its length says', '*2\r\n$3\r\nSET\r\n$5\r\nabc\r\n*1\r\n$4\r\nPING\r\n'],
    ['a last bulk longer than its length says', '*1\r\n$2\r\nabc\r\n'],
    ['a bulk one byte longer, hidden by a newline', '*1\r\n$4\r\nPINGX\n'],
    ['fewer words than announced', '*3\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n'],
    ['a negative count', '*-1\r\n'],
    ['a null bulk', '*1\r\n$-1\r\n'],
    ['no words', '*0\r\n'],
    ['a count without digits', '*\r\n$4\r\nPING\r\n'],
    ['a length without digits', '*1\r\n$\r\n\r\n'],
    ['CR without LF behind the count', '*1\rx$4\r\nPING\r\n'],
    ['CR without LF behind a length', '*1\r\n$4\rxPING\r\n'],
    ['a count beyond every limit', '*99999999\r\n'],
    ['a length beyond every limit', '*1\r\n$99999999999\r\n'],
    ['zeros without end', `*${'0'.repeat(100)}`],
    ['an inline command', 'PING\r\n'],
    ['a reply instead of a command', '-LOADING\r\n'],
    ['something else than a bulk', '*1\r\n:4\r\n'],
  ];
  for (const [name, wire] of LIES) {
    it(`refuses ${name} in any cut, and frames nothing of it`, () => {
      const bytes = Buffer.from(wire, 'latin1');
      for (const chunks of [[bytes], eachByte(bytes), cutAt(bytes, [Math.min(6, bytes.length - 1)])]) {
        const framed: string[] = [];
        const framer = new CommandFramer((command) =>
          framed.push(command.buffer.toString('latin1', command.start, command.end)),
        );
        const pushAll = (): void => chunks.forEach((chunk) => framer.push(chunk));
        expect(pushAll).toThrow(SyncError);
        expect(framed).toEqual([]);
      }
    });
  }

  it('shows at most 40 bytes of what it refuses', () => {
    const wire = Buffer.from(`${'secret'.repeat(100)}\r\n`);
    expect(() => frame([wire])).toThrow(
      expect.objectContaining({ code: 'PROTOCOL', message: expect.not.stringContaining('secret'.repeat(8)) }),
    );
  });

  it('does not reserve memory for words and bytes that were only announced', () => {
    const allocate = vi.spyOn(Buffer, 'allocUnsafe');
    try {
      const { framer } = frame([Buffer.from('*4194304\r\n$4294967295\r\nab')]);
      framer.push(Buffer.from('c'));
      const reserved = allocate.mock.calls.reduce((sum, [size]) => sum + size, 0);
      expect(reserved).toBeLessThan(1024);
      expect(framer.pendingBytes).toBe(26);
    } finally {
      allocate.mockRestore();
    }
  });

  const BIG: [name: string, wire: () => Buffer][] = [
    [
      'a command of 100,000 words',
      () => encodeCommand(['MSET', ...Array.from({ length: 100_000 }, (_, index) => `k${index}`)]),
    ],
    ['a bulk of 2 MB', () => encodeCommand(['SET', 'k', Buffer.alloc(2_000_000, 'v')])],
  ];
  for (const [name, make] of BIG) {
    it(`copies each byte of ${name} a bounded number of times when it comes in small chunks`, () => {
      const wire = make();
      const chunks = Array.from({ length: Math.ceil(wire.length / 1000) }, (_, index) =>
        wire.subarray(index * 1000, (index + 1) * 1000),
      );
      const copy = vi.spyOn(Buffer.prototype, 'copy');
      const concat = vi.spyOn(Buffer, 'concat');
      let words = 0;
      let copied = 0;
      try {
        const framer = new CommandFramer((command) => (words += command.argc));
        for (const chunk of chunks) framer.push(chunk);
        for (const { value } of copy.mock.results) copied += Number(value);
        for (const { value } of concat.mock.results) copied += Buffer.byteLength(value);
      } finally {
        copy.mockRestore();
        concat.mockRestore();
      }
      expect(words).toBe(name.includes('100,000') ? 100_001 : 3);
      // Once into place, and at most as much again twice over while the place grows by doubling.
      expect(copied).toBeGreaterThan(wire.length / 2);
      expect(copied).toBeLessThan(3 * wire.length);
    });
  }

  it('frames whatever encodeCommands writes, in whatever chunks it comes', () => {
    const word = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const commands = fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(commands, fc.array(fc.nat(2000), { maxLength: 12 }), (list, cuts) => {
        const wire = encodeCommands(list);
        const sorted = cuts.map((cut) => cut % wire.length).toSorted((a, b) => a - b);
        const { framed, framer } = frame(cutAt(wire, sorted));
        expect(framed.map((command) => command.words)).toEqual(
          list.map((words) => words.map((each) => each.toString('latin1'))),
        );
        expect(framed.map((command) => command.raw).join('')).toBe(wire.toString('latin1'));
        expect(framer.consumed).toBe(wire.length);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('never frames anything of damaged bytes that a whole read would not frame (cuts do not matter)', () => {
    const base = encodeCommands([['SET', 'k', 'v'], ['MULTI'], ['INCR', 'n'], ['EXEC']]);
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.nat(255), fc.nat(base.length - 1), (at, byte, cut) => {
        const damaged = Buffer.from(base);
        damaged[at] = byte;
        const whole = outcome([damaged]);
        expect(whole).not.toContain('crashed');
        expect(outcome(cutAt(damaged, [cut]))).toBe(whole);
        expect(outcome(eachByte(damaged))).toBe(whole);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
