/** Targets that fail over and move. Counters that are only added to show what was lost (too low) or applied twice (too high). */
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { caughtUp, command, infoOf, promote, startReplica, syncsOf } from '../../support/replication.ts';
import { startServer } from '../../support/server.ts';
import { fill, LINK, LiveLink, stringsOf } from './live-link.ts';

/** A backlog that holds everything a test writes. */
const SOURCE = { 'repl-backlog-size': '16mb' };
const COUNTERS = 20;

/** Counts up on the source until stopped; returns how often. */
function countUp(source: Endpoint): { stop(): Promise<number> } {
  const stopping = new AbortController();
  const counting = (async (): Promise<number> => {
    await using connection = await Connection.open(source);
    let rounds = 0;
    while (!stopping.signal.aborted) {
      rounds++;
      await connection.pipeline(
        Array.from({ length: COUNTERS }, (_, index) => ['INCRBY', `counter:${index}`, 1]),
      );
    }
    return rounds;
  })();
  // Looked at when it is stopped; a test that fails before takes the source away.
  counting.catch(() => undefined);
  return {
    stop: () => {
      stopping.abort();
      return counting;
    },
  };
}

function counters(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: COUNTERS }, (_, index) => [`counter:${index}`, String(count)]),
  );
}

test('failover of the target under load: the list leads to the promoted replica, nothing is lost or applied twice', async () => {
  await using source = await startServer(SOURCE);
  await using primary = await startServer();
  await using replica = await startReplica(primary.endpoint);
  await using link = await LiveLink.start(source.endpoint, {
    kind: 'list',
    endpoints: [primary.endpoint, replica.endpoint],
  });
  await link.state('Synchronizing');
  const load = countUp(source.endpoint);
  await link.drained(source.endpoint);
  // Every byte the primary has answered for is on the replica before the primary dies.
  await command(primary.endpoint, 'CLIENT', 'PAUSE', 60_000, 'WRITE');
  await caughtUp(primary.endpoint, replica.endpoint);
  await primary.stop();
  await promote(replica.endpoint);
  await link.heard((message) => message.kind === 'finding' && message.code === 'ENDPOINT_CHANGED');
  const count = await load.stop();
  await link.drained(source.endpoint);

  expect(count).toBeGreaterThan(0);
  expect(await stringsOf(source.endpoint)).toEqual(counters(count));
  expect(await stringsOf(replica.endpoint)).toEqual(counters(count));
  expect(await syncsOf(source.endpoint)).toEqual({ full: 1, partial: 0 });
  expect(link.findings('ENDPOINT_CHANGED')).toMatchObject([
    { evidence: { side: 'target', from: `127.0.0.1:${primary.port}`, to: `127.0.0.1:${replica.port}` } },
  ]);
});

test('failover of the target to a replica that was behind: the link stops, and started again fills the gap from the source', async () => {
  await using source = await startServer(SOURCE);
  await using primary = await startServer();
  await using replica = await startReplica(primary.endpoint);
  const targets = { kind: 'list' as const, endpoints: [primary.endpoint, replica.endpoint] };
  await fill(source.endpoint, 100);
  {
    await using link = await LiveLink.start(source.endpoint, targets);
    await link.state('Synchronizing');
    await command(source.endpoint, 'INCR', 'before');
    await link.drained(source.endpoint);
    await caughtUp(primary.endpoint, replica.endpoint);
    await promote(replica.endpoint);
    // Answered for by the primary, and gone with it.
    await command(source.endpoint, 'INCR', 'in-the-gap');
    await link.drained(source.endpoint);
    await primary.stop();
    await command(source.endpoint, 'INCR', 'after');
    const failure = await link.failed();
    expect(failure).toMatchObject({
      code: 'APPLY_REFUSED',
      message: expect.stringContaining('lost writes it had acknowledged'),
    });
  }
  expect(await stringsOf(replica.endpoint)).not.toHaveProperty('in-the-gap');
  await using again = await LiveLink.start(source.endpoint, targets);
  await again.state('Synchronizing');
  await again.drained(source.endpoint);
  expect(await stringsOf(replica.endpoint)).toEqual(await stringsOf(source.endpoint));
  expect(await stringsOf(replica.endpoint)).toMatchObject({ before: '1', 'in-the-gap': '1', after: '1' });
  expect((await syncsOf(source.endpoint)).full).toBe(1);
});

test('a target that is made a replica while its connection lives on: the link leaves it for the new primary', async () => {
  await using source = await startServer(SOURCE);
  await using primary = await startServer();
  await using replica = await startReplica(primary.endpoint);
  await using link = await LiveLink.start(source.endpoint, {
    kind: 'list',
    endpoints: [primary.endpoint, replica.endpoint],
  });
  await link.state('Synchronizing');
  const load = countUp(source.endpoint);
  await link.drained(source.endpoint);
  await command(primary.endpoint, 'FAILOVER', 'TO', '127.0.0.1', replica.port);
  await link.heard((message) => message.kind === 'finding' && message.code === 'ENDPOINT_CHANGED');
  const count = await load.stop();
  await link.drained(source.endpoint);
  expect((await infoOf(primary.endpoint, 'replication'))['role']).toBe('slave');
  expect(await stringsOf(replica.endpoint)).toEqual(counters(count));
});

test('the target moves: told its new address, a running link goes on there', async () => {
  await using source = await startServer(SOURCE);
  await using old = await startServer();
  await using moved = await startReplica(old.endpoint);
  await using link = await LiveLink.start(source.endpoint, old.endpoint, { heartbeatMs: 0 });
  await link.state('Synchronizing');
  await command(source.endpoint, 'INCR', 'n');
  await link.drained(source.endpoint);
  await caughtUp(old.endpoint, moved.endpoint);
  await promote(moved.endpoint);
  link.replicator.relocate(source.endpoint, { [LINK]: moved.endpoint });
  await command(source.endpoint, 'INCR', 'n');
  await link.heard((message) => message.kind === 'finding' && message.code === 'ENDPOINT_CHANGED');
  await link.drained(source.endpoint);
  expect(await stringsOf(moved.endpoint)).toEqual({ n: '2' });
  expect(await stringsOf(old.endpoint)).toEqual({ n: '1' });
});
