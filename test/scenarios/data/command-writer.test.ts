/** The fast writer says exactly what the engine's encoder says. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeCommand, encodeCommands } from '../../../engine/resp/encode.ts';
import { CommandWriter } from '../../../scenarios/data/command-writer.ts';

const ascii = fc.string({
  unit: fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code)),
  maxLength: 120,
});
const word = fc.oneof(
  ascii,
  fc.maxSafeInteger(),
  fc.integer({ min: -20, max: 200_000 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

describe('CommandWriter', () => {
  test('commands are the bytes of the RESP encoder, from a buffer that has to grow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 }),
        (commands) => {
          const writer = new CommandWriter(8);
          for (const command of commands) writer.command(...command);
          const batch = writer.take();
          expect(batch.bytes).toEqual(encodeCommands(commands));
          expect(batch.commands).toBe(commands.length);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  test('a slice reads its source as a ring', () => {
    const writer = new CommandWriter();
    writer.begin(2);
    writer.slice(Buffer.from('abcdef'), 4, 9);
    writer.slice(Buffer.from('abcdef'), 10, 1);
    expect(writer.take().bytes).toEqual(encodeCommand(['efabcdefa', 'e']));
  });

  test('a numbered slice has the asked length, or that of its number', () => {
    const writer = new CommandWriter();
    writer.begin(3);
    writer.numberedSlice(35, Buffer.from('abc'), 1, 6);
    writer.numberedSlice(1295, Buffer.from('abc'), 0, 1);
    writer.numberedSlice(1, Buffer.from('abc'), 0, 60);
    expect(writer.take().bytes).toEqual(
      encodeCommand(['z:bcab', 'zz:', `1:${'abc'.repeat(20).slice(0, 58)}`]),
    );
  });

  test('taking empties the writer and leaves the taken bytes alone', () => {
    const writer = new CommandWriter(16);
    writer.command('SET', 'a', 1);
    const first = writer.take();
    const copy = Buffer.from(first.bytes);
    writer.command('SET', 'b', 2);
    expect(writer.take().bytes).toEqual(encodeCommand(['SET', 'b', 2]));
    expect(first.bytes).toEqual(copy);
    expect([writer.size, writer.commands]).toEqual([0, 0]);
  });

  test('a buffer that was given back is written to again, from its beginning', () => {
    const writer = new CommandWriter(64);
    writer.command('SET', 'a', 1);
    const first = writer.take();
    writer.recycle(first.bytes);
    writer.command('SET', 'b', 2);
    writer.take();
    writer.command('GET', 'c');
    const third = writer.take();
    expect(third.bytes).toEqual(encodeCommand(['GET', 'c']));
    expect(third.bytes.buffer).toBe(first.bytes.buffer);
  });

  test('a missing word is our bug and is caught at once', () => {
    const writer = new CommandWriter();
    writer.begin(2);
    writer.ascii('GET');
    expect(() => writer.take()).toThrow(/incomplete/);
    expect(() => writer.begin(1)).toThrow(/incomplete/);
  });
});
