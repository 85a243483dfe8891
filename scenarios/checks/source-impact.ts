/** A migration must not hurt its source: no forks nobody asked for, no output buffer that runs over. */
import { plural } from '../../reports/display.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { effectiveFaults } from './faults-in-effect.ts';
import { changesBetween, growthOf, type ServerChange } from './server-evidence.ts';

const NAME = 'source-impact';

export const sourceImpact: CheckDefinition = {
  name: NAME,
  summary:
    'A source forks only for full syncs, and never closes a connection because its output buffer ran over.',
  judge: (context) => [judgeImpact(context)],
};

function judgeImpact(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const sources = new Set(context.links.map(({ source }) => source));
  const changes = changesBetween(context, 'start', 'quiet').filter(({ instance }) => sources.has(instance));
  if (changes.length === 0)
    return context.ended
      ? result(NAME, 'skipped', 'No source could be asked at both ends of one life.')
      : result(NAME, 'unknown', 'Nobody asked the sources.');
  const counts = {
    forks: sum(changes.map((change) => growthOf(change, 'total_forks') ?? 0)),
    fullSyncs: sum(changes.map((change) => growthOf(change, 'sync_full') ?? 0)),
    overruns: sum(
      changes.map((change) => growthOf(change, 'client_output_buffer_limit_disconnections') ?? 0),
    ),
  };
  const worst = slowestClients(context);
  const told = worst === null ? '' : `, clients’ p99 ${worst} ms`;
  const complaint = effectiveFaults(context).length > 0 ? null : complaintAbout(context, changes);
  if (complaint !== null) return result(NAME, 'fail', complaint, counts);
  const summary = `${plural(counts.forks, 'fork')} for ${plural(counts.fullSyncs, 'full sync')}${told}.`;
  return result(NAME, 'pass', summary, counts);
}

function complaintAbout(context: CheckContext, changes: readonly ServerChange[]): string | null {
  for (const change of changes) {
    const overruns = growthOf(change, 'client_output_buffer_limit_disconnections') ?? 0;
    if (overruns > 0)
      return `${change.instance} closed ${plural(overruns, 'connection')} whose output buffer ran over.`;
    const forks = growthOf(change, 'total_forks');
    const syncs = growthOf(change, 'sync_full');
    // A server that saves itself forks for that.
    if (forks === null || syncs === null || savesItself(context, change.instance)) continue;
    if (forks > syncs) return `${change.instance} forked ${forks}× for ${plural(syncs, 'full sync')}.`;
  }
  return null;
}

/** An existing endpoint may; one we started does if the spec says so. */
function savesItself({ selfSaving }: CheckContext, instance: string): boolean {
  return selfSaving.includes(instance);
}

function slowestClients({ workload }: CheckContext): number | null {
  const slow = workload.flatMap(({ latencyMs }) => latencyMs?.p99 ?? []);
  return slow.length === 0 ? null : Math.max(...slow);
}
