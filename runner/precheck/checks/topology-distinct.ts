/** topology.distinct: source and target do not share one replication history; otherwise every write would come back for ever. */
import type { Outcome, Precheck } from '../precheck.ts';
import { Unmeasured, type Side } from '../side.ts';

export const topologyDistinct: Precheck = {
  id: 'topology.distinct',
  about: 'link',
  expected: 'source and target are different databases (different master_replid, or run_id before 4.0)',
  async measure({ source, target }) {
    const [sourceInfo, targetInfo] = await Promise.all([
      source.info('replication'),
      target.info('replication'),
    ]);
    const sourceId = sourceInfo['master_replid'];
    const targetId = targetInfo['master_replid'];
    if (sourceId === undefined || targetId === undefined) return compareRuns({ source, target });
    const measured = `INFO replication → master_replid ${sourceId.slice(0, 8)}… and ${targetId.slice(0, 8)}…`;
    if (sourceId !== targetId) return { verdict: 'PASS', measured };
    return same({ source, target }, measured);
  },
};

interface Both {
  source: Side;
  target: Side;
}

/** Servers before 4.0 have no master_replid: whether they are one server shows, that one replicates the other by its role. */
async function compareRuns({ source, target }: Both): Promise<Outcome> {
  const [sourceRun, targetRun] = await Promise.all([source.info('server'), target.info('server')]);
  const [sourceId, targetId] = [sourceRun['run_id'], targetRun['run_id']];
  if (sourceId === undefined || targetId === undefined)
    throw new Unmeasured('INFO → neither master_replid nor run_id');
  const { role = '?', master_host: host, master_port: port } = await target.info('replication');
  const measured = `INFO → no master_replid; run_id ${sourceId.slice(0, 8)}… and ${targetId.slice(0, 8)}…; the target is a ${role}`;
  const follows = host === source.endpoint.host && Number(port) === source.endpoint.port;
  return sourceId === targetId || follows
    ? same({ source, target }, measured)
    : { verdict: 'PASS', measured };
}

function same({ source, target }: Both, measured: string): Outcome {
  return {
    verdict: 'FAIL',
    measured,
    repair: `${source.address} and ${target.address} are the same server, or one replicates the other: replicating between them would loop.`,
  };
}
