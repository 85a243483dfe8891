/** cluster.databases: a source whose keys are all in database 0, when the target is a cluster, which has no other. */
import type { Precheck } from '../precheck.ts';

export const clusterDatabases: Precheck = {
  id: 'cluster.databases',
  about: 'link',
  expected: 'no keys in other databases than 0, when the target is a cluster',
  async measure({ source, target }) {
    if (!target.isCluster || source.isCluster)
      return { verdict: 'SKIP', measured: 'the target is no cluster, or the source is one too' };
    const keyspace = Object.entries(await source.info('keyspace')).filter(([name]) => /^db\d+$/.test(name));
    const others = keyspace.filter(([name]) => name !== 'db0');
    if (others.length === 0) return { verdict: 'PASS', measured: 'INFO keyspace → only db0' };
    return {
      verdict: 'FAIL',
      measured: `INFO keyspace → ${others.map(([name, text]) => `${name}:${text}`).join(' ')}`,
      repair: 'A cluster has only database 0: move or drop these keys, or use a target that is no cluster.',
    };
  },
};
