/**
 * destination.empty: nothing on the target that a full sync would mix with the source's data. Our own keys do not count.
 *
 * Several links may have one target, and not all begin at the same time: then it holds what the earlier ones have brought.
 * Where it is known whose a key is (Codis slots, patterns of owners), such keys do not count either, and any other key does.
 */
import { OWN_KEY_PREFIX } from '../../../engine/link/options.ts';
import { checkpointKey, loadingKey } from '../../../engine/apply/checkpoint.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { ownershipOf } from '../../plan/ownership.ts';
import type { LinkPlan } from '../../plan/plan.ts';
import type { DestinationSubject, Outcome, Precheck, PrecheckPolicy } from '../precheck.ts';
import type { Side } from '../side.ts';

const SCAN_COUNT = '500';

export const destinationEmpty: Precheck = {
  id: 'destination.empty',
  about: 'destination',
  expected: 'no keys in any database, or a link that resumes',
  async measure(subject, policy) {
    const others = await subject.target.otherShards();
    try {
      const shards = [subject.target, ...others];
      const outcomes = await Promise.all(
        shards.map((target) => measureServer({ ...subject, target }, policy)),
      );
      // Of a cluster the worst shard tells.
      const worst = WORST_FIRST.flatMap((verdict) => outcomes.find((each) => each.verdict === verdict) ?? []);
      return worst[0] ?? { verdict: 'UNKNOWN', measured: 'nobody was asked' };
    } finally {
      await Promise.all(others.map((other) => other[Symbol.asyncDispose]()));
    }
  },
};

const WORST_FIRST: readonly Outcome['verdict'][] = ['FAIL', 'UNKNOWN', 'WARN', 'SKIP', 'PASS'];

async function measureServer(
  subject: DestinationSubject,
  { allowExisting, heartbeatPrefix }: PrecheckPolicy,
): Promise<Outcome> {
  const { target } = subject;
  const keyspace = await target.info('keyspace');
  const databases = Object.entries(keyspace).flatMap(([name, text]) => {
    const [, keys] = /^keys=(\d+)/.exec(text) ?? [];
    return /^db\d+$/.test(name) && keys !== undefined
      ? [{ database: name.slice(2), keys: Number(keys) }]
      : [];
  });
  const isOwn = (key: Buffer): boolean => {
    const name = key.toString('latin1');
    return name.startsWith(OWN_KEY_PREFIX) || name.startsWith(heartbeatPrefix);
  };
  const find = (fits: (key: Buffer) => boolean) =>
    findKey(target, databases, (key) => !isOwn(key) && fits(key));
  const foreign = await find(() => true);
  if (foreign === undefined) {
    return {
      verdict: 'PASS',
      measured: databases.length === 0 ? 'INFO keyspace → no database has keys' : 'SCAN → only our own keys',
    };
  }
  const counts = databases.map((entry) => `db${entry.database} ${entry.keys} keys`).join(', ');
  return judgeFilled(subject, { counts: `INFO keyspace → ${counts}`, foreign, find }, allowExisting);
}

interface FoundKey {
  database: string;
  key: Buffer;
}

interface Filled {
  counts: string;
  foreign: FoundKey;
  find: (fits: (key: Buffer) => boolean) => Promise<FoundKey | undefined>;
}

async function judgeFilled(
  subject: DestinationSubject,
  { counts, foreign, find }: Filled,
  allowExisting: boolean,
): Promise<Outcome> {
  const { target, links } = subject;
  // A link's own data: synchronized (the checkpoint says up to where), or half a full sync, which begins anew over it.
  const marks = links.map(({ id }) => target.need('EXISTS', checkpointKey(id), loadingKey(id)));
  const found = await Promise.all(marks);
  const starting = links.filter((_, index) => found[index] === 0);
  const running = links.filter((_, index) => found[index] !== 0);
  if (starting.length === 0) {
    return {
      verdict: 'PASS',
      measured: `${counts}; ${describeKey(foreign)}; all of it is from an earlier run of the same link`,
    };
  }
  // The way back goes to where its data came from.
  if (starting.every(({ incrementalOnly }) => incrementalOnly === true)) {
    return { verdict: 'SKIP', measured: `${counts}; link ${idsOf(starting)} copies nothing` };
  }
  const isLiteral = starting.some(({ emptyCheck }) => emptyCheck === 'literal');
  const others = isLiteral ? undefined : ownersOf(running);
  const stranger = others === undefined ? foreign : await find((key) => !others(key));
  if (stranger === undefined) {
    return { verdict: 'PASS', measured: `${counts}; every key belongs to what ${idsOf(running)} brought` };
  }
  const measured = `${counts}; ${describeKey(stranger)}`;
  const names = idsOf(starting);
  if (allowExisting) {
    return {
      verdict: 'WARN',
      measured,
      repair: `Allowed by the spec: link ${names} overwrites keys of the same name.`,
    };
  }
  const hint =
    isLiteral && running.length > 0
      ? ` The keys are those of ${idsOf(running)}, and the check is literal: with emptyCheck: group-aware they do not count.`
      : '';
  return {
    verdict: 'FAIL',
    measured,
    repair: `Link ${names} would begin with a full sync over this data: empty the target (FLUSHALL), use another one, or say what is to become of it (engine.existing).${hint}`,
  };
}

/** Whether a key belongs to one of the links; undefined when that is not known of each of them. */
function ownersOf(links: readonly LinkPlan[]): ((key: Buffer) => boolean) | undefined {
  const rules = links.map(ownershipOf);
  if (rules.length === 0 || rules.includes(undefined)) return undefined;
  return (key) => rules.some((owns) => owns?.(key) === true);
}

function idsOf(links: readonly LinkPlan[]): string {
  return links.map(({ id }) => id).join(', ');
}

function describeKey({ database, key }: FoundKey): string {
  return `SCAN → ${JSON.stringify(key.toString().slice(0, 80))} in db${database}`;
}

/** The first key that fits; undefined when there is none. Expired keys are not seen. */
async function findKey(
  target: Side,
  databases: readonly { database: string }[],
  fits: (key: Buffer) => boolean,
): Promise<FoundKey | undefined> {
  for (const { database } of databases) {
    let cursor = '0';
    do {
      const [, page = null] = await target.send([
        ['SELECT', database],
        ['SCAN', cursor, 'COUNT', SCAN_COUNT],
        ['SELECT', '0'],
      ]);
      if (!Array.isArray(page)) return { database, key: Buffer.from(`(SCAN → ${textOf(page)})`) };
      const [next = null, keys = null] = page;
      const all = (Array.isArray(keys) ? keys : []).filter((key) => Buffer.isBuffer(key));
      const key = all.find(fits);
      if (key !== undefined) return { database, key };
      cursor = textOf(next);
    } while (cursor !== '0');
  }
  return undefined;
}
