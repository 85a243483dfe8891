/**
 * Gives true deadlines back, in the order of the stream: between two envelopes, when nothing is on its way to the target.
 *
 *   read    PEXPIRETIME of each                               is it still exactly D + n × grace?
 *   write   MULTI · HSET checkpoint · PEXPIREAT key D … · EXEC
 *
 * Nobody writes between the two but us, and the checkpoint makes the transaction one of ours to whoever reads the target's
 * own stream. It may be repeated: what was given back is not D + n × grace any more. So a broken connection only means
 * another time.
 */
import type { Connection } from '../../connect/connection.ts';
import { asError, SyncError } from '../../errors.ts';
import { encodeCommand, encodeCommands, type Argument } from '../../resp/encode.ts';
import { textOf } from '../../resp/reply-text.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import { encodeCheckpoint, encodeExecAndWatch, checkpointKey, type Checkpoint } from '../checkpoint.ts';
import { wordRefusal } from '../refusals.ts';
import { reactionTo, unwrapRefusal } from '../replies.ts';
import { hasCommand, type TargetFacts } from '../target-facts.ts';
import type { Deferred } from './deferred-table.ts';
import type { ExpiryKeeper } from './expiry-keeper.ts';

/** Two round trips, a few milliseconds of the target's time. */
const AT_ONCE = 2000;
/** Of a time that was put together from the target's clock and how long the key still lives. */
export const TOLERANCE_MS = 5;

export interface SettlementOptions {
  link: string;
  keeper: ExpiryKeeper;
  facts: TargetFacts;
}

export class Settlement {
  readonly #options: SettlementOptions;
  readonly #execAndWatch: Buffer;
  readonly #readsTimes: boolean;

  constructor(options: SettlementOptions) {
    this.#options = options;
    this.#execAndWatch = encodeExecAndWatch(options.link);
    this.#readsTimes = tellsTimes(options.facts);
  }

  /**
   * Gives back some of what is due, on a connection that watches the checkpoint and has nothing in flight.
   *
   * @param at the checkpoint on the target.
   * @returns the checkpoint on the target then, or what went wrong: then everything stays deferred.
   */
  async run(connection: Connection, at: Checkpoint): Promise<Checkpoint | SyncError> {
    const { keeper } = this.#options;
    const due = await keeper.take(AT_ONCE);
    const ordered = due.toSorted((a, b) => a.database - b.database);
    try {
      const waiting = due.length === 0 ? [] : await this.#stillDeferred(connection, ordered);
      const after = { ...at, graceMs: keeper.markWithout(due.length) };
      const hasChanged = waiting.length > 0 || after.graceMs !== (at.graceMs ?? 0);
      if (hasChanged) await this.#write(connection, waiting, after);
      keeper.givenBack(due);
      return hasChanged ? after : at;
    } catch (error) {
      keeper.notGivenBack(due);
      if (!(error instanceof SyncError)) throw asError(error);
      if (error.code !== 'PERMISSION') return error;
      await keeper.leaveLate(error.message);
      return at;
    }
  }

  /** Those that the target still has as we wrote them. */
  async #stillDeferred(connection: Connection, deferred: readonly Deferred[]): Promise<Deferred[]> {
    const commands: Argument[][] = [['TIME']];
    const indexes = new Map<Deferred, number>();
    let database = 0;
    for (const each of deferred) {
      if (each.database !== database) commands.push(['SELECT', each.database]);
      database = each.database;
      indexes.set(each, commands.length);
      commands.push(question(each, this.#readsTimes));
    }
    commands.push(['SELECT', 0], ['TIME']);
    const replies = await connection.pipeline(commands);
    const began = timeOf(replies[0]);
    const toleranceMs = this.#readsTimes ? 0 : timeOf(replies.at(-1)) - began + TOLERANCE_MS;
    return deferred.filter((each) => {
      const reply = replies[indexes.get(each) ?? -1];
      if (reply instanceof ReplyError && isPassing(reply)) throw refusal(reply, connection);
      const writtenMs = writtenAt(reply, each, this.#readsTimes ? 0 : began);
      if (writtenMs === undefined) return false;
      return isLater(writtenMs, each.deadlineMs, this.#options.keeper.graceMs, toleranceMs);
    });
  }

  async #write(connection: Connection, deferred: readonly Deferred[], at: Checkpoint): Promise<void> {
    const commands: Argument[][] = [];
    let database = 0;
    for (const each of deferred) {
      if (each.database !== database) commands.push(['SELECT', each.database]);
      database = each.database;
      commands.push(answer(each));
    }
    if (database !== 0) commands.push(['SELECT', 0]);
    const bytes = Buffer.concat([
      encodeCommand(['MULTI']),
      encodeCheckpoint(checkpointKey(this.#options.link), at),
      encodeCommands(commands),
    ]);
    const [queued, [result]] = await Promise.all([
      connection.pipelineRaw(bytes, commands.length + 2),
      connection.pipelineRaw(this.#execAndWatch, 2),
    ]);
    const passing = Array.isArray(result) ? result.find((element) => isPassing(element)) : undefined;
    if (Array.isArray(result) && passing === undefined) return;
    // Who may not write a checkpoint may not write anything: the link itself waits for that right.
    const stuck = queued[1];
    if (stuck instanceof ReplyError) throw wordRefusal(stuck, undefined, describe(connection));
    const refused = passing ?? queued.find((reply) => reply instanceof ReplyError) ?? result;
    throw refused instanceof ReplyError
      ? refusal(unwrapRefusal(refused), connection)
      : new SyncError('CONNECT', 'The fence or the checkpoint of this link was moved on the target.', {
          where: describe(connection),
          retryable: true,
        });
  }
}

/** Whether `writtenMs` is `deadlineMs` and some times the grace. */
export function isLater(
  writtenMs: number,
  deadlineMs: number,
  graceMs: number,
  toleranceMs: number,
): boolean {
  const times = Math.round((writtenMs - deadlineMs) / graceMs);
  return times > 0 && Math.abs(writtenMs - deadlineMs - times * graceMs) <= toleranceMs;
}

/** Whether the target tells until when a key lives; else it tells only for how long. */
export function tellsTimes(facts: TargetFacts): boolean {
  return hasCommand(facts, 'PEXPIRETIME', { redis: '7.0', valkey: '7.2' });
}

/** What asks when it expires: an absolute time, or how long it still lives. */
export function question({ key, field }: Deferred, readsTimes: boolean): Argument[] {
  if (field !== undefined) return ['HPEXPIRETIME', key, 'FIELDS', 1, field];
  return [readsTimes ? 'PEXPIRETIME' : 'PTTL', key];
}

/**
 * What a reply to `question` says, ms since the epoch; undefined when the key or its deadline is gone.
 *
 * @param sinceMs what is to be added to a key's: the target's time where it tells only for how long, else 0.
 */
export function writtenAt(
  reply: Reply | undefined,
  { field }: Deferred,
  sinceMs: number,
): number | undefined {
  const found = field === undefined ? reply : Array.isArray(reply) ? reply[0] : undefined;
  if (typeof found !== 'number' || found < 0) return undefined;
  return field === undefined ? sinceMs + found : found;
}

/** What gives its deadline back. */
export function answer({ key, field, deadlineMs }: Deferred): Argument[] {
  return field === undefined
    ? ['PEXPIREAT', key, deadlineMs]
    : ['HPEXPIREAT', key, deadlineMs, 'FIELDS', 1, field];
}

/** A reply to TIME, ms. */
export function timeOf(reply: Reply | undefined): number {
  if (!Array.isArray(reply)) return NaN;
  return Number(textOf(reply[0])) * 1000 + Math.floor(Number(textOf(reply[1])) / 1000);
}

/** Refused for a reason that passes. */
function isPassing(reply: Reply): boolean {
  return reply instanceof ReplyError && reactionTo(reply).reaction === 'retry';
}

/** Waiting for a right would hold up whoever waits for the last deadline. */
function refusal(reply: ReplyError, connection: Connection): SyncError {
  const where = describe(connection);
  return reply.kind === 'NOPERM'
    ? new SyncError('PERMISSION', reply.message, { where })
    : wordRefusal(reply, undefined, where);
}

function describe({ endpoint }: Connection): string {
  return `${endpoint.host}:${endpoint.port}`;
}
