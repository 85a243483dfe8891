/** Holds a ledger against a server. */
import type { Connection } from '../../engine/connect/connection.ts';
import type { Reply } from '../../engine/resp/reply.ts';
import type { Lane, Ledger } from './ledger.ts';

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
export async function verifyLedger(connection: Connection, ledger: Ledger): Promise<LedgerVerdict> {
  const verdict: LedgerVerdict = { lost: 0, duplicated: 0, reordered: 0, unexpected: 0, samples: [] };
  for (const lane of ledger.lanes) {
    await connection.call('SELECT', lane.database);
    if (lane.kind === 'counter') await checkCounter(connection, lane, verdict);
    else await checkElements(connection, lane, verdict);
  }
  return verdict;
}

async function checkCounter(connection: Connection, lane: Lane, verdict: LedgerVerdict): Promise<void> {
  const value = Number(textOf(await connection.call('GET', lane.key)) || '0');
  const least = lane.count('ok');
  const most = least + lane.count('unknown');
  if (value < least)
    note(verdict, 'lost', least - value, `${lane.key} is ${value}, at least ${least} were acknowledged`);
  if (value > most)
    note(verdict, 'duplicated', value - most, `${lane.key} is ${value}, at most ${most} were sent`);
}

async function checkElements(connection: Connection, lane: Lane, verdict: LedgerVerdict): Promise<void> {
  const seen = new Uint8Array(lane.length);
  let highest = -1;
  for await (const number of elementsOf(connection, lane)) {
    if (
      !Number.isInteger(number) ||
      number < 0 ||
      number >= lane.length ||
      lane.outcome(number) === 'failed'
    ) {
      note(verdict, 'unexpected', 1, `${lane.key} has ${number}, which was refused or never written`);
      continue;
    }
    if (seen[number] === 1) note(verdict, 'duplicated', 1, `${lane.key} has ${number} again`);
    else if (lane.kind !== 'set' && lane.outcome(number) === 'ok') {
      if (number < highest) note(verdict, 'reordered', 1, `${lane.key} has ${number} after ${highest}`);
      highest = Math.max(highest, number);
    }
    seen[number] = 1;
  }
  for (let number = 0; number < lane.length; number++) {
    if (seen[number] === 0 && lane.outcome(number) === 'ok')
      note(verdict, 'lost', 1, `${lane.key} lacks ${number}`);
  }
}

/** The numbers of a list, set or stream, page by page. */
async function* elementsOf(connection: Connection, lane: Lane): AsyncGenerator<number> {
  if (lane.kind === 'set') yield* setMembers(connection, lane.key);
  else if (lane.kind === 'stream') yield* streamNumbers(connection, lane.key);
  else yield* listNumbers(connection, lane.key);
}

async function* listNumbers(connection: Connection, key: string): AsyncGenerator<number> {
  for (let from = 0; ; from += PAGE) {
    const page = listOf(await connection.call('LRANGE', key, from, from + PAGE - 1));
    for (const element of page) yield numberOf(element);
    if (page.length < PAGE) return;
  }
}

async function* setMembers(connection: Connection, key: string): AsyncGenerator<number> {
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

async function* streamNumbers(connection: Connection, key: string): AsyncGenerator<number> {
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

function note(
  verdict: LedgerVerdict,
  what: 'lost' | 'duplicated' | 'reordered' | 'unexpected',
  count: number,
  sample: string,
): void {
  verdict[what] += count;
  if (verdict.samples.length < SAMPLES_MAX) verdict.samples.push(`${what}: ${sample}`);
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
