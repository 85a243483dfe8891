/** `run` and `compare` work between endpoints that exist: every instance of a link needs a url. */
import { SyncError } from '../../engine/errors.ts';
import { isExisting } from '../plan/existing.ts';
import type { Plan } from '../plan/plan.ts';

export function requireUrls(plan: Plan, command: string): void {
  const linked = new Set(plan.links.flatMap(({ source, target }) => [source, target]));
  const missing = plan.instances
    .filter((instance) => linked.has(instance.name) && !isExisting(instance))
    .map(({ name }) => name);
  if (missing.length === 0) return;
  const have = missing.length === 1 ? 'has' : 'have';
  throw new SyncError('USAGE', `${missing.join(' and ')} ${have} no url, and ${command} provisions nothing`, {
    where: plan.spec,
    hint: `Give it a url (redis://host:6379), or rehearse with: redis-sync verify ${plan.spec}`,
  });
}
