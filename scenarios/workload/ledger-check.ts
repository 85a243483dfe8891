/** Holds a ledger against a server: which of its writes are there, how often, and in which order. */
import type { Caller } from '../../engine/connect/cluster-reader.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { Reply } from '../../engine/resp/reply.ts';
import type { LaneAccount } from '../../reports/evidence.ts';
import { LaneReading } from './lane-reading.ts';
import { ringKeys, type Lane, type Ledger } from './ledger.ts';

/** A server, or a whole cluster. */
type Reader = Pick<Caller, 'call' | 'pipeline'>;

export interface LedgerVerdict {
  /** Acknowledged writes that are not there. */
  lost: number;
  /** Writes that are there more than once, counting each extra time. */
  duplicated: number;
  /** Acknowledged writes that stand behind a later one of the same client. Sets and counters have no order. */
  reordered: number;
  /** Elements that were refused or never written, and yet are there. */
  unexpected: number;
  /** The first of each, worded. Bounded. */
  samples: string[];
}

const SAMPLES_MAX = 20;
const PAGE = 5000;

/**
 * Reads every lane from the server and compares. Writes with an unknown outcome may be there or not, in any place, but
 * not twice. Leaves the connection in another database.
 *
 * @throws SyncError CONNECT, or what the server refused (WRONGTYPE when a lane's key is something else).
 */
export async function verifyLedger(connection: Reader, ledger: Ledger): Promise<LedgerVerdict> {
  const verdict: LedgerVerdict = { lost: 0, duplicated: 0, reordered: 0, unexpected: 0, samples: [] };
  for (const account of await accountLedger(connection, ledger)) {
    for (const [from, to] of account.missing) verdict.lost += to - from + 1;
    verdict.duplicated += account.duplicated;
    verdict.reordered += account.reordered;
    verdict.unexpected += account.unexpected;
    verdict.samples.push(...account.samples.slice(0, SAMPLES_MAX - verdict.samples.length));
  }
  return verdict;
}

/** One account per lane, and in which other databases (of those that have keys) the lane's key is. @throws as verifyLedger. */
export async function accountLedger(connection: Reader, ledger: Ledger): Promise<LaneAccount[]> {
  const accounts: LaneAccount[] = [];
  for (const lane of ledger.lanes) {
    await connection.call('SELECT', lane.database);
    accounts.push(await accountLane(connection, lane));
  }
  await findStrays(connection, ledger, accounts);
  return accounts;
}

/** Notes the databases in which a lane's key is although nobody wrote it there. */
async function findStrays(
  connection: Reader,
  ledger: Ledger,
  accounts: readonly LaneAccount[],
): Promise<void> {
  const keyspace = parseInfo(await connection.call('INFO', 'keyspace'));
  for (const name of Object.keys(keyspace)) {
    const database = Number(/^db(\d+)$/.exec(name)?.[1]);
    const others = accounts.filter(
      (account) => Number.isInteger(database) && !ledger.has(database, account.lane),
    );
    if (others.length === 0) continue;
    await connection.call('SELECT', database);
    const replies = await connection.pipeline(others.map(({ kind, lane }) => existsWords(kind, lane)));
    for (const [index, account] of others.entries()) {
      if (typeof replies[index] === 'number' && replies[index] > 0)
        (account.strayDatabases ??= []).push(database);
    }
  }
}

function existsWords(kind: LaneAccount['kind'], lane: string): string[] {
  return ['EXISTS', ...(kind === 'ring' ? ringKeys(lane) : [lane])];
}

async function accountLane(connection: Reader, lane: Lane): Promise<LaneAccount> {
  const reading = new LaneReading(lane);
  if (lane.kind === 'counter') reading.counter(numberOr(await connection.call('GET', lane.key), 0));
  else if (lane.kind === 'ring') reading.ring(await readRing(connection, lane.key));
  else for await (const number of elementsOf(connection, lane)) reading.element(number);
  return reading.finish();
}

/** The values of a ring's keys, read together; null where a key is not there. The database is selected. */
export async function readRing(connection: Reader, key: string): Promise<(number | null)[]> {
  const values = listOf(await connection.call('MGET', ...ringKeys(key)));
  return values.map((value) => (value === null ? null : numberOf(value)));
}

/** The numbers of a list, set or stream, page by page. */
async function* elementsOf(connection: Reader, lane: Lane): AsyncGenerator<number> {
  if (lane.kind === 'set') yield* setMembers(connection, lane.key);
  else if (lane.kind === 'stream') yield* streamNumbers(connection, lane.key);
  else yield* listNumbers(connection, lane.key);
}

async function* listNumbers(connection: Reader, key: string): AsyncGenerator<number> {
  for (let from = 0; ; from += PAGE) {
    const page = listOf(await connection.call('LRANGE', key, from, from + PAGE - 1));
    for (const element of page) yield numberOf(element);
    if (page.length < PAGE) return;
  }
}

async function* setMembers(connection: Reader, key: string): AsyncGenerator<number> {
  // SSCAN may return a member twice while the set is being resized.
  const seen = new Set<number>();
  let cursor = '0';
  do {
    const [next, members] = listOf(await connection.call('SSCAN', key, cursor, 'COUNT', PAGE));
    for (const member of listOf(members ?? null)) seen.add(numberOf(member));
    cursor = textOf(next ?? null);
  } while (cursor !== '0');
  yield* seen;
}

async function* streamNumbers(connection: Reader, key: string): AsyncGenerator<number> {
  let from = '-';
  for (;;) {
    const page = listOf(await connection.call('XRANGE', key, from, '+', 'COUNT', PAGE));
    for (const entry of page) yield numberOf(listOf(listOf(entry)[1] ?? null)[1] ?? null);
    if (page.length < PAGE) return;
    from = idAfter(textOf(listOf(page.at(-1) ?? null)[0] ?? null));
  }
}

/** The next possible id. Not `(id`: that is 6.2 and later. */
function idAfter(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return `${ms}-${BigInt(sequence) + 1n}`;
}

function listOf(reply: Reply): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}

function textOf(reply: Reply): string {
  return Buffer.isBuffer(reply) ? reply.toString('latin1') : '';
}

/** NaN when it is not a number. */
function numberOf(reply: Reply): number {
  const text = textOf(reply);
  return text === '' ? Number.NaN : Number(text);
}

function numberOr(reply: Reply, absent: number): number {
  return reply === null ? absent : numberOf(reply);
}
