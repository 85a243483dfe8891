/** The table of commands against a real server's own: positions of keys, and that no write command is missing. */
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { isIdempotent, traitsOf } from '../../../engine/keys/command-traits.ts';
import { findKeys, NO_KEYS, SEVERAL_SLOTS, slotOf } from '../../../engine/keys/key-positions.ts';
import { clusterSlot } from '../../../engine/keys/cluster-slot.ts';
import { CommandFramer, type CommandFrame } from '../../../engine/resp/command-framer.ts';
import { encodeCommand } from '../../../engine/resp/encode.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { startServer } from '../../support/server.ts';

function frameOf(line: string): CommandFrame {
  const frames: CommandFrame[] = [];
  const words = line.split(' ').map((word) => (word === "''" ? '' : word));
  new CommandFramer((frame) => frames.push(frame)).push(encodeCommand(words));
  const [frame] = frames;
  if (frame === undefined) throw new Error(line);
  return frame;
}

function keysOf(line: string): string[] {
  const frame = frameOf(line);
  const positions: number[] = [];
  if (!findKeys(frame, positions)) throw new Error(`not known: ${line}`);
  return positions.map((at) => frame.buffer.toString('latin1', frame.argStart[at], frame.argEnd[at]));
}

function slotsOf(line: string): number {
  const frame = frameOf(line);
  const positions: number[] = [];
  findKeys(frame, positions);
  return slotOf(frame, positions);
}

const LINES = [
  'SET k v PXAT 1',
  'mset a 1 b 2 c 3',
  'DEL a b c',
  'RENAME a b',
  'BITOP AND d a b',
  'ZUNIONSTORE d 2 a b WEIGHTS 1 2',
  'ZDIFFSTORE d 1 a',
  'EVAL return 2 a b c d',
  'EVALSHA abc 0 x',
  'FCALL f 1 k v',
  'SORT k BY x GET y STORE d',
  'SORT k STORE c STORE d',
  'GEORADIUS k 1 2 3 km STORE d',
  'GEORADIUSBYMEMBER k m 3 km STOREDIST d',
  'XREAD COUNT 2 STREAMS a b 1 2',
  'XREADGROUP GROUP g c STREAMS a b > >',
  'XGROUP CREATE k g $',
  'MIGRATE h 1 k 0 100',
  "MIGRATE h 1 '' 0 100 REPLACE KEYS a b c",
  'LMPOP 2 a b LEFT',
  'BLMPOP 0 2 a b LEFT',
  'ZMPOP 1 a MIN',
  'PFMERGE d a b',
  'SMOVE a b m',
  'COPY a b REPLACE',
  'LMOVE a b LEFT RIGHT',
  'ZRANGESTORE d s 0 -1',
  'RESTORE k 0 payload REPLACE',
  'RESTORE-ASKING k 0 payload',
  'BLPOP a b 0',
];

describe('the keys of a command', () => {
  it('are those that a server finds in it', async () => {
    await using server = await startServer();
    await using connection = await Connection.open(server.endpoint);
    const wrong: string[] = [];
    for (const line of LINES) {
      const words = line.split(' ').map((word) => (word === "''" ? '' : word));
      const reply = await connection.tryCall('COMMAND', 'GETKEYS', ...words);
      const keys = Array.isArray(reply) ? reply.map(textOf) : [];
      if (keysOf(line).toSorted().join(' ') !== keys.toSorted().join(' ')) wrong.push(line);
    }
    expect(wrong).toEqual([]);
  });

  it('are known for every command of a server that writes', async () => {
    await using server = await startServer();
    await using connection = await Connection.open(server.endpoint);
    const rows = await connection.call('COMMAND');
    const wrong: string[] = [];
    for (const row of Array.isArray(rows) ? rows : []) {
      if (!Array.isArray(row)) continue;
      const [name, , flags, first, last, step] = row;
      const words = Array.isArray(flags) ? flags.map(textOf) : [];
      if (!words.includes('write') || words.includes('movablekeys')) continue;
      const bytes = Buffer.from(textOf(name).toUpperCase());
      const traits = traitsOf(bytes, 0, bytes.length);
      // Subcommands tell theirs one level down: of those only XGROUP writes.
      if (textOf(name) === 'xgroup') continue;
      if (traits?.first !== first || traits?.last !== last || traits?.step !== step)
        wrong.push(`${textOf(name)} ${[first, last, step].map((each) => textOf(each ?? null)).join(' ')}`);
    }
    expect(wrong).toEqual([]);
  });

  it('share a slot, or do not, or there are none', () => {
    expect(slotsOf('SET {a}1 v')).toBe(clusterSlot(Buffer.from('a')));
    expect(slotsOf('MSET {a}1 v {a}2 v')).toBe(clusterSlot(Buffer.from('a')));
    expect(slotsOf('MSET a v b v')).toBe(SEVERAL_SLOTS);
    expect(slotsOf('FLUSHALL')).toBe(NO_KEYS);
  });
});

describe('applying a command again', () => {
  it('does no harm only where it overwrites', () => {
    const harmless = ['SET k v', 'hset k f v', 'ZADD k 1 m', 'DEL a b', 'SREM k m', 'PEXPIREAT k 1'];
    const harmful = [
      'INCR k',
      'zadd k INCR 1 m',
      'RPUSH k v',
      'RENAME a b',
      'SUNIONSTORE d a b',
      'NEWCOMMAND k',
    ];
    expect(harmless.filter((line) => !isIdempotent(frameOf(line)))).toEqual([]);
    expect(harmful.filter((line) => isIdempotent(frameOf(line)))).toEqual([]);
  });
});
