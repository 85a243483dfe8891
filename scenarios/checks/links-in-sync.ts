/** Every link reached Synchronizing and, at the end, had applied everything its source had written. */
import { formatCount, plural } from '../../reports/display.ts';
import { eventsOf, linkStatesOf } from '../../reports/history.ts';
import { ERROR_CODES } from '../../engine/errors.ts';
import type { CheckResult, LinkResult } from '../../reports/results.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'links-in-sync';

export const linksInSync: CheckDefinition = {
  name: NAME,
  summary: 'Every link reached Synchronizing and applied everything up to its source’s last offset.',
  judge: (context) => [judgeLinks(context)],
};

function judgeLinks(context: CheckContext): CheckResult {
  const { links } = context;
  if (links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const problems = links.flatMap((link) => problemOf(context, link) ?? []);
  const counts = { links: links.length, inSync: links.length - problems.length };
  if (problems.length === 0) return result(NAME, 'pass', describeDrained(context), counts);
  const failed = problems.filter((problem) => problem.failed);
  const summary = (failed.length > 0 ? failed : problems).map((problem) => problem.text).join(' ');
  return result(
    NAME,
    failed.length > 0 && !endedByEnvironment(context) ? 'fail' : 'unknown',
    summary,
    counts,
  );
}

/** What a link without offsets rests on is said with it. */
function describeDrained({ links, events }: CheckContext): string {
  const seen = new Map(eventsOf(events, 'caught-up').map(({ link, reason }) => [link, reason]));
  const [first] = seen;
  if (first === undefined) return `${plural(links.length, 'link')} drained to the last offset.`;
  const more = seen.size > 1 ? ` (and ${plural(seen.size - 1, 'more link')} likewise)` : '';
  return `Seen from outside, not by offsets: link ${first[0]} caught up, ${first[1]}${more}.`;
}

/** `failed`: the link gave up. Otherwise it only did not get there. */
function problemOf(context: CheckContext, link: LinkResult): { text: string; failed: boolean } | null {
  const states = linkStatesOf(context.events).filter((span) => span.link === link.link);
  const last = states.at(-1);
  if (link.state === 'Failed' || link.state === 'InitializeFailed') {
    return {
      text: `Link ${link.link} failed${last?.cause ? `: ${last.cause.replace(/\.$/, '')}` : ''}.`,
      failed: true,
    };
  }
  if (!states.some((span) => span.state === 'Synchronizing')) {
    return { text: `Link ${link.link} never finished its full sync.`, failed: false };
  }
  const caughtUp = eventsOf(context.events, 'caught-up').findLast((event) => event.link === link.link);
  if (caughtUp !== undefined) {
    if (caughtUp.reached) return null;
    const text = `Link ${link.link} was not seen to catch up: ${caughtUp.reason}.`;
    return { text, failed: false };
  }
  const drained = eventsOf(context.events, 'drained').findLast((event) => event.link === link.link);
  if (drained === undefined) return { text: `Link ${link.link} was not drained.`, failed: false };
  const missing = BigInt(drained.sourceOffset) - BigInt(drained.appliedOffset);
  if (missing <= 0n) return null;
  const text = `Link ${link.link} is ${formatCount(Number(missing))} bytes of the stream behind its source.`;
  return { text, failed: false };
}

/** The run ended for a reason outside the rehearsal (refused, unreachable): that is not evidence against the data. */
function endedByEnvironment({ error }: CheckContext): boolean {
  if (error === null) return false;
  return !Object.entries(ERROR_CODES).some(([code, exitCode]) => code === error.code && exitCode === 1);
}
