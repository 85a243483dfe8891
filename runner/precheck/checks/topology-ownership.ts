/** topology.ownership: of several sources with one target, each holds keys of its own, and that was said in the spec. */
import { sampleKeyOwners, type SampledKey } from '../../../engine/compare/key-owners.ts';
import { asError } from '../../../engine/errors.ts';
import { ownershipOf } from '../../plan/ownership.ts';
import type { LinkPlan } from '../../plan/plan.ts';
import type { Outcome, Precheck } from '../precheck.ts';
import { Unmeasured, type Side } from '../side.ts';

export const topologyOwnership: Precheck = {
  id: 'topology.ownership',
  about: 'destination',
  expected: 'every key in one source only, the one that owns it',
  async measure({ sources, links }, { heartbeatPrefix }) {
    if (sources.length < 2) return { verdict: 'SKIP', measured: 'one source' };
    const found = await sample(sources, links, heartbeatPrefix);
    const measured = `SCAN of each source → ${found.sampled} keys, ${found.sharedCount} of them in another source too`;
    const [shared, misplaced] = [found.shared[0], found.misplaced[0]];
    if (shared !== undefined) {
      return {
        verdict: 'FAIL',
        measured: `${measured}, such as ${describeKey(shared)}`,
        repair:
          'Delete these keys in all sources but their owner: which value the target gets would be chance.',
      };
    }
    if (misplaced !== undefined) {
      return {
        verdict: 'WARN',
        measured: `${measured}; ${found.misplacedCount} where they do not belong, such as ${describeKey(misplaced)}`,
        repair: 'Find out who writes them there, or correct the patterns or slots of the spec.',
      };
    }
    const silent = links.filter((link) => ownershipOf(link) === undefined).map(({ source }) => source);
    if (silent.length === 0) return { verdict: 'PASS', measured };
    return {
      verdict: 'WARN',
      measured: `${measured}; the spec does not say which keys ${silent.join(', ')} own${silent.length === 1 ? 's' : ''}`,
      repair:
        'Give each source patterns of the keys it owns (ownership:), so that what breaks them is found.',
    } satisfies Outcome;
  },
};

async function sample(sources: readonly Side[], links: readonly LinkPlan[], heartbeatPrefix: string) {
  try {
    return await sampleKeyOwners(
      sources.map(({ name, endpoint }) => {
        const link = links.find(({ source }) => source === name);
        const owns = link === undefined ? undefined : ownershipOf(link);
        return { name, endpoints: [endpoint], ...(owns ? { owns } : {}) };
      }),
      { ignorePrefixes: [heartbeatPrefix] },
    );
  } catch (error) {
    throw new Unmeasured(asError(error).message);
  }
}

function describeKey({ database, key, owners }: SampledKey): string {
  return `${JSON.stringify(key.toString().slice(0, 80))} in db${database} of ${owners.join(' and ')}`;
}
