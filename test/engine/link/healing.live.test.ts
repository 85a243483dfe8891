/** Faults by name, each healed in the end: nothing is lost, nothing is applied twice, nothing is copied again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { command, syncsOf } from '../../support/replication.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { startServer } from '../../support/server.ts';
import { LiveLink, stringsOf } from './live-link.ts';
import { until } from './rehearsal.ts';

test('target restart: with its data, LOADING it for a while; the link waits and nothing is lost', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sync-restart-'));
  try {
    await using source = await startServer();
    await using before = await startServer({ dir: folder, rdbcompression: 'no' });
    await using onSource = await Connection.open(source.endpoint);
    // Large enough that a server which loads them answers between any two.
    await onSource.pipeline(
      Array.from({ length: 500 }, (_, index) => ['SET', `key:${index}`, `${index}`.repeat(1000)]),
    );
    await using link = await LiveLink.start(source.endpoint, before.endpoint);
    await link.state('Synchronizing');
    await command(source.endpoint, 'INCR', 'count');
    await link.drained(source.endpoint);
    await command(before.endpoint, 'SAVE');
    await before.stop();
    await command(source.endpoint, 'INCR', 'count');
    const restarting = startServer({
      port: String(before.port),
      dir: folder,
      // Microseconds per key.
      'key-load-delay': '5000',
      'loading-process-events-interval-bytes': '1024',
    });
    await link.heard((message) => 'message' in message && message.message.includes('LOADING'));
    await command(source.endpoint, 'INCR', 'count');
    await using after = await restarting;
    await link.drained(source.endpoint);
    expect(await stringsOf(after.endpoint)).toEqual(await stringsOf(source.endpoint));
    expect((await stringsOf(after.endpoint))['count']).toBe('3');
    expect(await syncsOf(source.endpoint)).toEqual({ full: 1, partial: 0 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('transaction cut in the middle: nothing of it is applied until all of it is there', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using proxy = await CuttingProxy.start(source.endpoint);
  await using link = await LiveLink.start(proxy.endpoint, target.endpoint, { heartbeatMs: 0 });
  await link.state('Synchronizing');
  await using onSource = await Connection.open(source.endpoint);
  await using onTarget = await Connection.open(target.endpoint);
  const keys = Array.from({ length: 100 }, (_, index) => `n:${index}`);
  const look = async (): Promise<string[]> => {
    const values = await onTarget.call('MGET', ...keys);
    return Array.isArray(values) ? [...new Set(values.map(textOf))] : [];
  };
  for (let round = 1; round <= 5; round++) {
    await link.drained(source.endpoint);
    const { drops } = proxy.counters;
    // Whichever of them is that of the stream.
    while (proxy.arm({ kind: 'drop', direction: 'reply', afterBytes: 400 * round }));
    await onSource.pipeline([['MULTI'], ...keys.map((key) => ['INCR', key]), ['EXEC']]);
    await until('the transaction is there', async () => {
      const values = await look();
      // One look sees all counters: part of a transaction would show as two values.
      expect(values).toHaveLength(1);
      return values[0] === String(round);
    });
    expect(proxy.counters.drops).toBeGreaterThan(drops);
    proxy.heal();
  }
  await link.drained(source.endpoint);
  expect(await stringsOf(target.endpoint)).toEqual(await stringsOf(source.endpoint));
  const { full, partial } = await syncsOf(source.endpoint);
  expect({ full, continued: partial >= 5 }).toEqual({ full: 1, continued: true });
});
