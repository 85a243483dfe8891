/** No log speaks of a crash, a failed assertion or an error that nobody handled. */
import { plural } from '../../reports/display.ts';
import { evidenceAbout, unreadReason } from '../../reports/evidence.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { effectiveFaults } from './faults-in-effect.ts';

const NAME = 'log-patterns';
/** Logs of servers, relative to the run folder. */
const SERVERS = /^servers[/\\]/;

export const logPatterns: CheckDefinition = {
  name: NAME,
  summary: 'No log of a server or of the engine speaks of a crash, an assertion or an unhandled error.',
  judge: (context) => [judgeLogs(context)],
};

function judgeLogs(context: CheckContext) {
  const { events, links } = context;
  if (links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const logs = evidenceAbout(events, 'log-lines');
  if (logs.length === 0 || unreadReason(events, 'log-lines') !== null)
    return result(NAME, 'unknown', 'The logs were not looked through.');
  // A server may be brought down by a fault; the engine never by anything.
  const isExcused = effectiveFaults(context).length > 0;
  const bad = logs.filter(({ file, lines: found }) => found.length > 0 && !(isExcused && SERVERS.test(file)));
  const lines = sum(bad.map((log) => log.lines.length));
  const [first] = bad;
  if (first === undefined) return result(NAME, 'pass', 'Nothing.', { lines });
  return result(
    NAME,
    'fail',
    `${plural(lines, 'line')} in ${bad.map(({ file }) => file).join(', ')}: ${first.lines[0] ?? ''}`,
    { lines },
  );
}
