/** The run went through all its phases. What ended early can at best be unknown. */
import type { RunEvent } from '../../reports/events.ts';
import { eventsOf, phasesOf } from '../../reports/history.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';
import { exitCodeOfError } from './exit-code.ts';

const NAME = 'run-completed';

export const runCompleted: CheckDefinition = {
  name: NAME,
  summary: 'The run was neither interrupted nor ended by a failure.',
  judge: (context) => [judgeCompletion(context)],
};

function judgeCompletion({ error, events, ended }: CheckContext) {
  const interrupted = eventsOf(events, 'interrupted').at(-1);
  if (interrupted !== undefined)
    return result(NAME, 'unknown', `The run was interrupted by ${interrupted.signal}.`);
  if (!ended) return result(NAME, 'unknown', `The run was cut off ${describeEnd(events)}.`);
  if (error === null) return result(NAME, 'pass', 'The run went through all its phases.');
  const where = error.where === undefined ? '' : `${error.where}: `;
  return result(
    NAME,
    exitCodeOfError(error.code) === 1 ? 'fail' : 'unknown',
    `The run ended early. ${where}${error.message}`,
  );
}

function describeEnd(events: readonly RunEvent[]): string {
  const last = phasesOf(events).at(-1);
  if (last === undefined) return 'before its first phase';
  return last.status === 'failed' ? `in phase ${last.phase}` : `after phase ${last.phase}`;
}
