/** Can we talk, who is it, may we: conn, auth, arch, role, topology, priv. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { blockingRows, runPrechecks } from '../../../runner/precheck/run-prechecks.ts';
import { pickFreePort } from '../../../runner/provision/free-port.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { bulk, contextOf, rowOf, startPeer } from './support.ts';

let source: TestServer;
let target: TestServer;
let replica: TestServer;
let locked: TestServer;
let cluster: TestServer;
let renamed: TestServer;

beforeAll(async () => {
  [source, target, locked, cluster, renamed] = await Promise.all([
    startServer(),
    startServer(),
    startServer({ requirepass: 'geheim' }),
    startServer({ 'cluster-enabled': 'yes' }),
    startServer({ 'rename-command': 'psync hidden' }),
  ]);
  replica = await startServer({ replicaof: `127.0.0.1 ${source.port}` });
  await using connection = await Connection.open(replica.endpoint);
  while (parseInfo(await connection.call('INFO', 'replication'))['master_link_status'] !== 'up') {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

afterAll(() =>
  Promise.all([source, target, replica, locked, cluster, renamed].map((server) => server.stop())),
);

/** A user on a server, as an endpoint that logs in with it. */
async function user(server: TestServer, name: string, ...rules: string[]): Promise<Endpoint> {
  await using connection = await Connection.open(server.endpoint);
  await connection.call('ACL', 'SETUSER', name, 'reset', 'on', '>pw', ...rules);
  return { ...server.endpoint, username: name, password: 'pw' };
}

async function nobody(): Promise<Endpoint> {
  return { host: '127.0.0.1', port: await pickFreePort() };
}

/** The row of a check about the source (the target is any server), and about the target. */
const aboutSource = (id: string, endpoint: Endpoint) =>
  rowOf(id, { source: endpoint, target: target.endpoint });
const aboutTarget = (id: string, endpoint: Endpoint) =>
  rowOf(id, { source: source.endpoint, target: endpoint });

const loginWith = (fields: Partial<Endpoint>) =>
  rowOf('auth.login', { source: { ...locked.endpoint, ...fields }, target: target.endpoint }, 'src');

const distinctRow = (from: TestServer, to: TestServer) =>
  rowOf('topology.distinct', { source: from.endpoint, target: to.endpoint });

/** Verdicts about a source that is a scripted peer. */
async function archVerdict(info: string): Promise<string> {
  await using peer = await startPeer({ 'INFO SERVER': bulk(info) });
  return (await rowOf('arch.match', { source: peer.endpoint, target: target.endpoint }, 'src')).verdict;
}

async function privVerdict(replies: Record<string, string | Buffer>): Promise<string> {
  await using peer = await startPeer(replies);
  return (await aboutSource('priv.replication', peer.endpoint)).verdict;
}

test('conn: both answer', async () => {
  const pair = { source: source.endpoint, target: target.endpoint };
  expect(await rowOf('conn.source', pair)).toMatchObject({
    verdict: 'PASS',
    subject: `src (127.0.0.1:${source.port})`,
    measured: expect.stringMatching(/^PING → PONG in \d+\.\d ms$/),
    evidence: 'measured',
  });
  expect(await rowOf('conn.destination', pair)).toMatchObject({
    verdict: 'PASS',
    subject: `dst (127.0.0.1:${target.port})`,
  });
});

test('conn: nobody listens', async () => {
  const row = await rowOf('conn.destination', { source: source.endpoint, target: await nobody() });
  expect(row).toMatchObject({ verdict: 'FAIL', measured: expect.stringContaining('ECONNREFUSED') });
  expect(row.repair).toContain('Nothing listens');
});

test('conn: a slow network', async () => {
  await using peer = await startPeer({ PING: '+PONG\r\n' }, 60);
  expect(await rowOf('conn.source', { source: peer.endpoint, target: target.endpoint })).toMatchObject({
    verdict: 'WARN',
  });
});

test('conn: a server that is loading', async () => {
  await using peer = await startPeer({ PING: '-LOADING Redis is loading the dataset in memory\r\n' });
  expect(await rowOf('conn.source', { source: peer.endpoint, target: target.endpoint })).toMatchObject({
    verdict: 'FAIL',
    measured: 'PING → LOADING Redis is loading the dataset in memory',
  });
});

test('everything about an unreachable server is FAIL or UNKNOWN, and nothing is thrown', async () => {
  const rows = await runPrechecks(contextOf({ source: await nobody(), target: await nobody() }));
  expect(rows.length).toBeGreaterThan(20);
  expect([...new Set(rows.map((row) => row.verdict))].toSorted()).toEqual(['FAIL', 'SKIP', 'UNKNOWN']);
  expect(blockingRows(rows).map((row) => row.id)).toEqual(['conn.source', 'conn.destination']);
});

test('auth: no password on a throw-away server, and on a production server', async () => {
  const pair = { source: source.endpoint, target: target.endpoint };
  expect(await rowOf('auth.login', { ...pair, throwAway: true }, 'src')).toMatchObject({ verdict: 'PASS' });
  expect(await rowOf('auth.login', pair, 'src')).toMatchObject({
    verdict: 'WARN',
    measured: 'no password needed, as default',
  });
});

test('auth: right, wrong and missing password', async () => {
  expect(await loginWith({ password: 'geheim' })).toMatchObject({
    verdict: 'PASS',
    measured: 'AUTH → OK as default',
  });
  expect(await loginWith({ password: 'falsch' })).toMatchObject({
    verdict: 'FAIL',
    measured: expect.stringContaining('WRONGPASS'),
  });
  expect(await loginWith({})).toMatchObject({ verdict: 'FAIL', measured: expect.stringContaining('NOAUTH') });
});

test('auth: a wrong password is an answer of a server that can be reached', async () => {
  const endpoint = { ...locked.endpoint, password: 'falsch' };
  expect(await rowOf('conn.source', { source: endpoint, target: target.endpoint })).toMatchObject({
    verdict: 'PASS',
  });
});

test('arch: standalone passes, cluster mode is refused on either side', async () => {
  expect(
    await rowOf('arch.match', { source: source.endpoint, target: cluster.endpoint }, 'src'),
  ).toMatchObject({ verdict: 'PASS' });
  expect(
    await rowOf('arch.match', { source: source.endpoint, target: cluster.endpoint }, 'dst'),
  ).toMatchObject({
    verdict: 'FAIL',
    measured: 'INFO server → redis_mode:cluster',
  });
  expect(
    await rowOf('arch.match', { source: cluster.endpoint, target: target.endpoint }, 'src'),
  ).toMatchObject({ verdict: 'FAIL' });
});

test('arch: a Sentinel, Valkey’s name of the field, and a proxy that says nothing', async () => {
  expect(await archVerdict('# Server\r\nredis_mode:sentinel\r\n')).toBe('FAIL');
  expect(await archVerdict('# Server\r\nserver_mode:standalone\r\n')).toBe('PASS');
  expect(await archVerdict('# Proxy\r\n')).toBe('UNKNOWN');
});

test('role.source: a primary, a replica that serves PSYNC, a replica that does not', async () => {
  expect(await aboutSource('role.source', source.endpoint)).toMatchObject({
    verdict: 'PASS',
    measured: 'ROLE → master',
  });
  expect(await aboutSource('role.source', replica.endpoint)).toMatchObject({
    verdict: 'WARN',
    measured: `ROLE → slave of 127.0.0.1:${source.port}, connected`,
  });
  const { port } = await nobody();
  await using orphan = await startServer({ replicaof: `127.0.0.1 ${port}` });
  expect(await aboutSource('role.source', orphan.endpoint)).toMatchObject({
    verdict: 'FAIL',
    repair: expect.stringContaining(`127.0.0.1:${port}`),
  });
});

test('role: INFO replication tells it where ROLE is not allowed; where neither is, it is unknown', async () => {
  const without = await user(replica, 'without-role', '+@all', '-role');
  expect(await rowOf('role.source', { source: without, target: target.endpoint })).toMatchObject({
    verdict: 'WARN',
    measured: `INFO replication → role:slave of 127.0.0.1:${source.port}, link up`,
  });
  const blind = await user(source, 'blind', '+ping', '+psync');
  expect(await rowOf('role.source', { source: blind, target: target.endpoint })).toMatchObject({
    verdict: 'UNKNOWN',
    measured: expect.stringMatching(/^ROLE → NOPERM .*; INFO replication → NOPERM/),
  });
});

test('role.destination: a replica is refused, and the repair names its primary', async () => {
  expect(await rowOf('role.destination', { source: source.endpoint, target: target.endpoint })).toMatchObject(
    { verdict: 'PASS' },
  );
  expect(
    await rowOf('role.destination', { source: target.endpoint, target: replica.endpoint }),
  ).toMatchObject({
    verdict: 'FAIL',
    repair: `The target is a replica: use its primary, 127.0.0.1:${source.port}.`,
  });
});

test('topology.distinct: the same server, and a replica of the other side, would loop', async () => {
  expect(await distinctRow(source, target)).toMatchObject({ verdict: 'PASS', subject: 'link a' });
  expect(await distinctRow(source, source)).toMatchObject({ verdict: 'FAIL' });
  expect(await distinctRow(replica, source)).toMatchObject({ verdict: 'FAIL' });
  await using peer = await startPeer({ 'INFO REPLICATION': bulk('role:master\r\n') });
  expect(await rowOf('topology.distinct', { source: peer.endpoint, target: target.endpoint })).toMatchObject({
    verdict: 'UNKNOWN',
  });
});

test('priv.replication: allowed, denied, renamed, not to be told', async () => {
  expect(await aboutSource('priv.replication', source.endpoint)).toMatchObject({
    verdict: 'PASS',
    measured: 'ACL DRYRUN default PSYNC ? -1 → OK',
  });
  expect(
    await aboutSource('priv.replication', await user(source, 'nopsync', '~*', '+@all', '-psync')),
  ).toMatchObject({
    verdict: 'FAIL',
    measured: "ACL DRYRUN nopsync PSYNC ? -1 → This user has no permissions to run the 'psync' command",
    repair: expect.stringContaining('+psync +replconf'),
  });
  expect(
    await aboutSource('priv.replication', await user(source, 'noreplconf', '~*', '+@all', '-replconf')),
  ).toMatchObject({
    verdict: 'FAIL',
    measured: expect.stringMatching(/^REPLCONF capa psync2 → NOPERM/),
  });
  expect(await aboutSource('priv.replication', renamed.endpoint)).toMatchObject({
    verdict: 'FAIL',
    measured: 'COMMAND INFO PSYNC → (nil)',
  });
  expect(
    await aboutSource('priv.replication', await user(source, 'replicaonly', '+psync', '+replconf', '+ping')),
  ).toMatchObject({
    verdict: 'UNKNOWN',
  });
});

test('priv.replication: rules of a 6.x server, and a server without users', async () => {
  const known = '*2\r\n*1\r\n$5\r\npsync\r\n*1\r\n$8\r\nreplconf\r\n';
  const six = (rules: string) => ({
    'COMMAND INFO': known,
    REPLCONF: '+OK\r\n',
    'ACL WHOAMI': bulk('default'),
    'ACL GETUSER': Buffer.concat([
      Buffer.from('*4\r\n'),
      bulk('flags'),
      bulk('on'),
      bulk('commands'),
      bulk(rules),
    ]),
  });
  expect(await privVerdict(six('+@all'))).toBe('PASS');
  expect(await privVerdict(six('-@all +psync +replconf'))).toBe('PASS');
  expect(await privVerdict(six('-@all +@read'))).toBe('UNKNOWN');
  expect(await privVerdict({ 'COMMAND INFO': known, REPLCONF: '+OK\r\n' })).toBe('PASS');
});

test('priv.write.source: the heartbeat', async () => {
  expect(await aboutSource('priv.write.source', source.endpoint)).toMatchObject({ verdict: 'PASS' });
  expect(
    await aboutSource('priv.write.source', await user(source, 'nosetex', '~*', '+@all', '-setex')),
  ).toMatchObject({
    verdict: 'WARN',
    measured: expect.stringMatching(/^SETEX → NOPERM/),
  });
  expect(await aboutSource('priv.write.source', replica.endpoint)).toMatchObject({
    verdict: 'WARN',
    measured: expect.stringMatching(/^SETEX → READONLY/),
  });
});

test('priv.write.destination: all, some, none, a replica, not to be told', async () => {
  expect(await aboutTarget('priv.write.destination', target.endpoint)).toMatchObject({
    verdict: 'PASS',
    measured: expect.stringContaining('all QUEUED'),
  });
  expect(
    await aboutTarget('priv.write.destination', await user(target, 'nopf', '~*', '+@all', '-pfadd')),
  ).toMatchObject({
    verdict: 'WARN',
    measured: expect.stringMatching(/^PFADD → NOPERM/),
    repair: expect.stringContaining('+pfadd'),
  });
  expect(
    await aboutTarget(
      'priv.write.destination',
      await user(target, 'norestore', '~*', '+@all', '-restore', '-append'),
    ),
  ).toMatchObject({
    verdict: 'FAIL',
    measured: expect.stringMatching(/^RESTORE → NOPERM.*; also APPEND$/),
  });
  expect(
    await aboutTarget('priv.write.destination', await user(target, 'otherkeys', '~app:*', '+@all')),
  ).toMatchObject({
    verdict: 'FAIL',
    repair: expect.stringContaining('~*'),
  });
  expect(await aboutTarget('priv.write.destination', replica.endpoint)).toMatchObject({
    verdict: 'FAIL',
    repair: 'The target is a replica: use its primary.',
  });
  expect(
    await aboutTarget('priv.write.destination', await user(target, 'nomulti', '~*', '+@all', '-multi')),
  ).toMatchObject({
    verdict: 'UNKNOWN',
    measured: expect.stringMatching(/^MULTI → NOPERM/),
  });
});

test('priv.write.destination writes nothing', async () => {
  await using connection = await Connection.open(target.endpoint);
  await rowOf('priv.write.destination', { source: source.endpoint, target: target.endpoint });
  expect(await connection.call('DBSIZE')).toBe(0);
});
