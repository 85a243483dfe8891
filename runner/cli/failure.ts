/** How a command ends that did not get to its end: one message with what, where, why and what to do, and an exit code. */
import { ERROR_CODES, asError, SyncError } from '../../engine/errors.ts';
import type { Io } from './io.ts';

interface Failure {
  code: string;
  message: string;
  where?: string;
  cause?: string;
  hint?: string;
  exitCode: number;
}

const BUG_HINT = 'This is a bug of redis-sync. Run again with --verbose for the stack and report it.';

/** Prints what was thrown (as JSON too under --json) and returns the exit code. */
export function reportFailure(thrown: unknown, io: Io): number {
  const failure = describe(thrown);
  const { exitCode, ...error } = failure;
  const { errColors } = io;
  const where = failure.where === undefined ? '' : `${failure.where}: `;
  io.err(`${errColors.red('error:')} ${where}${failure.message}\n`);
  if (failure.cause !== undefined) io.err(`  ${errColors.dim('cause:')} ${failure.cause}\n`);
  if (failure.hint !== undefined) io.err(`  ${errColors.dim('hint:')} ${failure.hint}\n`);
  const isBug = exitCode === ERROR_CODES.INTERNAL;
  if ((isBug && io.verbose) || io.env['DEBUG']) io.err(`${stackOf(asError(thrown))}\n`);
  if (io.json) io.out(`${JSON.stringify({ error, exitCode }, null, 2)}\n`);
  return exitCode;
}

function describe(thrown: unknown): Failure {
  const error = asError(thrown);
  if (!(error instanceof SyncError)) {
    return {
      code: 'INTERNAL',
      message: error.message || error.name,
      hint: BUG_HINT,
      exitCode: ERROR_CODES.INTERNAL,
    };
  }
  const failure: Failure = { code: error.code, message: error.message, exitCode: error.exitCode };
  if (error.where !== undefined) failure.where = error.where;
  const cause = error.cause === undefined ? '' : asError(error.cause).message;
  // Many messages end with their cause already.
  if (cause !== '' && !error.message.includes(cause)) failure.cause = cause;
  if (error.hint !== undefined) failure.hint = error.hint;
  else if (error.code === 'INTERNAL') failure.hint = BUG_HINT;
  return failure;
}

function stackOf(error: Error): string {
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\ncaused by ${stackOf(asError(error.cause))}`;
}
