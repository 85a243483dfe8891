/** topology.distinct: source and target do not share one replication history; otherwise every write would come back for ever. */
import type { Precheck } from '../precheck.ts';
import { Unmeasured } from '../side.ts';

export const topologyDistinct: Precheck = {
  id: 'topology.distinct',
  about: 'link',
  expected: 'source and target are different databases (different master_replid)',
  async measure({ source, target }) {
    const [sourceInfo, targetInfo] = await Promise.all([
      source.info('replication'),
      target.info('replication'),
    ]);
    const sourceId = sourceInfo['master_replid'];
    const targetId = targetInfo['master_replid'];
    // Servers before 4.0 have no master_replid.
    if (sourceId === undefined || targetId === undefined)
      throw new Unmeasured('INFO replication → no master_replid');
    const measured = `INFO replication → master_replid ${sourceId.slice(0, 8)}… and ${targetId.slice(0, 8)}…`;
    if (sourceId !== targetId) return { verdict: 'PASS', measured };
    return {
      verdict: 'FAIL',
      measured,
      repair: `${source.address} and ${target.address} are the same server, or one replicates the other: replicating between them would loop.`,
    };
  },
};
