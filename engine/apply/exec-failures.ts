/** What it is called when EXEC does not do what it should. */
import { SyncError } from '../errors.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import type { Envelope } from './envelope.ts';
import { findCommands, type SentCommand } from './refusals.ts';
import { isLeftOut } from './replies.ts';

/** The first command of the source that was refused; when EXEC itself was, the first one at all. */
export function firstRefused(envelope: Envelope, queued: readonly Reply[]): SentCommand | undefined {
  const refused = queued.flatMap((reply, index) => (reply instanceof ReplyError ? [index] : []));
  // The MULTI and the checkpoint stand in front, perhaps a SELECT behind them.
  const data = refused.filter((index) => index > 1);
  const candidates = refused.length === 0 ? [2, 3] : data.length > 0 ? data.slice(0, 1) : refused.slice(0, 1);
  const found = findCommands(envelope.bytes, candidates);
  return found.find(({ name }) => name !== 'SELECT') ?? found[0];
}

/** EXEC was answered with nil. */
export function overtaken(where: string): SyncError {
  return new SyncError(
    'CONNECT',
    'The fence or the checkpoint of this link was moved on the target by somebody else.',
    {
      where,
      retryable: true,
      hint: 'An earlier connection of this link, another process that runs it, or FLUSHALL on the target.',
    },
  );
}

/**
 * The refusal of a transaction of which EXEC has executed nothing, because every command in it was refused for a reason that
 * passes: since 7.0 the rights of the account are looked at again then (multi.c, execCommand), and they may have been taken away
 * behind the queuing. It can be sent again.
 *
 * @param isIdle whether the command of this index changes nothing (SELECT) and may have been executed all the same.
 * @returns undefined when something was executed, or a refusal does not pass.
 */
export function wholeRefusal(
  results: readonly Reply[],
  isIdle: (index: number) => boolean = () => false,
): ReplyError | undefined {
  let first: ReplyError | undefined;
  for (const [index, result] of results.entries()) {
    if (!(result instanceof ReplyError)) {
      if (!isIdle(index)) return undefined;
    } else if (isLeftOut(result)) first ??= result;
    else return undefined;
  }
  return first;
}

/** Part of the transaction was executed. */
export function tornError(command: string, error: ReplyError, where: string): SyncError {
  return new SyncError(
    'APPLY_REFUSED',
    `The target executed only a part of a transaction: ${command} was refused (${error.message}).`,
    {
      where,
      hint: 'Give the account its rights back (also +multi +exec) and start the link again: it begins with a full sync.',
    },
  );
}
