/** What a fault breaks comes back by itself, soon after the fault is over. */
import { plural } from '../../reports/display.ts';
import { linkStatesOf, type LinkStateSpan } from '../../reports/history.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';
import { effectiveFaults } from './faults-in-effect.ts';

const NAME = 'recovery';
const LIMIT_MS = 60_000;

export const recovery: CheckDefinition = {
  name: NAME,
  summary: `A link that was interrupted is Synchronizing again within ${LIMIT_MS / 1000} s of the end of the fault.`,
  judge: (context) => [judgeRecovery(context)],
};

function judgeRecovery(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const interruptions = interruptionsOf(context);
  if (interruptions.length === 0) return result(NAME, 'skipped', 'No link was interrupted.');
  const slowest = Math.max(...interruptions.map(({ recoveryMs }) => recoveryMs ?? 0));
  const counts = { interruptions: interruptions.length, slowestMs: Math.round(slowest) };
  const lost = interruptions.find(({ recoveryMs }) => recoveryMs === null);
  if (lost !== undefined)
    return result(NAME, 'fail', `Link ${lost.link} did not come back (${lost.cause}).`, counts);
  if (slowest > LIMIT_MS)
    return result(NAME, 'fail', `A link took ${Math.round(slowest / 1000)} s to come back.`, counts);
  return result(
    NAME,
    'pass',
    `${plural(interruptions.length, 'interruption')}, back within ${counts.slowestMs} ms.`,
    counts,
  );
}

export interface Interruption {
  link: string;
  cause: string;
  /** From the end of the faults that were in effect to Synchronizing; null: it did not come back. */
  recoveryMs: number | null;
}

/** Every time a link that was in sync stopped being so, not counting pauses somebody asked for and its end. */
export function interruptionsOf(context: CheckContext): Interruption[] {
  const spans = linkStatesOf(context.events);
  return context.links.flatMap(({ link }) => {
    const own = spans.filter((span) => span.link === link);
    return own.flatMap((span, index) => {
      if (span.state !== 'Retrying' || own[index - 1]?.state !== 'Synchronizing') return [];
      const back = own.slice(index).find(({ state }) => state === 'Synchronizing');
      return [
        {
          link,
          cause: span.cause,
          recoveryMs: back === undefined ? null : timeToReturnMs(context, span, back),
        },
      ];
    });
  });
}

function timeToReturnMs(context: CheckContext, broken: LinkStateSpan, back: LinkStateSpan): number {
  const healed = effectiveFaults(context)
    .filter((fault) => (fault.requestedMs ?? 0) <= back.fromMs)
    .map((fault) => fault.healedMs ?? fault.effectiveMs ?? 0)
    .filter((ms) => ms <= back.fromMs);
  return back.fromMs - Math.max(broken.fromMs, ...healed);
}
