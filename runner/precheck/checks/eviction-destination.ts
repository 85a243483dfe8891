/** eviction.destination: a full target must refuse writes, not throw other keys away. */
import type { Precheck } from '../precheck.ts';
import { Unmeasured, type Side } from '../side.ts';

export const evictionDestination: Precheck = {
  id: 'eviction.destination',
  about: 'destination',
  expected: 'maxmemory-policy noeviction, or no maxmemory',
  async measure({ target }) {
    const { policy, maxmemory, how } = await readPolicy(target);
    const measured = `${how} → maxmemory-policy ${policy}, maxmemory ${maxmemory}`;
    if (policy === 'noeviction' || maxmemory === '0') return { verdict: 'PASS', measured };
    return {
      verdict: 'WARN',
      measured,
      repair:
        'CONFIG SET maxmemory-policy noeviction while synchronizing: when memory runs out, keys vanish without an error.',
    };
  },
};

/** CONFIG is often not allowed on managed servers; INFO memory says the same since 4.0. */
async function readPolicy(target: Side): Promise<{ policy: string; maxmemory: string; how: string }> {
  const info = await target.info('memory');
  const { maxmemory_policy: policy, maxmemory } = info;
  if (policy !== undefined && maxmemory !== undefined) return { policy, maxmemory, how: 'INFO memory' };
  const [configured, limit] = await Promise.all([
    target.config('maxmemory-policy'),
    target.config('maxmemory'),
  ]);
  if (configured === '') throw new Unmeasured('CONFIG GET maxmemory-policy → (empty)');
  return { policy: configured, maxmemory: limit, how: 'CONFIG GET' };
}
