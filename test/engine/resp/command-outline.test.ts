import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandOutline, type OutlineOptions } from '../../../engine/resp/command-outline.ts';
import { encodeCommands } from '../../../engine/resp/encode.ts';

/** Everything told about a stream that comes in these chunks, as text. */
function outlinesOf(chunks: readonly Buffer[], options: OutlineOptions = {}): string[] {
  const told: string[] = [];
  const outline = new CommandOutline(({ argc, words, end }) => {
    told.push(`${argc} ${words.map((word) => word.toString('latin1')).join(' ')} @${end}`);
  }, options);
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    outline.push(copy);
    // Nothing may be kept as a view of what the socket will overwrite.
    copy.fill(0);
  }
  return told;
}

const STREAM = encodeCommands([
  ['SET', 'k', 'v'.repeat(1000)],
  ['PING'],
  ['MSET', 'a', '1', 'b', '2'],
  ['SET', '', ''],
  ['DEL', Buffer.from([0, 13, 10, 255])],
]);

describe('CommandOutline', () => {
  it('tells words, their number and the end of each command', () => {
    expect(outlinesOf([encodeCommands([['SET', 'k', 'v'], ['PING']])])).toEqual([
      '3 SET k v @27',
      '1 PING @41',
    ]);
  });

  it('keeps the first words only, cut to a length', () => {
    expect(outlinesOf([STREAM], { words: 2, wordBytes: 2 }).map((text) => text.replace(/ @.*/, ''))).toEqual([
      '3 SE k',
      '1 PI',
      '5 MS a',
      '3 SE ',
      '2 DE \0\r',
    ]);
  });

  it('tells the same wherever the stream is cut', () => {
    const whole = outlinesOf([STREAM], { wordBytes: 8 });
    for (let cut = 1; cut < STREAM.length; cut++)
      expect(outlinesOf([STREAM.subarray(0, cut), STREAM.subarray(cut)], { wordBytes: 8 })).toEqual(whole);
    expect(
      outlinesOf(
        [...STREAM].map((byte) => Buffer.from([byte])),
        { wordBytes: 8 },
      ),
    ).toEqual(whole);
  });

  it('passes over the newlines of a source that keeps the connection alive', () => {
    const ping = encodeCommands([['PING']]);
    expect(outlinesOf([Buffer.concat([Buffer.from('\n'), ping, Buffer.from('\n\n'), ping])])).toHaveLength(2);
  });

  it('says whether it stands between two commands', () => {
    const outline = new CommandOutline(() => undefined);
    const states = [...encodeCommands([['PING']])].map((byte) => {
      outline.push(Buffer.from([byte]));
      return outline.isBetween;
    });
    expect(states.indexOf(true)).toBe(states.length - 1);
  });

  it('agrees with what was encoded, for any words and cuts', () => {
    const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.array(words, { maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (commands, cuts) => {
          const encoded = encodeCommands(commands.map((each) => each.map((word) => Buffer.from(word))));
          const ends = [
            ...cuts.map((cut) => cut % (encoded.length + 1)).toSorted((a, b) => a - b),
            encoded.length,
          ];
          const chunks = ends.map((end, index) => encoded.subarray(index === 0 ? 0 : ends[index - 1], end));
          const expected = commands.map(
            (each) =>
              `${each.length} ${each
                .slice(0, 3)
                .map((word) => Buffer.from(word).toString('latin1').slice(0, 16))
                .join(' ')}`,
          );
          expect(outlinesOf(chunks, { wordBytes: 16 }).map((text) => text.replace(/ @\d+$/, ''))).toEqual(
            expected,
          );
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });

  const BROKEN = [
    'garbage',
    '*0\r\n',
    '*1\n',
    '*1\r\n+OK\r\n',
    '*1\r\n$1\r\nab\r\n',
    '*1\r\n$x\r\n',
    '*1\r\n$1\rX',
    '*99999999999999\r\n',
  ];
  for (const bytes of BROKEN) {
    it(`refuses ${JSON.stringify(bytes)}`, () => {
      expect(() => outlinesOf([Buffer.from(bytes)])).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    });
  }
});
