/** Sources that fail over, move and come back different, with a real replicator between real servers. */
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { caughtUp, command, infoOf, promote, startReplica, syncsOf } from '../../support/replication.ts';
import { startSentinel } from '../../support/sentinel.ts';
import { startServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { fill, LiveLink, stringsOf } from './live-link.ts';

/** A second one would not be partial. */
const BACKLOG = { 'repl-backlog-size': '1mb' };

test('failover of the source: a list of addresses leads to the promoted replica, CONTINUE and no full sync', async () => {
  await using primary = await startServer(BACKLOG);
  await using replica = await startReplica(primary.endpoint, BACKLOG);
  await using target = await startServer();
  await fill(primary.endpoint, 500);
  await using link = await LiveLink.start(
    { kind: 'list', endpoints: [primary.endpoint, replica.endpoint] },
    target.endpoint,
    // A heartbeat that the replica gets a moment later than we would be a lost write that is none of anybody's data.
    { heartbeatMs: 0 },
  );
  await link.state('Synchronizing');
  await command(primary.endpoint, 'INCR', 'counter');
  await link.drained(primary.endpoint);
  await caughtUp(primary.endpoint, replica.endpoint);

  await primary.stop();
  await promote(replica.endpoint);
  await link.heard((message) => message.kind === 'sync-started' && message.mode === 'partial');
  await link.state('Synchronizing');
  await command(replica.endpoint, 'INCR', 'counter');
  await command(replica.endpoint, 'SET', 'after', 'failover');
  await link.drained(replica.endpoint);

  expect(await stringsOf(target.endpoint)).toEqual(await stringsOf(replica.endpoint));
  expect(await stringsOf(target.endpoint)).toMatchObject({ counter: '2', after: 'failover' });
  expect(link.status).toMatchObject({ fullResyncs: 1, partialResyncs: 1 });
  expect(await syncsOf(replica.endpoint)).toMatchObject({ full: 0, partial: 1 });
  expect(link.findings('ENDPOINT_CHANGED')).toMatchObject([
    {
      evidence: {
        side: 'source',
        from: `127.0.0.1:${primary.port}`,
        to: `127.0.0.1:${replica.port}`,
        continued: true,
      },
    },
  ]);
  const [finding] = link.findings('ENDPOINT_CHANGED');
  expect(finding?.evidence['runId']).not.toBe(finding?.evidence['runIdBefore']);
  expect(link.findings('SOURCE_REGRESSED')).toEqual([]);
});

test('failover by Sentinels: three of them lead to the new primary, CONTINUE and no full sync', async () => {
  await using primary = await startServer(BACKLOG);
  await using replica = await startReplica(primary.endpoint, BACKLOG);
  await using target = await startServer();
  const watched = { name: 'main', primary: primary.endpoint };
  await using first = await startSentinel(watched);
  await using second = await startSentinel(watched);
  await using third = await startSentinel(watched);
  const sentinels = [first, second, third].map(({ endpoint }) => endpoint);
  await fill(primary.endpoint, 100);
  await using link = await LiveLink.start(
    { kind: 'sentinel', name: 'main', sentinels, login: {} },
    target.endpoint,
    { heartbeatMs: 0 },
  );
  await link.state('Synchronizing');
  // They have to know each other and the replica before they can agree on anything.
  for (const sentinel of sentinels) {
    await until(async () => {
      await using connection = await Connection.open(sentinel);
      const fields = await connection.call('SENTINEL', 'MASTER', 'main');
      const words = Array.isArray(fields) ? fields.map(String) : [];
      const valueOf = (name: string): string | undefined => words[words.indexOf(name) + 1];
      return valueOf('num-slaves') === '1' && valueOf('num-other-sentinels') === '2';
    });
  }
  await link.drained(primary.endpoint);
  await caughtUp(primary.endpoint, replica.endpoint);

  await primary.stop();
  await link.heard((message) => message.kind === 'sync-started' && message.mode === 'partial');
  await command(replica.endpoint, 'SET', 'after', 'failover');
  await link.drained(replica.endpoint);
  expect(await stringsOf(target.endpoint)).toEqual(await stringsOf(replica.endpoint));
  expect(link.status).toMatchObject({ state: 'Synchronizing', fullResyncs: 1, partialResyncs: 1 });
  expect(link.findings('ENDPOINT_CHANGED')).toMatchObject([{ evidence: { continued: true } }]);
});

test('the source moves: told its new address, a running link continues there', async () => {
  await using old = await startServer(BACKLOG);
  await using target = await startServer();
  await fill(old.endpoint, 200);
  await using link = await LiveLink.start(old.endpoint, target.endpoint, { heartbeatMs: 0 });
  await link.state('Synchronizing');
  await using moved = await startReplica(old.endpoint, BACKLOG);
  await link.drained(old.endpoint);
  await caughtUp(old.endpoint, moved.endpoint);
  await promote(moved.endpoint);
  // The old one still runs: only the new address makes the link leave it.
  link.replicator.relocate(moved.endpoint, {});
  await link.heard((message) => message.kind === 'sync-started' && message.mode === 'partial');
  await command(moved.endpoint, 'SET', 'at', 'the new place');
  await link.drained(moved.endpoint);
  expect(await stringsOf(target.endpoint)).toEqual(await stringsOf(moved.endpoint));
  expect(link.status).toMatchObject({ fullResyncs: 1, partialResyncs: 1 });
  expect(link.findings('ENDPOINT_CHANGED')).toMatchObject([
    { evidence: { from: `127.0.0.1:${old.port}`, to: `127.0.0.1:${moved.port}`, continued: true } },
  ]);
});

test('told the address it already has, a link is not disturbed', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using link = await LiveLink.start(source.endpoint, target.endpoint);
  await link.state('Synchronizing');
  link.replicator.relocate({ ...source.endpoint }, { moving: { ...target.endpoint } });
  await command(source.endpoint, 'SET', 'k', 'v');
  await link.drained(source.endpoint);
  expect(link.said('sync-started')).toHaveLength(1);
  expect(link.status).toMatchObject({ retries: 0, state: 'Synchronizing' });
});

test('the source restarts empty: the link stops with SOURCE_REGRESSED and the target keeps what it has', async () => {
  await using first = await startServer();
  await using target = await startServer();
  await fill(first.endpoint, 300);
  const kept = await stringsOf(first.endpoint);
  await using link = await LiveLink.start(first.endpoint, target.endpoint);
  await link.state('Synchronizing');
  await link.drained(first.endpoint);
  await first.stop();
  await using empty = await startServer({ port: String(first.port) });
  const failure = await link.failed();
  expect(failure).toMatchObject({
    code: 'POLICY',
    message: expect.stringContaining('no key any more'),
    hint: expect.stringContaining('emptySource'),
  });
  expect(link.status.state).toBe('Failed');
  expect(await syncsOf(empty.endpoint)).toMatchObject({ partial: 0 });
  expect(link.findings('SOURCE_REGRESSED')).toMatchObject([
    { severity: 'error', evidence: { targetKeys: 300, policy: 'fail' } },
  ]);
  expect(await stringsOf(target.endpoint)).toEqual(kept);
});

test('started again against a source that lost its data meanwhile, the link stops in the same way', async () => {
  await using first = await startServer();
  await using target = await startServer();
  await fill(first.endpoint, 300);
  {
    await using link = await LiveLink.start(first.endpoint, target.endpoint, { heartbeatMs: 0 });
    await link.state('Synchronizing');
    await link.drained(first.endpoint);
    await link.stop();
  }
  await first.stop();
  await using empty = await startServer({ port: String(first.port) });
  // Applications write at once; hardly any keys are as telling as none.
  await fill(empty.endpoint, 5);
  await using link = await LiveLink.start(empty.endpoint, target.endpoint);
  expect(await link.failed()).toMatchObject({
    code: 'POLICY',
    message: expect.stringContaining('only 5 keys'),
  });
  expect(Object.keys(await stringsOf(target.endpoint))).toHaveLength(300);
});

test('emptySource: follow makes the target what the source is now, and says so', async () => {
  await using first = await startServer();
  await using target = await startServer();
  await fill(first.endpoint, 300);
  await using link = await LiveLink.start(first.endpoint, target.endpoint, { emptySource: 'follow' });
  await link.state('Synchronizing');
  await link.drained(first.endpoint);
  await first.stop();
  await using empty = await startServer({ port: String(first.port) });
  await command(empty.endpoint, 'SET', 'new', 'life');
  await until(async () => (await stringsOf(target.endpoint))['new'] === 'life');
  await link.drained(empty.endpoint);
  expect(await stringsOf(target.endpoint)).toEqual({ new: 'life' });
  expect(link.findings('SOURCE_REGRESSED')).toMatchObject([{ severity: 'warning' }]);
});

test('a promoted replica that was behind: writes are lost, and the link stops instead of taking them from the target', async () => {
  await using primary = await startServer(BACKLOG);
  await using behind = await startReplica(primary.endpoint, BACKLOG);
  await using target = await startServer();
  await using link = await LiveLink.start(
    { kind: 'list', endpoints: [primary.endpoint, behind.endpoint] },
    target.endpoint,
    { heartbeatMs: 0 },
  );
  await link.state('Synchronizing');
  await fill(primary.endpoint, 100);
  await caughtUp(primary.endpoint, behind.endpoint);
  // A stopped process would get what is in its socket when it goes on: it must not be connected at all.
  await promote(behind.endpoint);
  await command(primary.endpoint, 'SET', 'only', 'the target has it');
  await link.drained(primary.endpoint);
  await primary.stop();
  const failure = await link.failed();
  expect(failure.message).toMatch(/has lost writes that the target has: .* \(\d+ bytes more\)/);
  expect(link.findings('SOURCE_REGRESSED')).toHaveLength(1);
  expect(await stringsOf(target.endpoint)).toMatchObject({ only: 'the target has it' });
});

test('a promoted replica that only missed pings and heartbeats has lost nothing', async () => {
  await using primary = await startServer(BACKLOG);
  await using behind = await startReplica(primary.endpoint, BACKLOG);
  await using target = await startServer();
  await fill(primary.endpoint, 150);
  await using link = await LiveLink.start(
    { kind: 'list', endpoints: [primary.endpoint, behind.endpoint] },
    target.endpoint,
    { heartbeatMs: 20 },
  );
  await link.state('Synchronizing');
  await caughtUp(primary.endpoint, behind.endpoint);
  await promote(behind.endpoint);
  const { second_repl_offset: end } = await infoOf(behind.endpoint, 'replication');
  await until(async () => BigInt(link.status.appliedOffset) > BigInt(end ?? -1));
  await primary.stop();
  await link.heard(
    (message) => message.kind === 'sync-started' && message.cause.includes('could not continue'),
  );
  await link.drained(behind.endpoint);
  expect(link.findings('SOURCE_REGRESSED')).toEqual([]);
  expect(await stringsOf(target.endpoint)).toEqual(await stringsOf(behind.endpoint));
});

test('a backlog that was outrun is no regression: everything is copied again', async () => {
  await using source = await startServer({ 'repl-backlog-size': '16kb' });
  await using target = await startServer();
  await fill(source.endpoint, 300);
  await using link = await LiveLink.start(source.endpoint, target.endpoint);
  await link.state('Synchronizing');
  await link.drained(source.endpoint);
  await using connection = await Connection.open(source.endpoint);
  await connection.pipeline([
    ['MULTI'],
    ['CLIENT', 'KILL', 'TYPE', 'replica'],
    ['SET', 'large', 'x'.repeat(64 * 1024)],
    ['EXEC'],
  ]);
  await link.heard(
    (message) => message.kind === 'sync-started' && message.cause.includes('could not continue'),
  );
  await link.drained(source.endpoint);
  expect(await stringsOf(target.endpoint)).toEqual(await stringsOf(source.endpoint));
  expect(link.findings('SOURCE_REGRESSED')).toEqual([]);
  expect(link.findings('ENDPOINT_CHANGED')).toEqual([]);
});
