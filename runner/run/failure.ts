/** What ended a run early, as its results and its history have it. */
import { asError } from '../../engine/errors.ts';
import { describeFailure } from '../../engine/link/hosted-link.ts';
import type { Results } from '../../reports/results.ts';
import type { History } from './history.ts';

/** Tells the history, unless that was done where it happened, and returns it for the results. */
export function recordFailure(
  thrown: unknown,
  history: History,
  signal: AbortSignal,
): NonNullable<Results['error']> {
  if (signal.aborted) {
    // What fails after Ctrl-C fails because of it.
    const { message } = asError(signal.reason);
    history.emit({ kind: 'interrupted', signal: /SIG[A-Z]+/.exec(message)?.[0] ?? 'SIGINT' });
    return { code: 'ABORTED', message: `The run was ${message}.` };
  }
  const failure = describeFailure(asError(thrown));
  // A link that gives up has said so already.
  const isTold = history.events.some((event) => event.kind === 'error' && event.message === failure.message);
  if (!isTold) history.emit({ kind: 'error', ...failure });
  return failure;
}
