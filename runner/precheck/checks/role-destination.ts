/** role.destination: only a primary can be written to. */
import type { Precheck } from '../precheck.ts';
import { readRole } from '../replication-role.ts';

export const roleDestination: Precheck = {
  id: 'role.destination',
  about: 'destination',
  expected: 'a primary',
  async measure({ target }) {
    const role = await readRole(target);
    const { measured } = role;
    switch (role.kind) {
      case 'primary':
        return { verdict: 'PASS', measured };
      case 'replica':
        return {
          verdict: 'FAIL',
          measured,
          repair: `The target is a replica: use its primary, ${role.primary}.`,
        };
      case 'sentinel':
        return { verdict: 'FAIL', measured, repair: 'Use the address of the primary this Sentinel watches.' };
      default:
        return role satisfies never;
    }
  },
};
