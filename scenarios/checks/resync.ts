/** How often links had to start over, of which kind, and whether there was a reason. */
import { lastMs, syncsOf } from '../../reports/history.ts';
import { plural } from '../../reports/display.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { effectiveFaults, firstFaultMs, isRepeated } from './faults-in-effect.ts';
import { changesBetween, growthOf } from './server-evidence.ts';

const NAME = 'resync';
/** More full syncs than this a minute are a storm, whatever the fault: each costs the source a fork. */
const FULL_PER_MINUTE = 20;

export const resync: CheckDefinition = {
  name: NAME,
  summary: 'No link starts over without a fault, none does so in a storm, and none hides it.',
  judge: (context) => [judgeResyncs(context)],
};

function judgeResyncs(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const all = syncsOf(context.events);
  const repeated = all.filter((sync) => isRepeated(sync, all));
  const full = repeated.filter(({ mode }) => mode === 'full');
  const counts = { full: full.length, partial: repeated.length - full.length };
  const minutes = Math.max(1, lastMs(context.events) / 60_000);
  if (full.length > FULL_PER_MINUTE * minutes * context.links.length)
    return result(NAME, 'fail', `A storm of ${plural(full.length, 'full resync')}.`, counts);
  const hidden = hiddenSyncs(context);
  if (hidden !== null) return result(NAME, 'fail', hidden, counts);
  const causeless = repeated.filter(({ startedMs }) => startedMs < firstFaultMs(context));
  const isExpected = context.expect.some((line) => 'finding' in line && line.finding === 'FULL_RESYNC');
  const [first] = causeless.toSorted((a, b) => Number(b.mode === 'full') - Number(a.mode === 'full'));
  if (first !== undefined && !isExpected) {
    const summary = `Link ${first.link} had to start over (${first.mode}) without a fault: ${first.cause}.`;
    return result(NAME, first.mode === 'full' ? 'fail' : 'unknown', summary, counts);
  }
  return result(NAME, 'pass', `${plural(counts.full, 'full resync')}, ${counts.partial} partial.`, counts);
}

/** The source counts full syncs too. Told only where nothing else makes it count: no faults, no replicas that come later. */
function hiddenSyncs(context: CheckContext): string | null {
  if (effectiveFaults(context).length > 0) return null;
  const { links, events } = context;
  const all = syncsOf(events);
  for (const change of changesBetween(context, 'start', 'quiet')) {
    const own = links.filter(({ source }) => source === change.instance);
    // Whoever looks for foreign writes on a target is a replica of it.
    if (own.length === 0 || links.some(({ target }) => target === change.instance)) continue;
    const served = growthOf(change, 'sync_full');
    const told = sum(
      own.map(({ link }) => all.filter((sync) => sync.link === link && sync.mode === 'full').length),
    );
    if (served !== null && served > told)
      return `${change.instance} served ${plural(served, 'full sync')}, the links speak of ${told}.`;
  }
  return null;
}
