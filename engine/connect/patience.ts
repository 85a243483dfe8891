/**
 * Which failures a link that has worked before waits for. A first start is told at once that a password is wrong or a right
 * is missing; a link in the middle of a migration waits until somebody has put it right, within its retry budget.
 */
import { SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';
import { ReplyError } from '../resp/reply.ts';
import { passwordFileChange } from './credentials.ts';

/** Logins are tried again this seldom, so that no account is locked; a changed password file is tried at once. */
const LOGIN_RETRY_MS = 10_000;

export interface Circumstances {
  /** The connection has served its purpose before. */
  hasWorked: boolean;
  passwordFile: string | undefined;
}

/** True when trying again later may help. */
export function isWorthWaiting(error: SyncError, { hasWorked, passwordFile }: Circumstances): boolean {
  if (error.retryable) return true;
  if (!hasWorked) return false;
  // A secret from the environment cannot change while we run.
  if (error.code === 'AUTH') return passwordFile !== undefined;
  return error.cause instanceof ReplyError && error.cause.kind === 'NOPERM';
}

/** The error to end with: a login that worked before and came from elsewhere than a file is told what would have helped. */
export function lastWord(error: SyncError, { hasWorked, passwordFile }: Circumstances): SyncError {
  if (error.code !== 'AUTH' || !hasWorked || passwordFile !== undefined) return error;
  return new SyncError(error.code, error.message, {
    hint: 'This login worked before: was the password changed? Start the link again with the new one. With `passwordFile` a running link picks it up by itself.',
    cause: error,
    ...(error.where === undefined ? {} : { where: error.where }),
  });
}

/** The wait before the next attempt. A new address or a new login, told from outside, cuts it short. */
export class Patience {
  #end: (() => void) | undefined;

  /** Resolves after `ms` (longer after a refused login), when interrupted, or when the signal aborts. Never rejects. */
  async pause(
    error: SyncError,
    ms: number,
    { passwordFile }: Circumstances,
    signal: AbortSignal,
  ): Promise<void> {
    const waiting = new AbortController();
    const end = (): void => waiting.abort();
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    this.#end = end;
    if (error.code === 'AUTH' && passwordFile !== undefined)
      await passwordFileChange(passwordFile, Math.max(ms, LOGIN_RETRY_MS), waiting.signal);
    else await delay(ms, waiting.signal);
    this.#end = undefined;
    signal.removeEventListener('abort', end);
  }

  interrupt(): void {
    this.#end?.();
  }
}
