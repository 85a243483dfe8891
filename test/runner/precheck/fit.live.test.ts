/** Will the data fit: versions, payloads, modules, what is on the target already, memory, eviction. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { writeDumpFooter } from '../../../engine/rdb/dump-payload.ts';
import { compareVersions } from '../../../runner/precheck/checks/version.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { bulk, rowOf, startPeer, type Pair } from './support.ts';

let source: TestServer;
let target: TestServer;
let onSource: Connection;
let onTarget: Connection;

beforeAll(async () => {
  [source, target] = await Promise.all([startServer(), startServer()]);
  [onSource, onTarget] = await Promise.all([
    Connection.open(source.endpoint),
    Connection.open(target.endpoint),
  ]);
});

afterAll(async () => {
  await Promise.all([onSource.close(), onTarget.close()]);
  await Promise.all([source.stop(), target.stop()]);
});

beforeEach(async () => {
  await Promise.all([onSource.call('FLUSHALL'), onTarget.call('FLUSHALL')]);
  await onTarget.pipeline([
    ['CONFIG', 'SET', 'maxmemory', '0'],
    ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
  ]);
});

const row = (id: string, pair: Partial<Pair> = {}) =>
  rowOf(id, { source: source.endpoint, target: target.endpoint, ...pair });

async function withVersions(id: string, from: string, to: string): Promise<string> {
  await using fromPeer = await startPeer({ 'INFO SERVER': bulk(from) });
  await using toPeer = await startPeer({ 'INFO SERVER': bulk(to) });
  return (await rowOf(id, { source: fromPeer.endpoint, target: toPeer.endpoint })).verdict;
}

test.each([
  ['7.0.15', '7.0', 0],
  ['7.0.15', '7.0.2', 1],
  ['6.2.16', '7.0', -1],
  ['10.0.0', '9.9', 1],
])('%s compared with %s', (left, right, sign) => {
  expect(Math.sign(compareVersions(left, right))).toBe(sign);
});

test('version: real servers of the same version', async () => {
  for (const id of ['version.source', 'version.destination', 'version.order']) {
    expect(await row(id)).toMatchObject({ verdict: 'PASS' });
  }
});

test.each([
  ['version.source', 'redis_version:2.6.17', 'redis_version:7.0.15', 'FAIL'],
  ['version.source', 'redis_version:2.8.0', 'redis_version:7.0.15', 'PASS'],
  ['version.destination', 'redis_version:4.0.14', 'redis_version:4.0.14', 'FAIL'],
  ['version.destination', 'redis_version:4.0.14', 'redis_version:5.0.3', 'PASS'],
  ['version.order', 'redis_version:7.2.4', 'redis_version:7.0.15', 'WARN'],
  ['version.order', 'redis_version:6.2.16', 'redis_version:7.0.15', 'PASS'],
  ['version.order', 'redis_version:7.0.15', 'redis_version:7.2.4\r\nvalkey_version:8.0.1', 'WARN'],
  ['version.source', 'server:proxy', 'redis_version:7.0.15', 'UNKNOWN'],
])('%s: %s → %s is %s', async (id, from, to, verdict) => {
  expect(await withVersions(id, from, to)).toBe(verdict);
});

test('restore.compat: made values on throw-away servers, and none of them stays', async () => {
  expect(await row('restore.compat', { throwAway: true })).toMatchObject({
    verdict: 'PASS',
    measured: expect.stringMatching(
      /^RESTORE of 6 payloads version \d+ \(string, list, hash, set, zset, stream\) → OK$/,
    ),
  });
  expect(await onSource.call('DBSIZE')).toBe(0);
  expect(await onTarget.call('DBSIZE')).toBe(0);
});

test('restore.compat: real keys of the source, big ones left out, in every database', async () => {
  await onSource.pipeline([
    ['SET', 'big', 'x'.repeat(100_000)],
    ['SET', 'small', 'x'],
    ['SELECT', '11'],
    ['GEOADD', 'geo', '13.4', '52.5', 'berlin'],
    ['SELECT', '0'],
  ]);
  const restored = await row('restore.compat', { throwAway: true });
  expect(restored).toMatchObject({
    verdict: 'PASS',
    measured: expect.stringContaining('RESTORE of 8 payloads'),
  });
});

test('restore.compat: a source without keys that must not be written to', async () => {
  expect(await row('restore.compat')).toMatchObject({
    verdict: 'UNKNOWN',
    measured: expect.stringContaining('no key to try'),
  });
});

test('restore.compat: a target that must not be written to is judged by its own payloads', async () => {
  await onSource.call('SET', 'k', 'v');
  expect(await row('restore.compat')).toMatchObject({ verdict: 'UNKNOWN' });
  await onTarget.call('SET', 'k', 'v');
  expect(await row('restore.compat')).toMatchObject({
    verdict: 'PASS',
    measured: expect.stringContaining('on the target'),
  });
});

/** A source whose only key dumps as a string with the given payload version. */
function sourceOfVersion(version: number) {
  const payload = Buffer.concat([Buffer.from([0, 1, 0x76]), Buffer.alloc(10)]);
  writeDumpFooter(payload, 0, 3, version);
  return startPeer({
    'INFO KEYSPACE': bulk('db0:keys=1,expires=0,avg_ttl=0\r\n'),
    SELECT: '+OK\r\n',
    RANDOMKEY: bulk('k'),
    TYPE: '+string\r\n',
    'MEMORY USAGE': ':56\r\n',
    DUMP: bulk(payload),
  });
}

test('restore.compat: a payload that is newer than the target, refused by the real target', async () => {
  await using newer = await sourceOfVersion(12);
  const refused = await row('restore.compat', { source: newer.endpoint, throwAway: true });
  expect(refused).toMatchObject({
    verdict: 'FAIL',
    measured: expect.stringMatching(
      /^RESTORE of payload version 12 .* → ERR DUMP payload version or checksum are wrong$/,
    ),
  });
  await onTarget.call('SET', 'k', 'v');
  expect(await row('restore.compat', { source: newer.endpoint })).toMatchObject({ verdict: 'FAIL' });
});

test('restore.compat: a payload that we cannot read ourselves', async () => {
  await using future = await sourceOfVersion(79);
  expect(await row('restore.compat', { source: future.endpoint, throwAway: true })).toMatchObject({
    verdict: 'FAIL',
    repair: expect.stringContaining('upgrade it'),
  });
});

test('modules.source: none on a real server; loaded; in use', async () => {
  expect(await row('modules.source')).toMatchObject({ verdict: 'PASS', measured: 'MODULE LIST → none' });
  const list = Buffer.concat([
    Buffer.from('*1\r\n*4\r\n'),
    bulk('name'),
    bulk('ReJSON'),
    bulk('ver'),
    Buffer.from(':20000\r\n'),
  ]);
  const withKey = async (type: string) => {
    await using peer = await startPeer({ 'MODULE LIST': list, RANDOMKEY: bulk('k'), TYPE: `+${type}\r\n` });
    return await row('modules.source', { source: peer.endpoint });
  };
  expect(await withKey('string')).toMatchObject({
    verdict: 'WARN',
    measured: expect.stringContaining('ReJSON'),
  });
  expect(await withKey('ReJSON-RL')).toMatchObject({
    verdict: 'FAIL',
    measured: expect.stringContaining('ReJSON-RL'),
  });
});

test('destination.empty: nothing, or only keys of our own', async () => {
  expect(await row('destination.empty')).toMatchObject({
    verdict: 'PASS',
    measured: 'INFO keyspace → no database has keys',
  });
  await onTarget.call('SET', 'redis-sync:probe:x', '1');
  await onTarget.call('SET', 'DTS_REDIS_TIMESTAMP_HEARTBEAT:x', '1');
  expect(await row('destination.empty')).toMatchObject({
    verdict: 'PASS',
    measured: 'SCAN → only our own keys',
  });
});

test('destination.empty: a key in a high database blocks, and is named', async () => {
  await onTarget.pipeline([
    ['SET', 'redis-sync:link:other', '1'],
    ['SELECT', '12'],
    ['SET', 'user:1', 'x'],
    ['SELECT', '0'],
  ]);
  expect(await row('destination.empty')).toMatchObject({
    verdict: 'FAIL',
    measured: 'INFO keyspace → db0 1 keys, db12 1 keys; SCAN → "user:1" in db12',
    repair: expect.stringContaining('FLUSHALL'),
  });
});

test('destination.empty: one foreign key among thousands of our own is found', async () => {
  await onTarget.pipeline(Array.from({ length: 3000 }, (_, index) => ['SET', `redis-sync:x:${index}`, '1']));
  expect(await row('destination.empty')).toMatchObject({ verdict: 'PASS' });
  await onTarget.call('SET', 'foreign', '1');
  expect(await row('destination.empty')).toMatchObject({ verdict: 'FAIL' });
});

test('destination.empty: allowed by the spec, or resuming', async () => {
  await onTarget.call('SET', 'user:1', 'x');
  expect(await row('destination.empty', { allowExisting: true })).toMatchObject({ verdict: 'WARN' });
  await onTarget.call('HSET', 'redis-sync:link:a', 'replid', 'x', 'offset', '1');
  expect(await row('destination.empty')).toMatchObject({
    verdict: 'PASS',
    measured: expect.stringContaining('an earlier run of the same link'),
  });
});

test('capacity.memory: fits, fits barely, does not fit', async () => {
  await onSource.pipeline(
    Array.from({ length: 200 }, (_, index) => ['SET', `k${index}`, 'x'.repeat(100_000)]),
  );
  const needed = Number(parseInfo(await onSource.call('INFO', 'memory'))['used_memory_dataset']);
  expect(await row('capacity.memory')).toMatchObject({ verdict: 'PASS' });
  const free = async (ratio: number) => {
    const used = Number(parseInfo(await onTarget.call('INFO', 'memory'))['used_memory']);
    await onTarget.call('CONFIG', 'SET', 'maxmemory', Math.round(used + needed * ratio));
    return row('capacity.memory');
  };
  expect(await free(1.3)).toMatchObject({ verdict: 'PASS' });
  expect(await free(1.05)).toMatchObject({ verdict: 'WARN' });
  expect(await free(0.5)).toMatchObject({ verdict: 'FAIL', repair: expect.stringContaining('maxmemory') });
});

test('eviction.destination: no limit, noeviction, and a policy that throws keys away', async () => {
  await onTarget.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  expect(await row('eviction.destination')).toMatchObject({
    verdict: 'PASS',
    measured: expect.stringContaining('maxmemory 0'),
  });
  await onTarget.call('CONFIG', 'SET', 'maxmemory', '100mb');
  expect(await row('eviction.destination')).toMatchObject({
    verdict: 'WARN',
    measured: 'INFO memory → maxmemory-policy allkeys-lru, maxmemory 104857600',
  });
  await onTarget.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  expect(await row('eviction.destination')).toMatchObject({ verdict: 'PASS' });
});

test('eviction.destination: an old server tells it through CONFIG only', async () => {
  await using peer = await startPeer({
    'INFO MEMORY': bulk('used_memory:1000\r\n'),
    'CONFIG GET MAXMEMORY-POLICY': Buffer.concat([
      Buffer.from('*2\r\n'),
      bulk('maxmemory-policy'),
      bulk('volatile-lru'),
    ]),
    'CONFIG GET MAXMEMORY': Buffer.concat([Buffer.from('*2\r\n'), bulk('maxmemory'), bulk('1000')]),
  });
  expect(await row('eviction.destination', { target: peer.endpoint })).toMatchObject({
    verdict: 'WARN',
    measured: 'CONFIG GET → maxmemory-policy volatile-lru, maxmemory 1000',
  });
});
