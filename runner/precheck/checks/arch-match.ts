/** arch.match: the server is what the spec says: one primary with replicas, or a node of a cluster. */
import type { Precheck } from '../precheck.ts';

export const archMatch: Precheck = {
  id: 'arch.match',
  about: 'instance',
  expected: 'the architecture that the spec says: standalone, or cluster mode',
  async measure({ instance }) {
    const info = await instance.info('server');
    // Valkey 8 renamed the field.
    const field = 'server_mode' in info ? 'server_mode' : 'redis_mode';
    const mode = info[field] ?? '';
    const measured = `INFO server → ${field}:${mode}`;
    const wanted = instance.isCluster ? 'cluster' : 'standalone';
    if (mode === wanted) return { verdict: 'PASS', measured };
    if (mode === 'cluster' || mode === 'standalone') {
      return {
        verdict: 'FAIL',
        measured,
        repair: instance.isCluster
          ? 'It is no node of a cluster: leave out `kind: cluster`.'
          : 'It is a node of a cluster: say `kind: cluster` in the spec, so that every shard is looked after.',
      };
    }
    if (mode === 'sentinel') {
      return {
        verdict: 'FAIL',
        measured,
        repair:
          'This is a Sentinel: use the address of the primary it watches (SENTINEL get-master-addr-by-name).',
      };
    }
    return {
      verdict: 'UNKNOWN',
      measured,
      repair: 'Check by hand that this is one primary, not a cluster or a proxy.',
    };
  },
};
