/** What known-bad engines do to a stream of commands: exactly what their names say, and never fewer bytes than came. */
import { describe, expect, test } from 'vitest';
import { CommandFramer } from '../../../engine/resp/command-framer.ts';
import { encodeCommand } from '../../../engine/resp/encode.ts';
import { filler } from '../../../runner/selftest/filler.ts';
import type { Misbehaviour, StreamCommand } from '../../../runner/selftest/misbehaviour.ts';
import { ringKeys } from '../../../scenarios/workload/ledger.ts';
import { MISBEHAVIOURS } from '../../../runner/selftest/misbehaviours.ts';

const LIST = 'w:ledger:ab:w:list:0.0';
const RING = ringKeys('w:ledger:ab:w:ring:0.0');

function command(...words: (string | number)[]): StreamCommand {
  const buffers = words.map((word) => Buffer.from(String(word)));
  return { name: String(words[0]).toLowerCase(), words: buffers, raw: encodeCommand(words) };
}

interface Result {
  /** Commands that came out, fillers left out. */
  commands: string[];
  bytes: number;
  holds: number;
  cuts: number;
}

function run({ stream }: Misbehaviour, commands: readonly StreamCommand[]): Result {
  const result: Result = { commands: [], bytes: 0, holds: 0, cuts: 0 };
  const framer = new CommandFramer(({ buffer, argc, argStart, argEnd }) => {
    const words = Array.from({ length: argc }, (_, index) =>
      buffer.toString('latin1', argStart[index], argEnd[index]),
    );
    if (words[0] !== 'PING') result.commands.push(words.join(' '));
  });
  const mutate = stream?.();
  for (const each of commands) {
    mutate?.(each, {
      send(bytes) {
        result.bytes += bytes.length;
        framer.push(bytes);
      },
      hold: () => result.holds++,
      cut: () => result.cuts++,
    });
  }
  return result;
}

const bytesOf = (commands: readonly StreamCommand[]): number =>
  commands.reduce((sum, { raw }) => sum + raw.length, 0);
const pushes = (count: number): StreamCommand[] =>
  Array.from({ length: count }, (_, number) => command('RPUSH', LIST, number));
const turn = (number: number): StreamCommand[] => [
  command('multi'),
  ...RING.map((key) => command('SET', key, number)),
  command('exec'),
];

describe('filler', () => {
  test('is at least as long as asked, hardly longer, and does nothing', () => {
    for (let bytes = 1; bytes < 400; bytes++) {
      const filled = filler(bytes);
      expect(filled.length).toBeGreaterThanOrEqual(bytes);
      expect(filled.length).toBeLessThan(bytes + 20);
      let pings = 0;
      const framer = new CommandFramer(({ buffer, argStart, argEnd }) => {
        if (buffer.toString('latin1', argStart[0], argEnd[0]) === 'PING') pings++;
      });
      framer.push(filled);
      expect([pings, framer.consumed]).toEqual([1, filled.length]);
    }
  });
});

describe('a stream that is read wrongly', () => {
  test('none: as it was', () => {
    const all = [...pushes(20), ...turn(1), command('DEL', 'k')];
    expect(run(MISBEHAVIOURS.none, all)).toMatchObject({ bytes: bytesOf(all), holds: 0, cuts: 0 });
  });

  test('drops the first and every tenth after it', () => {
    const { commands, bytes } = run(MISBEHAVIOURS['drops-commands'], pushes(20));
    expect(commands).toHaveLength(18);
    expect(commands).not.toContain(`RPUSH ${LIST} 0`);
    expect(bytes).toBeGreaterThanOrEqual(bytesOf(pushes(20)));
  });

  test('twice, reversed, forgotten, swapped', () => {
    expect(run(MISBEHAVIOURS['duplicates-pushes'], pushes(2)).commands).toHaveLength(4);
    expect(run(MISBEHAVIOURS['reorders-pushes'], pushes(3)).commands.slice(0, 2)).toEqual([
      `RPUSH ${LIST} 1`,
      `RPUSH ${LIST} 0`,
    ]);
    expect(
      run(MISBEHAVIOURS['forgets-deletes'], [command('del', 'k'), command('SET', 'k', 1)]).commands,
    ).toEqual(['SET k 1']);
    expect(
      run(MISBEHAVIOURS['swaps-databases'], [command('SELECT', 0), command('SELECT', 3)]).commands,
    ).toEqual(['SELECT 3', 'SELECT 0']);
  });

  test('values and expiries cut off', () => {
    const value = 'a long value '.repeat(20);
    const truncated = run(MISBEHAVIOURS['truncates-values'], [command('SET', 'k', value, 'KEEPTTL')]);
    expect(truncated.commands).toEqual([`SET k ${value.slice(0, 20)} KEEPTTL`]);
    const expiries = [
      command('SET', 'k', 1, 'PXAT', 4102444800000),
      command('pexpireat', 'k', 4102444800000),
    ];
    const lost = run(MISBEHAVIOURS['loses-expiries'], expiries);
    expect(lost.commands).toEqual(['SET k 1']);
    expect(lost.bytes).toBeGreaterThanOrEqual(bytesOf(expiries));
  });

  test('transactions taken apart, with a pause in the middle of one', () => {
    const { commands, holds } = run(MISBEHAVIOURS['tears-transactions'], [...pushes(400), ...turn(1)]);
    expect(commands).toHaveLength(403);
    expect(holds).toBe(1);
  });

  test('an older turn again, then the newest', () => {
    const { commands, holds } = run(MISBEHAVIOURS['goes-back'], [...pushes(400), ...turn(1), ...turn(2)]);
    expect(commands.slice(405).filter((text) => text.startsWith('SET'))).toEqual(
      [2, 1, 2].flatMap((number) => RING.map((key) => `SET ${key} ${number}`)),
    );
    expect(holds).toBe(1);
  });

  test('the first connection is cut, the second is not', () => {
    const bad = MISBEHAVIOURS['loses-connection'];
    expect(run(bad, pushes(600)).cuts).toBe(1);
    expect(run(bad, pushes(600)).cuts).toBe(0);
  });
});
