/**
 * Values of hundreds of megabytes in a full sync, and how much memory the engine takes for them. The largest ones only with
 * REDIS_SYNC_BIG=1, after `npm run build`.
 */
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import { startServer } from '../../../support/server.ts';
import { EngineProcess } from './engine-process.ts';

const MEGABYTE = 1 << 20;
/** The promise, 200 MB. What is not built takes more when idle, so there the growth is held against it: idle are 65 MiB. */
const PEAK_MIB_MAX = 190;
const GROWTH_MIB_MAX = PEAK_MIB_MAX - 65;
const CONFIG = { 'proto-max-bulk-len': '4gb', 'client-output-buffer-limit': 'replica 0 0 0' };
const BIG = process.env['REDIS_SYNC_BIG'] === '1';

/** SHA1 over the string's parts, by the server itself. */
const DIGEST = `local digest = ''
for at = 0, redis.call('strlen', 'big') - 1, 33554432 do
  digest = redis.sha1hex(digest .. redis.call('getrange', 'big', at, at + 33554431))
end
return digest`;

const ADD_MEMBERS = `for i = ARGV[1], ARGV[2] do redis.call('zadd', 'big', i * 1.1, 'member number ' .. i) end`;

async function fillString(connection: Connection, megabytes: number): Promise<void> {
  const noise = Buffer.alloc(MEGABYTE);
  for (let at = 0, state = 7; at < noise.length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    noise.writeUInt32LE(state, at);
  }
  await connection.call('SETRANGE', 'big', megabytes * MEGABYTE - 1, 'x');
  for (let number = 0; number < megabytes; number++) {
    noise.writeUInt32LE(number, 0);
    await connection.call('SETRANGE', 'big', number * MEGABYTE, noise);
  }
}

async function fillZset(connection: Connection, members: number): Promise<void> {
  for (let from = 1; from <= members; from += 50_000) {
    await connection.call('EVAL', ADD_MEMBERS, 0, from, Math.min(members, from + 49_999));
  }
}

async function digestString(connection: Connection): Promise<string> {
  return textOf(
    await connection.pipeline([
      ['STRLEN', 'big'],
      ['EVAL', DIGEST, 0],
      ['PTTL', 'big'],
    ]),
  );
}

/** How many there are, and some of them. */
async function sampleZset(connection: Connection): Promise<string> {
  const last = Number(await connection.call('ZCARD', 'big')) - 1;
  const places = Array.from({ length: 50 }, (_, index) => Math.floor((last * index) / 49));
  const samples = await connection.pipeline(places.map((at) => ['ZRANGE', 'big', at, at, 'WITHSCORES']));
  return `${last + 1} ${textOf(samples)}`;
}

async function copied(
  fill: (connection: Connection) => Promise<void>,
  digest: (connection: Connection) => Promise<string>,
): Promise<{ source: string; target: string; keys: string; grownMib: number; peakMib: number }> {
  await using source = await startServer(CONFIG);
  await using target = await startServer(CONFIG);
  await using onSource = await Connection.open(source.endpoint, { replyTimeoutMs: 0 });
  await using onTarget = await Connection.open(target.endpoint, { replyTimeoutMs: 0 });
  await fill(onSource);
  // What is there is replaced, whatever its type.
  await onTarget.call('RPUSH', 'big', 'something else');
  await using engine = await EngineProcess.start(source.endpoint, target.endpoint);
  await engine.heard('sync-finished');
  const { grownMib, peakMib } = (await engine.memory()) ?? { grownMib: 0, peakMib: 0 };
  if (BIG) process.stdout.write(`grown by ${grownMib.toFixed(0)} to ${peakMib.toFixed(0)} MiB\n`);
  return {
    source: await digest(onSource),
    target: await digest(onTarget),
    keys: textOf(await onTarget.call('KEYS', '*tmp*')),
    grownMib,
    peakMib,
  };
}

describe('a full sync with', () => {
  it('a string of 200 MB takes little memory and arrives', async () => {
    const { source, target, keys, grownMib } = await copied((on) => fillString(on, 200), digestString);
    expect(target).toBe(source);
    expect(keys).toBe('');
    expect(grownMib).toBeLessThan(GROWTH_MIB_MAX);
  });

  it('a sorted set of 400,000 members takes little memory and arrives', async () => {
    const { source, target, keys, grownMib } = await copied((on) => fillZset(on, 400_000), sampleZset);
    expect(target).toBe(source);
    expect(keys).toBe('');
    expect(grownMib).toBeLessThan(GROWTH_MIB_MAX);
  });

  it.runIf(BIG)('a string of 1 GB', { timeout: 600_000 }, async () => {
    const { source, target, peakMib } = await copied((on) => fillString(on, 1024), digestString);
    expect(target).toBe(source);
    expect(peakMib).toBeLessThan(PEAK_MIB_MAX);
  });

  // Six gigabytes on each side.
  it.runIf(BIG)('a sorted set of 50 million members', { timeout: 2_400_000 }, async () => {
    const { source, target, peakMib } = await copied((on) => fillZset(on, 50_000_000), sampleZset);
    expect(target).toBe(source);
    expect(peakMib).toBeLessThan(PEAK_MIB_MAX);
  });
});
