/** destination.empty: nothing on the target that a full sync would mix with the source's data. Our own keys do not count. */
import { OWN_KEY_PREFIX } from '../../../engine/link/options.ts';
import { checkpointKey, loadingKey } from '../../../engine/apply/checkpoint.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import type { DestinationSubject, Outcome, Precheck } from '../precheck.ts';
import type { Side } from '../side.ts';

const SCAN_COUNT = '500';

export const destinationEmpty: Precheck = {
  id: 'destination.empty',
  about: 'destination',
  expected: 'no keys in any database, or a link that resumes',
  async measure(subject, { allowExisting, heartbeatPrefix }) {
    const { target } = subject;
    const keyspace = await target.info('keyspace');
    const databases = Object.entries(keyspace).flatMap(([name, text]) => {
      const [, keys] = /^keys=(\d+)/.exec(text) ?? [];
      return /^db\d+$/.test(name) && keys !== undefined
        ? [{ database: name.slice(2), keys: Number(keys) }]
        : [];
    });
    const isOwn = (key: string): boolean => key.startsWith(OWN_KEY_PREFIX) || key.startsWith(heartbeatPrefix);
    for (const { database } of databases) {
      const foreign = await findKey(target, database, (key) => !isOwn(key));
      if (foreign === undefined) continue;
      const counts = databases.map((entry) => `db${entry.database} ${entry.keys} keys`).join(', ');
      const measured = `INFO keyspace → ${counts}; SCAN → ${JSON.stringify(foreign.slice(0, 80))} in db${database}`;
      return judgeFilled(subject, measured, allowExisting);
    }
    return {
      verdict: 'PASS',
      measured: databases.length === 0 ? 'INFO keyspace → no database has keys' : 'SCAN → only our own keys',
    };
  },
};

async function judgeFilled(
  subject: DestinationSubject,
  measured: string,
  allowExisting: boolean,
): Promise<Outcome> {
  const { target, links } = subject;
  // A link's own data: synchronized (the checkpoint says up to where), or half a full sync, which begins anew over it.
  const marks = links.map((link) => target.need('EXISTS', checkpointKey(link), loadingKey(link)));
  const found = await Promise.all(marks);
  const starting = links.filter((_, index) => found[index] === 0);
  if (starting.length === 0)
    return { verdict: 'PASS', measured: `${measured}; all of it is from an earlier run of the same link` };
  const names = starting.join(', ');
  if (allowExisting) {
    return {
      verdict: 'WARN',
      measured,
      repair: `Allowed by the spec: link ${names} overwrites keys of the same name.`,
    };
  }
  return {
    verdict: 'FAIL',
    measured,
    repair: `Link ${names} would begin with a full sync over this data: empty the target (FLUSHALL), or use another one.`,
  };
}

/** The first key of a database that fits; undefined when there is none. Expired keys are not seen. */
async function findKey(
  target: Side,
  database: string,
  fits: (key: string) => boolean,
): Promise<string | undefined> {
  let cursor = '0';
  do {
    const [, page = null] = await target.send([
      ['SELECT', database],
      ['SCAN', cursor, 'COUNT', SCAN_COUNT],
      ['SELECT', '0'],
    ]);
    if (!Array.isArray(page)) return `(SCAN → ${textOf(page)})`;
    const [next = null, keys = null] = page;
    const found = Array.isArray(keys) ? keys.map(textOf).find(fits) : undefined;
    if (found !== undefined) return found;
    cursor = textOf(next);
  } while (cursor !== '0');
  return undefined;
}
