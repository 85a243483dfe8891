/** Where clients of a workload write: to the instance, wherever it is by then. */
import { expect, test } from 'vitest';
import { ProcessLedger } from '../../../runner/provision/process-ledger.ts';
import { processProvisioner } from '../../../runner/provision/process-provisioner.ts';
import { workloadPlacesOf } from '../../../runner/run/workload-places.ts';
import { startWorkload } from '../../../scenarios/workload/workload-start.ts';
import { command, promote } from '../../support/replication.ts';
import { openTemporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';
import { instancePlan } from '../provision/instance-plan.ts';

const PLAN = {
  name: 'app',
  into: [],
  databases: [0],
  ratePerSecond: 1000,
  clients: 3,
  start: 'incremental' as const,
  mix: { incr: 1 },
  keyspace: 100,
  prefix: 'app:',
};

test.each(['direct', 'codis-proxy'] as const)('%s clients follow it to a new address', async (client) => {
  await using folder = await openTemporaryFolder();
  const runFolder = folder.path;
  await using processes = await ProcessLedger.open(runFolder);
  const kind = client === 'direct' ? 'standalone' : 'codis-group';
  await using instance = await processProvisioner.provision(instancePlan({ kind }), { runFolder, processes });
  const places = await workloadPlacesOf([instance], AbortSignal.timeout(60_000));
  await using workload = await startWorkload(places, { ...PLAN, client }, { seed: 3 });
  await until(() => workload.stats().ok > 200);

  const [old] = instance.nodes;
  if (old?.control === undefined) throw new Error('the process is ours');
  const heir = await instance.addReplica?.(old);
  if (heir === undefined) throw new Error('it can have another server');
  await old.control.kill();
  await promote(heir.endpoint);
  const { ok } = workload.stats();
  await until(() => workload.stats().ok > ok + 200);
  expect(workload.stats().reconnects).toBe(PLAN.clients);
  expect(await command(heir.endpoint, 'DBSIZE')).toBeGreaterThan(0);
});
