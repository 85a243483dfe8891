/** A server of a real Codis group as source: what is different in Redis 3.2, and Codis's own commands, into a real target. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { dumpPayloadLength, writeDumpPayload } from '../../../engine/rdb/dump-payload.ts';
import { CodisGroup } from '../../support/codis-group.ts';
import {
  bytes,
  double,
  int64,
  length,
  snapshot,
  string,
  uint16,
  uint32,
  type Piece,
} from '../rdb/snapshot-bytes.ts';
import { ask, Rehearsal, until, type Life } from './rehearsal.ts';

const SCRIPT = "redis.call('rpush', KEYS[1], ARGV[1]) return redis.call('incr', KEYS[2])";
const SHA = createHash('sha1').update(SCRIPT).digest('hex');
/** Farther away than any deadline that is deferred. */
const LATER_MS = Date.now() + 24 * 3_600_000;

/** Of short texts, with the lengths and offsets that a server checks. */
function ziplist(...texts: string[]): Buffer {
  const entries: Buffer[] = [];
  for (const text of texts) entries.push(bytes(entries.at(-1)?.length ?? 0, text.length, text));
  const body = Buffer.concat(entries);
  const tail = 10 + body.length - (entries.at(-1)?.length ?? 0);
  return bytes(uint32(11 + body.length), uint32(tail), uint16(texts.length), body, 0xff);
}

function entry(type: number, key: string, value: Piece): Piece {
  return [type, string(key), value];
}

/** As 3.2 writes it: RDB 7. */
function image(...records: Piece[]): Buffer {
  return snapshot(
    'REDIS0007',
    [250, string('redis-ver'), string('3.2.11')],
    [250, string('redis-bits'), [0xc0, 64]],
    [250, string('ctime'), [0xc2, uint32(1_700_000_000)]],
    [250, string('used-mem'), [0xc2, uint32(1_000_000)]],
    ...records,
  );
}

/** Every layout that 3.2 has, in two databases. */
const EVERYTHING = image(
  [254, 0],
  [251, length(9), length(1)],
  entry(0, 'text', string('plain')),
  entry(0, 'number', [0xc1, 0x39, 0x30]),
  // literal "ab", then a copy that overlaps.
  entry(0, 'compressed', [0xc3, 6, 13, 0x01, 'ab', 0xe0, 0x02, 0x01]),
  entry(14, 'list', [length(2), string(ziplist('a', 'b')), string(ziplist('c'))]),
  entry(13, 'hash', string(ziplist('f', '1', 'g', '2'))),
  entry(4, 'big hash', [length(1), string('f'), string('v'.repeat(100))]),
  entry(12, 'zset', string(ziplist('low', '-1.5', 'high', '2'))),
  entry(3, 'big zset', [length(2), string('m'), [3, '0.5'], string('infinite'), 254]),
  [252, int64(LATER_MS), entry(2, 'set', [length(2), string('x'), string('y')])],
  [254, 1],
  [251, length(1), length(0)],
  entry(11, 'integers', string(bytes(uint32(2), uint32(2), uint16(5), uint16(70)))),
);

function payload(type: number, value: Piece): Buffer {
  const body = bytes(value);
  const out = Buffer.alloc(dumpPayloadLength(body.length));
  writeDumpPayload(type, body, 7, out, 0);
  return out;
}

async function applied(life: Life, offset: bigint): Promise<void> {
  await until(
    () => `offset ${offset}: ${life.describe()}`,
    () => {
      if (life.failure) throw new Error(`the link failed: ${life.failure.error.message}`);
      return BigInt(life.status.appliedOffset) >= offset;
    },
  );
}

describe('a server of a Codis group', () => {
  it('is copied: every layout of RDB 7, both databases, deadlines', async () => {
    await using rehearsal = await Rehearsal.open();
    await using group = await CodisGroup.start(EVERYTHING);
    const life = rehearsal.start({}, { source: group.endpoint });
    await life.reaches('Synchronizing');
    const { target } = rehearsal;
    expect(await ask(target, 'MGET', 'text', 'number', 'compressed')).toBe('plain 12345 ababababababa');
    expect(await ask(target, 'LRANGE', 'list', 0, -1)).toBe('a b c');
    expect(await ask(target, 'HMGET', 'hash', 'f', 'g')).toBe('1 2');
    expect(await ask(target, 'HGET', 'big hash', 'f')).toBe('v'.repeat(100));
    expect(await ask(target, 'ZRANGE', 'zset', 0, -1, 'WITHSCORES')).toBe('low -1.5 high 2');
    expect(await ask(target, 'ZRANGE', 'big zset', 0, -1, 'WITHSCORES')).toBe('m 0.5 infinite inf');
    expect(await ask(target, 'SCARD', 'set')).toBe('2');
    expect(await ask(target, 'PEXPIRETIME', 'set')).toBe(String(LATER_MS));
    await target.call('SELECT', 1);
    expect(await ask(target, 'SMEMBERS', 'integers')).toBe('5 70');
    expect(group.handshakes).toEqual(['REPLCONF capa eof capa psync2 version 9.0.0', 'PSYNC ? -1']);
  });

  it('is followed: scripts as text, durations, and keys that come from another group', async () => {
    await using rehearsal = await Rehearsal.open();
    await using group = await CodisGroup.start(image());
    const life = rehearsal.start({}, { source: group.endpoint });
    await life.reaches('Synchronizing');
    const offset = group.write(
      ['SELECT', 0],
      ['EVAL', SCRIPT, 2, 'pushed', 'counted', 'one'],
      ['EVALSHA', SHA, 2, 'pushed', 'counted', 'two'],
      ['SETEX', 'short', 3600, 'v'],
      ['EXPIRE', 'pushed', 3600],
      ['SELECT', 1],
      [
        'SLOTSRESTORE',
        'moved',
        0,
        payload(0, string('whole')),
        'moved too',
        3_600_000,
        payload(0, string('x')),
      ],
      ['slotsrestore-async', 'string', 'text', 0, 'arrived'],
      ['slotsrestore-async', 'object', 'object', 0, payload(13, string(ziplist('f', 'v')))],
      ['slotsrestore-async', 'list', 'pieces', 90_000, 3, 'a', 'b'],
      ['slotsrestore-async', 'list', 'pieces', 90_000, 3, 'c'],
      ['slotsrestore-async', 'expire', 'pieces', 0],
      ['slotsrestore-async', 'zset', 'scores', 90_000, 2, 'm', double(0.1), 'n', double(-Infinity)],
      ['slotsrestore-async', 'expire', 'scores', 3_600_000],
      ['slotsrestore-async', 'hash', 'fields', 0, 1, 'f', 'v'],
      ['slotsrestore-async', 'dict', 'members', 0, 1, 'm'],
      ['SET', 'gone', 'v'],
      ['slotsrestore-async', 'delete', 'gone'],
      ['DEL', 'nothing', 'moved too'],
    );
    await applied(life, offset);
    const { target } = rehearsal;
    expect(await ask(target, 'LRANGE', 'pushed', 0, -1)).toBe('one two');
    expect(await ask(target, 'GET', 'counted')).toBe('2');
    for (const key of ['short', 'pushed'])
      expect(Number(await ask(target, 'PTTL', key))).toBeGreaterThan(3_500_000);
    await target.call('SELECT', 1);
    expect(await ask(target, 'MGET', 'moved', 'text', 'gone', 'moved too')).toBe('whole arrived (nil) (nil)');
    expect(await ask(target, 'HGET', 'object', 'f')).toBe('v');
    expect(await ask(target, 'LRANGE', 'pieces', 0, -1)).toBe('a b c');
    expect(await ask(target, 'PTTL', 'pieces')).toBe('-1');
    expect(await ask(target, 'ZRANGE', 'scores', 0, -1, 'WITHSCORES')).toBe('n -inf m 0.10000000000000001');
    expect(Number(await ask(target, 'PTTL', 'scores'))).toBeGreaterThan(3_500_000);
    expect(await ask(target, 'HGET', 'fields', 'f')).toBe('v');
    expect(await ask(target, 'SMEMBERS', 'members')).toBe('m');
    expect(life.status.errors).toEqual({});
    await life.stop();
    expect(life.findings('SCRIPT_UNVERIFIED')).not.toHaveLength(0);
  });

  it('is continued after a break, where its +CONTINUE names no history: nothing twice', async () => {
    await using rehearsal = await Rehearsal.open();
    await using group = await CodisGroup.start(image());
    const life = rehearsal.start({}, { source: group.endpoint });
    await life.reaches('Synchronizing');
    await applied(life, group.write(['SELECT', 3], ['INCR', 'n'], ['RPUSH', 'l', 'a']));
    group.cut();
    const offset = group.write(['INCR', 'n'], ['RPUSH', 'l', 'b']);
    await applied(life, offset);
    expect(life.syncs).toEqual(['full', 'partial']);
    expect(group.handshakes.at(-1)).toMatch(new RegExp(`^PSYNC ${group.runId} \\d+$`));
    // Another process continues as well, from what the target says.
    await life.abort();
    const last = group.write(['INCR', 'n'], ['RPUSH', 'l', 'c']);
    const next = rehearsal.start({}, { source: group.endpoint });
    await applied(next, last);
    expect(next.syncs).toEqual(['partial']);
    await rehearsal.target.call('SELECT', 3);
    expect(await ask(rehearsal.target, 'GET', 'n')).toBe('3');
    expect(await ask(rehearsal.target, 'LRANGE', 'l', 0, -1)).toBe('a b c');
  });

  it('is copied again when it has become another run, and what it has not got any more goes', async () => {
    await using rehearsal = await Rehearsal.open();
    const records = Array.from({ length: 20 }, (_, index) => entry(0, `key:${index}`, string('old')));
    await using group = await CodisGroup.start(image([254, 0], ...records));
    const life = rehearsal.start({}, { source: group.endpoint });
    await life.reaches('Synchronizing');
    await applied(life, group.write(['SELECT', 0], ['SET', 'later', 'v']));
    const runId = group.runId;
    group.restart(image([254, 0], ...records.slice(5), entry(0, 'new', string('v'))));
    await until(
      () => `a second copy: ${life.describe()}`,
      () => life.of('sync-finished').length === 2,
    );
    expect(life.syncs).toEqual(['full', 'full']);
    expect(group.handshakes.filter((line) => line.startsWith(`PSYNC ${runId} `))).not.toHaveLength(0);
    expect(await ask(rehearsal.target, 'MGET', 'key:0', 'later', 'key:19', 'new')).toBe('(nil) (nil) old v');
    await applied(life, group.write(['SELECT', 0], ['INCR', 'n']));
    expect(await ask(rehearsal.target, 'GET', 'n')).toBe('1');
  });
});
