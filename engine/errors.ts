/**
 * The one error class of the product and the closed list of its codes.
 *
 * Expected outcomes are returned as unions with a `kind`; a SyncError is a failure of the world (a server, a
 * network, an input) that a person must be able to act on: what happened, where, why, and what to do next.
 * Our own bugs are assertions (`assert` of node:assert), never SyncErrors.
 */

/** Every code, with the exit code a command ends with when the error reaches the top. See README, "Exit codes". */
export const ERROR_CODES = {
  /** The command line is wrong. */
  USAGE: 2,
  /** The spec is unreadable or invalid; `problems` were already worded with file:line:column. */
  SPEC_INVALID: 2,
  /** TCP/TLS connection could not be made, or ended. */
  CONNECT: 3,
  /** Wrong or missing credentials (WRONGPASS, NOAUTH, NOPERM on AUTH). */
  AUTH: 3,
  /** The server accepts us but refuses a command we need (NOPERM, renamed, disabled). */
  PERMISSION: 3,
  /** The source will not let us be a replica (PSYNC denied, renamed, source is loading for too long …). */
  PSYNC_REFUSED: 3,
  /** The target is a replica, read-only, or otherwise cannot be written to. */
  TARGET_NOT_WRITABLE: 3,
  /** No redis-server/valkey-server binary, or it did not become ready. */
  PROVISION: 3,
  /** A precheck with verdict FAIL blocks the start. */
  PRECHECK: 3,
  /** A peer spoke something that is not the protocol. */
  PROTOCOL: 3,
  /** The snapshot is corrupt, truncated or of an unknown format; nothing of it may be called complete. */
  SNAPSHOT_CORRUPT: 3,
  /** The target refused a command and the policy says stop. */
  APPLY_REFUSED: 1,
  /** A policy (flush, unsupported command …) says stop. */
  POLICY: 1,
  /** The replication log outgrew its memory and disk limits. */
  LOG_FULL: 3,
  /** Something did not finish within its time limit. */
  TIMEOUT: 4,
  /** Ended by a signal or by an AbortSignal of the caller. */
  ABORTED: 130,
  /** Our bug. */
  INTERNAL: 5,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface SyncErrorOptions {
  /** What to do next, as an instruction to a person. */
  hint?: string;
  /** Trying the same again later may succeed. Default false. */
  retryable?: boolean;
  /** Where: an endpoint `host:port`, a file:line:column, a key. Shown in front of the message. */
  where?: string;
  cause?: unknown;
}

export class SyncError extends Error {
  override readonly name = 'SyncError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly where: string | undefined;

  constructor(code: ErrorCode, message: string, options: SyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.where = options.where;
  }

  /** The exit code a command ends with when this error reaches the top. */
  get exitCode(): number {
    return ERROR_CODES[this.code];
  }
}

/** Any thrown value as an Error, so that a `catch` can always read a message. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
