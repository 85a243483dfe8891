/** Keys without expiry are equal in number on both sides, per database (vendor statement S0-14). */
import { formatCount, plural } from '../../reports/display.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'counts';

export const counts: CheckDefinition = {
  name: NAME,
  summary: 'Keys without expiry (keys − expires of INFO keyspace) are equal in number, database by database.',
  judge: (context) => [judgeCounts(context)],
};

function judgeCounts({ comparison }: CheckContext) {
  if (comparison === null) return result(NAME, 'unknown', 'The keys were not counted.');
  const rows = comparison.counts.map((row) => ({
    ...row,
    source: row.sourceKeys - row.sourceExpires,
    target: row.targetKeys - row.targetExpires,
  }));
  const wrong = rows.filter((row) => row.source !== row.target);
  const numbers = { databases: rows.length, different: wrong.length };
  if (rows.length === 0 && comparison.keysCompared > 0) {
    return result(NAME, 'unknown', 'Keys were compared but not counted.', numbers);
  }
  const [first] = wrong;
  if (first === undefined) {
    const summary =
      rows.length === 0 ? 'Both sides are empty.' : `Equal in ${plural(rows.length, 'database')}.`;
    return result(NAME, 'pass', summary, numbers);
  }
  const others =
    wrong.length > 1 ? ` (and ${plural(wrong.length - 1, 'more database', 'more databases')})` : '';
  const summary = `Database ${first.database} of ${first.link} has ${plural(first.source, 'key')} without expiry on the source and ${formatCount(first.target)} on the target${others}.`;
  return result(NAME, 'fail', summary, numbers);
}
