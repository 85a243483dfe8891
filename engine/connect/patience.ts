/**
 * Which failures a link that has worked before waits for. A first start is told at once that a password is wrong or a right
 * is missing; a link in the middle of a migration waits until somebody has put it right, within its retry budget.
 */
import type { SyncError } from '../errors.ts';
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

/** Waits before the next attempt. Never rejects. */
export function pauseBefore(
  error: SyncError,
  ms: number,
  { passwordFile }: Circumstances,
  signal: AbortSignal,
): Promise<void> {
  return error.code === 'AUTH' && passwordFile !== undefined
    ? passwordFileChange(passwordFile, Math.max(ms, LOGIN_RETRY_MS), signal)
    : delay(ms, signal);
}
