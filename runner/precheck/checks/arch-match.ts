/** arch.match: the server is a single primary with replicas, the only architecture a link of this version can handle. */
import type { Precheck } from '../precheck.ts';

export const archMatch: Precheck = {
  id: 'arch.match',
  about: 'instance',
  expected: 'standalone (neither cluster mode nor Sentinel)',
  async measure({ instance }) {
    const info = await instance.info('server');
    // Valkey 8 renamed the field.
    const field = 'server_mode' in info ? 'server_mode' : 'redis_mode';
    const mode = info[field] ?? '';
    const measured = `INFO server → ${field}:${mode}`;
    if (mode === 'standalone') return { verdict: 'PASS', measured };
    if (mode === 'cluster') {
      return {
        verdict: 'FAIL',
        measured,
        repair: 'Cluster mode is not supported yet: use standalone instances on both sides.',
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
