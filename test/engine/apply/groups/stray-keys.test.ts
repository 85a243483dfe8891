import { describe, expect, it } from 'vitest';
import { StrayKeys } from '../../../../engine/apply/groups/stray-keys.ts';
import { GrowingFindings } from '../../../../engine/apply/growing-findings.ts';
import { treatmentOf } from '../../../../engine/apply/treatments.ts';
import { codisSlot } from '../../../../engine/keys/codis-slot.ts';
import { CommandFramer } from '../../../../engine/resp/command-framer.ts';
import { encodeCommand } from '../../../../engine/resp/encode.ts';

/** Slots 0 to 511 are the group's. */
const OWN = keyIn((slot) => slot < 512);
const OTHER = keyIn((slot) => slot >= 512);

function keyIn(isWanted: (slot: number) => boolean): string {
  for (let index = 0; ; index++) if (isWanted(codisSlot(`key:${index}`))) return `key:${index}`;
}

function open(told: string[] = [], peers: ReadonlySet<string> = new Set()): StrayKeys {
  return new StrayKeys({
    link: 'g',
    slots: [
      [0, 500],
      [501, 511],
    ],
    heartbeatPrefix: 'HEART',
    growing: new GrowingFindings(({ code }) => told.push(code)),
    onFinding: ({ code }) => told.push(code),
    heartbeatMs: 100,
    lateMs: 1000,
    readPeers: () => Promise.resolve(peers),
  });
}

/** What is kept on the target because of a command in database 3; undefined when nothing is. */
function kept(strays: StrayKeys, ...words: string[]): string | undefined {
  let answer: string | undefined;
  new CommandFramer((frame) => {
    const treatment = treatmentOf(frame.buffer, frame.argStart[0]!, frame.argEnd[0]!);
    answer = strays.read(frame, treatment, 3, 77n)?.bytes.toString();
  }).push(encodeCommand(words));
  return answer;
}

function mark(...keys: string[]): string {
  return encodeCommand(['SADD', 'redis-sync:moved:g', ...keys.map((key) => `3:${key}`)]).toString();
}

describe('keys that may be of another group', () => {
  it('are those that are written in slots of others', () => {
    const told: string[] = [];
    const strays = open(told);
    expect(kept(strays, 'SET', OWN, 'v')).toBeUndefined();
    expect(strays.lastOffset).toBe(-1n);
    expect(kept(strays, 'INCR', OTHER)).toBe(mark(OTHER));
    expect(kept(strays, 'DEL', OWN, OTHER)).toBe(mark(OTHER));
    expect(kept(strays, 'ZUNIONSTORE', OWN, '1', OTHER)).toBe(mark(OTHER));
    expect(strays.lastOffset).toBe(77n);
    expect(told).toContain('TOPOLOGY_CHANGED');
  });

  it('are all that are restored: they may have come home', () => {
    expect(kept(open(), 'RESTORE', OWN, '0', 'payload')).toBe(mark(OWN));
    expect(kept(open(), 'SLOTSRESTORE', OWN, '0', 'p', OTHER, '0', 'p')).toBe(mark(OWN, OTHER));
    expect(kept(open(), 'slotsrestore-async', 'delete', OWN)).toBe(mark(OWN));
  });

  it('are never our own', () => {
    expect(kept(open(), 'RESTORE', 'HEART:1', '0', 'p')).toBeUndefined();
    expect(kept(open(), 'RESTORE', 'redis-sync:link:g', '0', 'p')).toBeUndefined();
  });

  it('are those of a snapshot, but not without end', () => {
    const told: string[] = [];
    const strays = open(told);
    strays.beginSnapshot();
    expect(strays.entry(3, Buffer.from(OWN))).toBeUndefined();
    expect(strays.entry(3, Buffer.from(OTHER))?.toString()).toBe(mark(OTHER));
    let last: Buffer | undefined;
    for (let count = 0; count < 100_000; count++) last = strays.entry(3, Buffer.from(OTHER));
    expect(last).toBeUndefined();
    expect(told).toEqual(['TOPOLOGY_CHANGED']);
  });

  it('are those of commands that the target refused, handed out once', () => {
    const strays = open();
    expect(strays.refused(0, Buffer.from('HEART:1'))).toBe(false);
    expect(strays.refused(1, Buffer.from(OWN))).toBe(true);
    expect(strays.hasRefused).toBe(true);
    expect(strays.takeRefused()).toEqual([{ database: 1, key: Buffer.from(OWN) }]);
    expect(strays.hasRefused).toBe(false);
  });
});

/** Whether a command in database 3 is left to others. */
function leftOut(strays: StrayKeys, ...words: string[]): boolean {
  let answer = false;
  new CommandFramer((frame) => {
    const treatment = treatmentOf(frame.buffer, frame.argStart[0]!, frame.argEnd[0]!);
    answer = strays.leavesOut(frame, treatment, 3);
  }).push(encodeCommand(words));
  return answer;
}

describe('a late link', () => {
  const PEERS = new Set([`3:${OWN}`, '3:also theirs']);

  it('leaves out what concerns only keys of others', async () => {
    const strays = open([], PEERS);
    await strays.prepare(0, 5000);
    expect(leftOut(strays, 'DEL', OWN)).toBe(true);
    expect(leftOut(strays, 'DEL', OWN, 'also theirs')).toBe(true);
    expect(leftOut(strays, 'DEL', OWN, 'mine')).toBe(false);
    expect(leftOut(strays, 'SET', 'mine', 'v')).toBe(false);
    expect(leftOut(strays, 'PING')).toBe(false);
    expect(leftOut(strays, 'EVALSHA', 'sha', '1', OWN)).toBe(false);
    expect(leftOut(strays, 'MOVE', OWN, '5')).toBe(false);
  });

  it('does not leave out a key any more that has come back', async () => {
    const strays = open([], PEERS);
    await strays.prepare(0, 5000);
    expect(leftOut(strays, 'RESTORE', OWN, '0', 'payload')).toBe(false);
    expect(leftOut(strays, 'INCR', OWN)).toBe(false);
  });

  it('is one whose bytes have waited, or whose heartbeats are old', async () => {
    const strays = open([], PEERS);
    strays.heartbeat(10_000);
    await strays.prepare(10_000, 10_500);
    expect(leftOut(strays, 'DEL', OWN)).toBe(false);
    await strays.prepare(9000, 10_500);
    expect(leftOut(strays, 'DEL', OWN)).toBe(true);
    await strays.prepare(10_500, 10_500);
    expect(leftOut(strays, 'DEL', OWN)).toBe(false);
    await strays.prepare(12_000, 12_000);
    expect(leftOut(strays, 'DEL', OWN)).toBe(true);
  });

  it('remembers what it has left out', async () => {
    const strays = open([], PEERS);
    let own: string | undefined;
    new CommandFramer((frame) => (own = strays.leftOut(frame, 3, 88n).bytes.toString())).push(
      encodeCommand(['DEL', OWN, 'also theirs']),
    );
    expect(own).toBe(mark(OWN, 'also theirs'));
    expect(strays.lastOffset).toBe(88n);
  });
});
