/** Finds the command behind an error reply, and words the error, without ever showing a value. */
import { SyncError } from '../errors.ts';
import { CommandFramer } from '../resp/command-framer.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import type { LinkFinding } from './finding.ts';
import { reactionTo, unwrapRefusal } from './replies.ts';

/** A command of a sent buffer, cut out again. */
export interface SentCommand {
  index: number;
  /** Selected by a SELECT that stands before it in the buffer; 0 when there is none. */
  database: number;
  name: string;
  /** First argument, or an empty buffer. */
  key: Buffer;
  bytes: Buffer;
}

/** The commands with these positions (0-based, ascending) in a buffer of whole commands. */
export function findCommands(bytes: Buffer, indexes: readonly number[]): SentCommand[] {
  const wanted = new Set(indexes);
  const found: SentCommand[] = [];
  let index = 0;
  let database = 0;
  const framer = new CommandFramer((frame) => {
    const name = frame.buffer.toString('latin1', frame.argStart[0], frame.argEnd[0]).toUpperCase();
    if (name === 'SELECT')
      database = Number(frame.buffer.toString('latin1', frame.argStart[1], frame.argEnd[1]));
    if (wanted.has(index)) {
      found.push({
        index,
        database,
        name,
        key:
          frame.argc > 1
            ? Buffer.from(frame.buffer.subarray(frame.argStart[1], frame.argEnd[1]))
            : Buffer.alloc(0),
        bytes: Buffer.from(frame.buffer.subarray(frame.start, frame.end)),
      });
    }
    index++;
  });
  framer.push(bytes);
  return found;
}

/** A key for a message: printable ASCII as it is, everything else escaped, bounded. */
export function printKey(key: Buffer): string {
  const shown = key.subarray(0, 120);
  let text = '';
  for (const byte of shown) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else
      text +=
        byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${text}"${key.length > shown.length ? `… (${key.length} bytes)` : ''}`;
}

/** A refusal: what was answered, and to which command if that is known. */
export interface Refusal {
  reply: ReplyError;
  command: SentCommand | undefined;
}

const commands = new WeakMap<Error, SentCommand>();

/** The reply behind an error that was made of one; undefined for every other error. */
export function refusalBehind(error: Error): Refusal | undefined {
  const { cause } = error;
  return cause instanceof ReplyError ? { reply: cause, command: commands.get(error) } : undefined;
}

/** The finding for a command that was refused, and stays so; `more`: what else is known. */
export function refusalFinding(
  error: ReplyError,
  command: SentCommand,
  where: string,
  more: Record<string, unknown> = {},
): LinkFinding {
  return {
    code: 'APPLY_ERROR',
    severity: 'error',
    message: wordRefusal(error, command, where).message,
    evidence: { ...more, key: command.key.toString('base64'), reply: error.message },
  };
}

/** For commands of our own. @throws SyncError when one was refused, retryable unless that cannot help. */
export function refuseAny(replies: readonly Reply[], where: string): void {
  const refused = replies.find((reply) => reply instanceof ReplyError);
  if (refused instanceof ReplyError) throw wordRefusal(unwrapRefusal(refused), undefined, where);
}

/** The error a link waits for or stops with when the target refuses a command. */
export function wordRefusal(error: ReplyError, command: SentCommand | undefined, where: string): SyncError {
  const { reaction, hint } = reactionTo(error);
  const what = command === undefined ? 'a command' : `${command.name} ${printKey(command.key)}`;
  const refusal = new SyncError('APPLY_REFUSED', `The target refused ${what}: ${error.message}`, {
    where,
    hint,
    retryable: reaction === 'retry',
    cause: error,
  });
  if (command !== undefined) commands.set(refusal, command);
  return refusal;
}
