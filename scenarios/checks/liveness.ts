/** The engine is alive all the time: it says so twice a second. */
import { eventsOf, linkStatesOf } from '../../reports/history.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';
import { effectiveFaults } from './faults-in-effect.ts';

const NAME = 'liveness';
/** A busy machine may hold it up for a while; longer than this, nothing moves. */
const SILENCE_MS = 5000;

export const liveness: CheckDefinition = {
  name: NAME,
  summary: `No link is silent for more than ${SILENCE_MS / 1000} s while it runs, except during a fault.`,
  judge: (context) => [judgeSilence(context)],
};

function judgeSilence(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const silences = context.links.map(({ link }) => ({ link, ms: longestSilence(context, link) }));
  const longest = silences.toSorted((a, b) => b.ms - a.ms)[0];
  const counts = { longestMs: Math.round(longest?.ms ?? 0) };
  if (longest === undefined || longest.ms <= SILENCE_MS)
    return result(NAME, 'pass', `Never silent for more than ${counts.longestMs} ms.`, counts);
  return result(
    NAME,
    'fail',
    `Link ${longest.link} said nothing for ${Math.round(longest.ms / 100) / 10} s.`,
    counts,
  );
}

/** Between the words of one link from its start to its drain, less the time of faults. */
function longestSilence(context: CheckContext, link: string): number {
  const started = linkStatesOf(context.events).find(
    (span) => span.link === link && span.state !== 'NotStarted',
  );
  const drained = eventsOf(context.events, 'drained').findLast((event) => event.link === link);
  if (started === undefined || drained === undefined) return 0;
  const heard = context.events
    .filter((event) => 'link' in event && event.link === link && event.kind !== 'drained')
    .map(({ ms }) => ms)
    .filter((ms) => ms >= started.fromMs && ms <= drained.ms);
  let longest = 0;
  for (const [index, ms] of [...heard, drained.ms].entries()) {
    const before = heard[index - 1] ?? started.fromMs;
    if (!overlapsFault(context, before, ms)) longest = Math.max(longest, ms - before);
  }
  return longest;
}

function overlapsFault(context: CheckContext, fromMs: number, toMs: number): boolean {
  return effectiveFaults(context).some(
    (fault) => (fault.requestedMs ?? 0) <= toMs && (fault.healedMs ?? Infinity) >= fromMs,
  );
}
