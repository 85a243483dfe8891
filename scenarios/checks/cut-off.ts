/**
 * Links that were cut off before their targets had everything, by something that says nothing of the data (their process was
 * killed, a server could not be reached): what the target lacks then may only not have arrived.
 */
import { eventsOf } from '../../reports/history.ts';
import type { CheckContext } from './check.ts';
import { exitCodeOfError } from './exit-code.ts';

/** Checks that a stream which ends early fails, whatever was right about it. */
export const NEED_ARRIVAL: ReadonlySet<string> = new Set(['data-equal', 'counts', 'ledger-lost']);

export function cutOffLinks({ error, events, links }: CheckContext): string[] {
  if (error === null || exitCodeOfError(error.code) === 1) return [];
  return links.map(({ link }) => link).filter((link) => !hasArrived(events, link));
}

function hasArrived(events: CheckContext['events'], link: string): boolean {
  const caughtUp = eventsOf(events, 'caught-up').findLast((event) => event.link === link);
  if (caughtUp !== undefined) return caughtUp.reached;
  const drained = eventsOf(events, 'drained').findLast((event) => event.link === link);
  return drained !== undefined && BigInt(drained.appliedOffset) >= BigInt(drained.sourceOffset);
}
