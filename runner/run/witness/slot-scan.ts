/** Looks at every key of every shard of a cluster: is it where its slot is? */
import { askTopology } from '../../../engine/connect/cluster-topology.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import type { ClusterEntry } from '../../../engine/connect/discovery.ts';
import { describeEndpoint } from '../../../engine/connect/endpoint.ts';
import { clusterSlot } from '../../../engine/keys/cluster-slot.ts';
import { scanKeys } from '../../../engine/apply/target-contents.ts';
import type { EvidenceOf } from '../../../reports/evidence.ts';
import { quoteArgument } from '../../../reports/redis-cli.ts';
import { WITNESS_NAME } from './witness-name.ts';

const SAMPLES_MAX = 10;

/** One row per shard. @throws SyncError CONNECT, PERMISSION. */
export async function scanSlots(
  instance: string,
  { seeds }: ClusterEntry,
  signal: AbortSignal,
): Promise<EvidenceOf<'slots'>[]> {
  const { shards, owners } = await askTopology(seeds, { signal });
  const rows: EvidenceOf<'slots'>[] = [];
  for (const [index, { primary }] of shards.entries()) {
    await using connection = await Connection.open(primary.endpoint, { name: WITNESS_NAME, signal });
    const node = describeEndpoint(primary.endpoint);
    const row: EvidenceOf<'slots'> = { about: 'slots', instance, node, keys: 0, misplaced: 0, samples: [] };
    for await (const { keys } of scanKeys(connection)) {
      row.keys += keys.length;
      const wrong = keys.filter((key) => owners[clusterSlot(key)] !== index);
      row.misplaced += wrong.length;
      row.samples.push(...wrong.slice(0, SAMPLES_MAX - row.samples.length).map((key) => quoteArgument(key)));
    }
    rows.push(row);
  }
  return rows;
}
