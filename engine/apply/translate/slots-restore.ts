/**
 * How the keys of a Codis group arrive at another one: SLOTSRESTORE with whole values, SLOTSRESTORE-ASYNC with whole values or
 * with pieces of them. No other server knows these commands: they become RESTORE, SET, RPUSH … in the same transaction.
 *
 *   SLOTSRESTORE        key ttl payload [key ttl payload …]
 *   SLOTSRESTORE-ASYNC  delete key │ expire key ttl │ string key ttl value │ object key ttl payload
 *                       list key ttl hint [element …]       hash key ttl hint [field value …]
 *                       dict key ttl hint [member …]        zset key ttl hint [member score …]
 *
 * A ttl is a duration in ms, 0 for none; a score is 8 bytes, little-endian. A value in pieces has a short ttl until all are
 * there, so that half a value does not stay; the last command is `expire` with the true one.
 *
 * Source of the fact: extern/redis-3.2.11/src/slots.c and slots_async.c of CodisLabs/codis.
 */
import { CommandFramer, type CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommand, encodeCommands, type Argument } from '../../resp/encode.ts';
import { CommandWords } from './command-words.ts';
import { FORWARD, type TargetForms, type Translation } from './translation.ts';

/** A RESTORE for this target. */
export type TranslateRestore = (frame: CommandFrame) => Translation;

/** `frame` is a SLOTSRESTORE. @throws MissingWord. */
export function translateSlotsRestore(frame: CommandFrame, restore: TranslateRestore): Translation {
  const words = new CommandWords(frame);
  const all: Encoded[] = [];
  for (let at = 1; at < words.length; at += 3)
    all.push(restored(words.at(at), words.at(at + 1), words.at(at + 2), restore));
  return joined(all);
}

/** `frame` is a SLOTSRESTORE-ASYNC. Forwarded as it is when it is none that Codis would send. @throws MissingWord. */
export function translateSlotsRestoreAsync(
  frame: CommandFrame,
  forms: TargetForms,
  restore: TranslateRestore,
): Translation {
  const words = new CommandWords(frame);
  const key = words.at(2);
  const kind = words.upper(1);
  if (kind === 'DELETE') return joined([encoded(['DEL', key])]);
  const deadline = deadlineCommand(key, words.number(3), forms);
  switch (kind) {
    case 'EXPIRE':
      return joined([encoded(deadline)]);
    case 'OBJECT':
      return joined([restored(key, words.at(3), words.at(4), restore)]);
    case 'STRING':
      return joined([encoded(['SET', key, words.at(4)]), encoded(deadline)]);
    case 'LIST':
      return pieces(['RPUSH', key, ...words.slice(5)], deadline);
    case 'HASH':
      return pieces(['HMSET', key, ...words.slice(5)], deadline);
    case 'DICT':
      return pieces(['SADD', key, ...words.slice(5)], deadline);
    case 'ZSET':
      return pieces(['ZADD', key, ...scored(words.slice(5))], deadline);
    default:
      return FORWARD;
  }
}

interface Encoded {
  bytes: Buffer;
  count: number;
}

function encoded(...commands: (readonly Argument[])[]): Encoded {
  return { bytes: encodeCommands(commands), count: commands.length };
}

/** As the RESTORE that says the same. */
function restored(key: Buffer, ttl: Buffer, payload: Buffer, restore: TranslateRestore): Encoded {
  const words = ['RESTORE', key, ttl, payload, 'REPLACE'];
  const bytes = encodeCommand(words);
  let translation: Translation = FORWARD;
  new CommandFramer((frame) => (translation = restore(frame))).push(bytes);
  return encodedOf(translation) ?? { bytes, count: 1 };
}

function encodedOf(translation: Translation): Encoded | undefined {
  if (translation.kind === 'encoded') return translation;
  if (translation.kind === 'commands') return encoded(...translation.commands);
  return undefined;
}

function joined(all: readonly Encoded[]): Translation {
  return {
    kind: 'encoded',
    bytes: Buffer.concat(all.map(({ bytes }) => bytes)),
    count: all.reduce((sum, { count }) => sum + count, 0),
  };
}

/** The last piece may be empty. */
function pieces(write: readonly Argument[], deadline: readonly Argument[]): Translation {
  return joined(write.length > 2 ? [encoded(write, deadline)] : [encoded(deadline)]);
}

function deadlineCommand(key: Buffer, ttlMs: number, forms: TargetForms): Argument[] {
  return ttlMs === 0 ? ['PERSIST', key] : ['PEXPIREAT', key, forms.deadline(ttlMs)];
}

/** member score … → score member …. */
function scored(words: readonly Buffer[]): Argument[] {
  const out: Argument[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [member, bits] = [words[at], words[at + 1]];
    if (member !== undefined && bits?.length === 8) out.push(printScore(bits.readDoubleLE(0)), member);
  }
  return out;
}

function printScore(score: number): string {
  if (!Number.isFinite(score)) return score > 0 ? '+inf' : '-inf';
  return Object.is(score, -0) ? '-0' : String(score);
}
