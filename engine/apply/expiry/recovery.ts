/**
 * Finds deferred deadlines that nobody remembers: after a crash, or when neither memory nor disk had room for them.
 *
 *   target   SCAN, PEXPIRETIME ──▶ written
 *   source         PEXPIRETIME ──▶ set           written = set + n × grace: it was deferred
 *
 * The source may be ahead of the target; then what it says is on its way in the stream, which decides in the end. So
 * nothing is written from here: what is found is remembered, and given back in the order of the stream as everything else.
 *
 * Done in the background, page by page, when the link keeps up with its source, and at the cutover.
 */
import type { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import { asError, SyncError } from '../../errors.ts';
import { delay } from '../../psync/backoff.ts';
import type { Argument } from '../../resp/encode.ts';
import { textOf } from '../../resp/reply-text.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import type { LinkFinding } from '../finding.ts';
import { isOwnKey, scanKeys } from '../target-contents.ts';
import type { Deferred } from './deferred-table.ts';
import type { ExpiryKeeper } from './expiry-keeper.ts';
import { isLater, timeOf } from './settlement.ts';

const LOOK_MS = 500;
const AGAIN_MS = 5000;
const FIELDS_AT_ONCE = 1000;
const TIMEOUT_MS = 30_000;

export interface ExpiryRecoveryOptions {
  keeper: ExpiryKeeper;
  source: (() => Whereabouts) | undefined;
  /** Every server that has a part of the target. */
  targets: () => readonly Whereabouts[];
  /** By so much a key's deadline may have changed on its way from one of them to another. Default: keys do not move. */
  driftMs?: () => number;
  /** Which of them has which keys; undefined while keys are on the move. A target that is one server needs none. */
  placement?: (signal: AbortSignal) => Promise<string | undefined>;
  onFinding: (finding: LinkFinding) => void;
}

/** Deadlines as one side has them. */
interface Times {
  /** Ms since the epoch; undefined where there is none. */
  at: (number | undefined)[];
  /** How far off they may be: a server before 7.0 tells only how long they still are. */
  toleranceMs: number;
}

export class ExpiryRecovery {
  readonly #options: ExpiryRecoveryOptions;
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ExpiryRecoveryOptions) {
    this.#options = options;
  }

  /** From now on looks whether there is something to find. */
  start(): void {
    this.#running ??= this.#run(this.#ending.signal);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { keeper } = this.#options;
    while (!signal.aborted) {
      const isTime = keeper.hasUnknown && (keeper.caughtUp || keeper.settled);
      const failure = isTime ? await this.#attempt(signal) : undefined;
      await delay(failure === undefined ? LOOK_MS : AGAIN_MS, signal);
    }
  }

  async #attempt(signal: AbortSignal): Promise<SyncError | undefined> {
    const { keeper, onFinding } = this.#options;
    try {
      await this.#search(signal);
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      const failure = asError(error);
      if (!(failure instanceof SyncError)) throw failure;
      if (failure.retryable) return failure;
      keeper.giveUpSearch();
      onFinding(keeper.wordLate(failure.message));
      return undefined;
    }
  }

  /** @throws SyncError; what was found until then is remembered. */
  async #search(signal: AbortSignal): Promise<void> {
    const { keeper, source, targets, placement } = this.#options;
    if (source === undefined) throw new SyncError('INTERNAL', 'Nobody says where the source is.');
    const done = keeper.search();
    const before = await placement?.(signal);
    for (const target of targets()) await this.#searchOn(target, source, signal);
    // A key that went from a server that was still to be searched to one that had been was on neither.
    if (placement !== undefined && (before === undefined || (await placement(signal)) !== before))
      throw new SyncError('CONNECT', 'Slots have moved during the search.', { retryable: true });
    done();
  }

  async #searchOn(target: Whereabouts, source: () => Whereabouts, signal: AbortSignal): Promise<void> {
    const options = { name: 'redis-sync:expiry', replyTimeoutMs: TIMEOUT_MS, signal };
    await using onTarget = await openWhere(target, options);
    await using onSource = await openWhere(source(), options);
    // Whoever waits for an answer then wakes up.
    const onAbort = (): void => void Promise.all([onTarget.close(), onSource.close()]);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#compareAll(onSource, onTarget, signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #compareAll(onSource: Connection, onTarget: Connection, signal: AbortSignal): Promise<void> {
    const { keeper } = this.#options;
    const { total, keys, fields } = await countExpiries(onTarget);
    let left = (keys ? total : 0) + (fields ? total : 0);
    if (keys) {
      for await (const page of scanKeys(onTarget)) {
        signal.throwIfAborted();
        keeper.searching((left -= page.keys.length));
        await this.#compareKeys(onSource, onTarget, page);
      }
    }
    if (fields) {
      for await (const page of scanKeys(onTarget)) {
        signal.throwIfAborted();
        keeper.searching((left -= page.keys.length));
        for (const key of page.keys) await this.#compareFields(onSource, onTarget, page.database, key);
      }
    }
  }

  async #compareKeys(
    source: Connection,
    target: Connection,
    { database, keys }: { database: number; keys: readonly Buffer[] },
  ): Promise<void> {
    const ours = keys.filter((key) => !isOwnKey(key));
    const written = await readTimes(target, database, ours);
    const expiring = ours.flatMap((key, index) => {
      const at = written.at[index];
      return at === undefined ? [] : [{ key, at }];
    });
    const set = await readTimes(
      source,
      database,
      expiring.map(({ key }) => key),
    );
    const toleranceMs = written.toleranceMs + set.toleranceMs;
    expiring.forEach(({ key, at }, index) =>
      this.#compare({ database, key, field: undefined }, at, set.at[index], toleranceMs),
    );
  }

  async #compareFields(source: Connection, target: Connection, database: number, key: Buffer): Promise<void> {
    let cursor = '0';
    do {
      const [, found] = await inDatabase(target, database, [
        ['HSCAN', key, cursor, 'COUNT', FIELDS_AT_ONCE, 'NOVALUES'],
      ]);
      // Of another type, or gone.
      if (!Array.isArray(found)) return;
      cursor = textOf(found[0]);
      const names = Array.isArray(found[1]) ? found[1].filter((each) => Buffer.isBuffer(each)) : [];
      if (names.length === 0) continue;
      const question: Argument[] = ['HPEXPIRETIME', key, 'FIELDS', names.length, ...names];
      const [, written] = await inDatabase(target, database, [question]);
      if (!Array.isArray(written) || !written.some((at) => Number(at) > 0)) continue;
      const [, set] = await inDatabase(source, database, [question]);
      names.forEach((field, index) => {
        const [at, truth] = [written[index], Array.isArray(set) ? set[index] : undefined];
        this.#compare({ database, key, field }, Number(at), typeof truth === 'number' ? truth : undefined, 0);
      });
    } while (cursor !== '0');
  }

  #compare(
    place: Pick<Deferred, 'database' | 'key' | 'field'>,
    writtenMs: number,
    setMs: number | undefined,
    toleranceMs: number,
  ): void {
    const { keeper } = this.#options;
    const driftMs = this.#options.driftMs?.() ?? 0;
    const grace = keeper.graceMs;
    if (setMs === undefined || setMs <= 0 || !isLater(writtenMs, setMs, grace, toleranceMs + driftMs)) return;
    // Where keys drift only the source knows it; another one that is on its way in the stream decides in the end.
    const deadlineMs = driftMs > 0 ? setMs : writtenMs - Math.round((writtenMs - setMs) / grace) * grace;
    keeper.rememberOlder({ ...place, deadlineMs, offset: 0 });
  }
}

/** What of the target can have been deferred at all. `db0:keys=3,expires=1,avg_ttl=0,subexpiry=1`; Valkey says it otherwise. */
async function countExpiries(target: Connection): Promise<{ total: number; keys: boolean; fields: boolean }> {
  const info = textOf(await target.call('INFO', 'keyspace'));
  const sizes = [...info.matchAll(/^db\d+:keys=(\d+)/gm)].map((match) => Number(match[1]));
  return {
    total: sizes.reduce((sum, size) => sum + size, 0),
    keys: /expires=[1-9]/.test(info),
    fields: /(subexpiry|keys_with_volatile_items)=[1-9]/.test(info),
  };
}

/** @throws SyncError when the server does not tell. */
async function readTimes(connection: Connection, database: number, keys: readonly Buffer[]): Promise<Times> {
  if (keys.length === 0) return { at: [], toleranceMs: 0 };
  const times = await inDatabase(
    connection,
    database,
    keys.map((key) => ['PEXPIRETIME', key]),
  );
  const isOld = times.some((reply) => reply instanceof ReplyError && /unknown command/i.test(reply.message));
  if (!isOld) return { at: times.slice(1, -1).map(timeOrNone), toleranceMs: 0 };
  const left = await inDatabase(connection, database, [
    ['TIME'],
    ...keys.map((key) => ['PTTL', key]),
    ['TIME'],
  ]);
  const [began, ended] = [timeOf(left[1]), timeOf(left.at(-2))];
  const at = left.slice(2, -2).map((reply) => {
    const leftMs = timeOrNone(reply);
    return leftMs === undefined ? undefined : began + leftMs;
  });
  return { at, toleranceMs: ended - began + 2 };
}

/** The replies stand between those to two SELECTs. @throws SyncError for what is refused with a reason that is not the key's. */
async function inDatabase(
  connection: Connection,
  database: number,
  commands: readonly (readonly Argument[])[],
): Promise<Reply[]> {
  const replies = await connection.pipeline([['SELECT', database], ...commands, ['SELECT', 0]]);
  const denied = replies.find(
    (reply) => reply instanceof ReplyError && /^(NOPERM|NOAUTH)/.test(reply.message),
  );
  if (denied instanceof ReplyError)
    throw new SyncError('PERMISSION', `${String(commands[0]?.[0])} is refused: ${denied.message}`, {
      where: `${connection.endpoint.host}:${connection.endpoint.port}`,
    });
  return replies;
}

function timeOrNone(reply: Reply | undefined): number | undefined {
  return typeof reply === 'number' && reply >= 0 ? reply : undefined;
}
