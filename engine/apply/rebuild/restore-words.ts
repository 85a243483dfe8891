/** A RESTORE command, taken apart: what is needed to say the same with other commands. */
import { CommandFramer, type CommandFrame } from '../../resp/command-framer.ts';

export interface RestoreWords {
  key: Buffer;
  payload: Buffer;
  /** As written; 0 = none. */
  ttlMs: number;
  /** The ttl is a time, not a duration. */
  absolute: boolean;
}

/** The words of a framed RESTORE (or RESTORE-ASKING); views of its buffer. Undefined when it has too few. */
export function readRestore(frame: CommandFrame): RestoreWords | undefined {
  if (frame.argc < 4) return undefined;
  const word = (index: number): Buffer => frame.buffer.subarray(frame.argStart[index], frame.argEnd[index]);
  let absolute = false;
  for (let index = 4; index < frame.argc; index++) {
    if (word(index).toString('latin1').toUpperCase() === 'ABSTTL') absolute = true;
  }
  return { key: word(1), payload: word(3), ttlMs: Number(word(2).toString('latin1')), absolute };
}

/** As `readRestore`, of an encoded command. */
export function parseRestore(command: Buffer): RestoreWords | undefined {
  let words: RestoreWords | undefined;
  new CommandFramer((frame) => (words = readRestore(frame))).push(command);
  return words;
}
