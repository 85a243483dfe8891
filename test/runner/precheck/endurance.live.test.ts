/** Will the link hold: heartbeat keys, repl-timeout, backlog, output buffer, with and without load. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { parseReplicaLimit } from '../../../runner/precheck/checks/repl-outputbuffer.ts';
import { runPrechecks } from '../../../runner/precheck/run-prechecks.ts';
import { PRECHECKS } from '../../../runner/precheck/registry.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { contextOf, rowOf, type Pair } from './support.ts';

let source: TestServer;
let target: TestServer;
let replica: TestServer;
let onSource: Connection;

beforeAll(async () => {
  [source, target] = await Promise.all([startServer(), startServer()]);
  // With a replica the source keeps a backlog, and its offset can be watched.
  replica = await startServer({ replicaof: `127.0.0.1 ${source.port}` });
  onSource = await Connection.open(source.endpoint);
  while (parseInfo(await onSource.call('INFO', 'replication'))['repl_backlog_active'] !== '1') {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

afterAll(async () => {
  await onSource.close();
  await Promise.all([source, target, replica].map((server) => server.stop()));
});

beforeEach(() => onSource.call('FLUSHALL'));

const row = (id: string, pair: Partial<Pair> = {}) =>
  rowOf(id, { source: source.endpoint, target: target.endpoint, ...pair });
const set = (name: string, value: string) => onSource.call('CONFIG', 'SET', name, value);

/** Runs something while a client writes as fast as it can. */
async function underLoad<T>(during: () => Promise<T>): Promise<T> {
  await using writer = await Connection.open(source.endpoint);
  const done = new AbortController();
  const value = 'x'.repeat(10_000);
  const writing = (async () => {
    while (!done.signal.aborted)
      await writer.pipeline(Array.from({ length: 100 }, (_, index) => ['SET', `load:${index}`, value]));
  })();
  try {
    return await during();
  } finally {
    done.abort();
    await writing;
  }
}

test('heartbeat.collision: none, another task’s, a user’s key', async () => {
  const prefix = 'DTS_REDIS_TIMESTAMP_HEARTBEAT';
  await onSource.call('SET', 'user:1', 'x');
  expect(await row('heartbeat.collision')).toMatchObject({ verdict: 'PASS' });
  await onSource.call('SET', `${prefix}:other`, '1', 'EX', '60');
  expect(await row('heartbeat.collision')).toMatchObject({
    verdict: 'WARN',
    measured: expect.stringContaining(`${prefix}:other`),
  });
  await onSource.call('SET', `${prefix}_MINE`, '1');
  expect(await row('heartbeat.collision')).toMatchObject({
    verdict: 'FAIL',
    measured: expect.stringContaining(`${prefix}_MINE`),
  });
});

test('repl.timeout: long, the default, too short; a rehearsal may choose it', async () => {
  await set('repl-timeout', '600');
  expect(await row('repl.timeout')).toMatchObject({
    verdict: 'PASS',
    measured: 'CONFIG GET repl-timeout → 600',
  });
  await set('repl-timeout', '60');
  expect(await row('repl.timeout')).toMatchObject({ verdict: 'WARN' });
  await set('repl-timeout', '10');
  expect(await row('repl.timeout')).toMatchObject({
    verdict: 'FAIL',
    repair: expect.stringContaining('CONFIG SET repl-timeout 600'),
  });
  expect(await row('repl.timeout', { throwAway: true })).toMatchObject({ verdict: 'WARN' });
  await set('repl-timeout', '60');
});

test('repl.timeout: CONFIG not allowed is UNKNOWN, with the server’s text', async () => {
  await onSource.call('ACL', 'SETUSER', 'noconfig', 'on', '>pw', '~*', '+@all', '-config');
  const endpoint = { ...source.endpoint, username: 'noconfig', password: 'pw' };
  expect(await row('repl.timeout', { source: endpoint })).toMatchObject({
    verdict: 'UNKNOWN',
    measured: expect.stringMatching(/^CONFIG GET repl-timeout → NOPERM/),
    repair: expect.stringContaining('right to run this command'),
  });
});

test('repl.backlog: idle, under load with the default size, under load with a big one', async () => {
  await set('repl-backlog-size', '1mb');
  expect(await row('repl.backlog')).toMatchObject({ verdict: 'PASS' });
  expect(await underLoad(() => row('repl.backlog'))).toMatchObject({
    verdict: 'FAIL',
    measured: expect.stringMatching(/1048576; Δmaster_repl_offset \d+ in 300 ms: holds \d\.\d s/),
    repair: expect.stringMatching(/repl-backlog-size \d+mb/),
  });
  expect(await underLoad(() => row('repl.backlog', { throwAway: true }))).toMatchObject({ verdict: 'WARN' });
  await set('repl-backlog-size', '100gb');
  expect(await underLoad(() => row('repl.backlog'))).toMatchObject({ verdict: 'PASS' });
});

test('repl.backlog: a source without a replica has only an upper bound, which never blocks', async () => {
  await using lonely = await startServer();
  expect(await row('repl.backlog', { source: lonely.endpoint })).toMatchObject({
    measured: expect.stringContaining('instantaneous_input_kbps'),
  });
  expect((await row('repl.backlog', { source: lonely.endpoint })).verdict).toBe('PASS');
});

test('repl.outputbuffer: unlimited, the default, too small for what is written during a snapshot', async () => {
  await set('client-output-buffer-limit', 'replica 0 0 0');
  expect(await row('repl.outputbuffer')).toMatchObject({
    verdict: 'PASS',
    measured: 'CONFIG GET client-output-buffer-limit → replica 0 0 0',
  });
  await set('client-output-buffer-limit', 'replica 268435456 67108864 60');
  expect(await row('repl.outputbuffer')).toMatchObject({
    verdict: 'WARN',
    repair: expect.stringContaining('replica 0 0 0'),
  });
  await onSource.pipeline(
    Array.from({ length: 300 }, (_, index) => ['SET', `k${index}`, 'x'.repeat(100_000)]),
  );
  await set('client-output-buffer-limit', 'replica 1048576 1048576 60');
  expect(await underLoad(() => row('repl.outputbuffer'))).toMatchObject({ verdict: 'FAIL' });
  await set('client-output-buffer-limit', 'replica 0 0 0');
});

test.each([
  [
    'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
    { hardBytes: 268435456, softBytes: 67108864, softSeconds: 60 },
  ],
  ['normal 0 0 0 replica 0 0 0 pubsub 1 1 1', { hardBytes: 0, softBytes: 0, softSeconds: 0 }],
  ['normal 0 0 0', undefined],
])('reads %j', (text, limit) => {
  expect(parseReplicaLimit(text)).toEqual(limit);
});

test('two fresh servers of a rehearsal: nothing blocks, nothing is unknown, and nothing stays on them', async () => {
  await using a = await startServer();
  await using b = await startServer();
  const rows = await runPrechecks(contextOf({ source: a.endpoint, target: b.endpoint, throwAway: true }));
  // One source has nobody to share keys with.
  expect(
    rows.flatMap(({ id, verdict }) => (['PASS', 'WARN'].includes(verdict) ? [] : [`${id} ${verdict}`])),
  ).toEqual(['topology.ownership SKIP', 'cluster.databases SKIP', 'cluster.crossslot SKIP']);
  expect(new Set(rows.map((candidate) => candidate.id))).toEqual(new Set(PRECHECKS.map((check) => check.id)));
  expect(rows.filter((candidate) => candidate.verdict === 'WARN').map((candidate) => candidate.id)).toEqual([
    'repl.timeout',
    'repl.outputbuffer',
  ]);
  for (const server of [a, b]) {
    await using connection = await Connection.open(server.endpoint);
    expect(await connection.call('DBSIZE')).toBe(0);
  }
});

test('two links into one target, one source for two: each subject is measured once', async () => {
  const { instances, ...rest } = contextOf({ source: source.endpoint, target: target.endpoint });
  const src = instances.get('src');
  if (!src) throw new Error('no source');
  const rows = await runPrechecks({
    ...rest,
    instances: new Map([...instances, ['src2', src]]),
    links: [
      { id: 'a', source: 'src', target: 'dst' },
      { id: 'b', source: 'src2', target: 'dst' },
      { id: 'c', source: 'src', target: 'src2' },
    ],
    only: ['conn.source', 'conn.destination', 'auth.login', 'topology.distinct'],
  });
  const subjects = rows.map((candidate) => `${candidate.id} ${candidate.subject.split(' (')[0]}`);
  expect(subjects).toEqual([
    'conn.source src',
    'conn.source src2',
    'conn.destination dst',
    'conn.destination src2',
    'auth.login src',
    'auth.login dst',
    'auth.login src2',
    'topology.distinct link a',
    'topology.distinct link b',
    'topology.distinct link c',
  ]);
});
