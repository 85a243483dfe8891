/** Nothing a client wrote once is there twice: on the target (applied again), or at the source (it came back). */
import { plural } from '../../reports/display.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { isResult, ledgerOr, samplesOf } from './ledger-evidence.ts';

const NAME = 'ledger-duplicated';

export const ledgerDuplicated: CheckDefinition = {
  name: NAME,
  summary: 'No write is anywhere more often than once. Counters have a check of their own.',
  judge: (context) => [judgeDuplicated(context)],
};

function judgeDuplicated(context: CheckContext) {
  const views = ledgerOr(NAME, context);
  if (isResult(views)) return views;
  const guilty = views.filter(({ account }) => account.kind !== 'counter' && account.duplicated > 0);
  const duplicated = sum(guilty.map(({ account }) => account.duplicated));
  if (guilty.length === 0)
    return result(NAME, 'pass', `No write is there twice, in ${plural(views.length, 'reading')}.`, {
      duplicated,
    });
  const where = [...new Set(guilty.map(({ instance }) => instance))].join(', ');
  const summary = `${plural(duplicated, 'write')} too many on ${where}${samplesOf(guilty, 'duplicated')}.`;
  return result(NAME, 'fail', summary, { duplicated });
}
