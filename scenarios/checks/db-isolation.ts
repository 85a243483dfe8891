/** Every key is in its own database, and in no other. */
import { plural } from '../../reports/display.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';
import { isResult, ledgerOr } from './ledger-evidence.ts';

const NAME = 'db-isolation';

export const dbIsolation: CheckDefinition = {
  name: NAME,
  summary: 'No key of a ledger is in a database that it was not written to.',
  judge: (context) => [judgeStrays(context)],
};

function judgeStrays(context: CheckContext) {
  const views = ledgerOr(NAME, context);
  if (isResult(views)) return views;
  const strays = views.flatMap(({ instance, account }) =>
    (account.strayDatabases ?? []).map((database) => ({ instance, account, database })),
  );
  const [first] = strays;
  if (first === undefined)
    return result(NAME, 'pass', `${plural(views.length, 'key')} only where they were written.`, {
      strays: 0,
    });
  const { instance, account, database } = first;
  const summary = `${plural(strays.length, 'key')} in a wrong database: ${account.lane} of database ${account.database} is in database ${database} of ${instance}.`;
  return result(NAME, 'fail', summary, { strays: strays.length });
}
