/** role.source: a primary; a replica serves PSYNC too, but only while its own link is up, and takes no heartbeat. */
import type { Precheck } from '../precheck.ts';
import { readRole } from '../replication-role.ts';

export const roleSource: Precheck = {
  id: 'role.source',
  about: 'source',
  expected: 'a primary',
  async measure({ source }) {
    const role = await readRole(source);
    const { measured } = role;
    switch (role.kind) {
      case 'primary':
        return { verdict: 'PASS', measured };
      case 'sentinel':
        return { verdict: 'FAIL', measured, repair: 'Use the address of the primary this Sentinel watches.' };
      case 'replica':
        if (!role.linked) {
          return {
            verdict: 'FAIL',
            measured,
            repair: `This replica has no link to ${role.primary} and refuses PSYNC: mend it, or use ${role.primary}.`,
          };
        }
        return {
          verdict: 'WARN',
          measured,
          repair: `Use the primary ${role.primary}: on a replica the lag in ms cannot be measured, and its own lag comes on top.`,
        };
      default:
        return role satisfies never;
    }
  },
};
