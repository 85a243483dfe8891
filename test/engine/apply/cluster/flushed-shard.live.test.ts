/** Somebody flushes a shard of the target: what it had confirmed is gone, and no stream brings it back. */
import { expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { TestCluster } from '../../../support/cluster.ts';
import { startServer } from '../../../support/server.ts';
import { LiveLink } from '../../link/live-link.ts';
import { ledger } from './ledger.ts';

it('stops, and says that the shard has lost what it had confirmed', async () => {
  await using cluster = await TestCluster.form(3);
  await using source = await startServer();
  await using client = await Connection.open(source.endpoint);
  await using link = await LiveLink.start(source.endpoint, { kind: 'cluster', seeds: cluster.seeds });
  await link.state('Synchronizing');
  const writes = Array.from({ length: 100 }, (_, round) => ledger(round)).flat();
  await client.pipeline(writes);
  await link.drained(source.endpoint);
  await cluster.primaries[0]?.connection.call('FLUSHALL');
  await client.pipeline(writes);
  await link.state('Failed');
  expect(link.said('finding')).toContainEqual(
    expect.objectContaining({ code: 'NOT_DURABLE', severity: 'error' }),
  );
});
