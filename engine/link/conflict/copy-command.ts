/**
 * Takes the value of a key as it is at one place of a server's stream to that same place on the next server, from where it goes
 * on like any other write. A script puts the value into the stream; the link that reads it applies it there, in order with
 * everything before and behind:
 *
 *   EVAL on the source   ─▶  stream: … writes · HSET redis-sync:copy:<link> key … value … · DEL … · writes …
 *   on the target            … writes · RESTORE key … REPLACE (or SET key, DEL key)      · writes …
 *
 * A delete that finds nothing is not in a server's stream, and would go no further: so there is something to be deleted.
 */
import type { CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommands, type Argument } from '../../resp/encode.ts';

const PREFIX = 'redis-sync:copy:';

/**
 * KEYS: the key, ours. The deadline is ms since the epoch, 0 = none. ARGV: the true one, where the other direction has
 * written it later by some times the grace, and the grace.
 */
const SCRIPT = `
local value = redis.call('DUMP', KEYS[1])
local deadline = redis.pcall('PEXPIRETIME', KEYS[1])
if type(deadline) ~= 'number' then
  deadline = redis.call('PTTL', KEYS[1])
  local now = redis.call('TIME')
  if deadline > 0 then deadline = deadline + now[1] * 1000 + math.floor(now[2] / 1000) end
end
if deadline < 0 then deadline = 0 end
if ARGV[1] and deadline > tonumber(ARGV[1]) and (deadline - tonumber(ARGV[1])) % tonumber(ARGV[2]) == 0 then
  deadline = tonumber(ARGV[1])
end
redis.call('HSET', KEYS[2], 'key', KEYS[1], 'deadline', string.format('%.0f', deadline), 'value', value or '')
redis.call('DEL', KEYS[2])
return 1
`;

/** KEYS as above. The key is deleted here too. */
const DELETE_SCRIPT = `
redis.call('HSET', KEYS[2], 'key', KEYS[1], 'deadline', '0', 'value', '')
redis.call('DEL', KEYS[2])
return redis.call('DEL', KEYS[1])
`;

/**
 * The command that puts the value of `key` into the stream, for `link`; on the database of the key.
 *
 * @param deferred the key's deadline as it was before the other direction wrote it later: that one is not to be copied.
 */
export function copyCommand(
  link: string,
  key: Buffer,
  deferred?: { deadlineMs: number; graceMs: number },
): Argument[] {
  const late = deferred === undefined ? [] : [deferred.deadlineMs, deferred.graceMs];
  return ['EVAL', SCRIPT, 2, key, `${PREFIX}${link}`, ...late];
}

/** The command that deletes `key` there and, through the stream, on the next side: a delete has won over what came after it. */
export function deleteCommand(link: string, key: Buffer): Argument[] {
  return ['EVAL', DELETE_SCRIPT, 2, key, `${PREFIX}${link}`];
}

export interface Copy {
  key: Buffer;
  /** RESTORE, or commands that leave no such key. */
  commands: Buffer;
}

/** A copy for this link, as it stands in the stream; undefined for any other command. */
export function readCopy(frame: CommandFrame, link: string): Copy | undefined {
  const words = frame.argc === 8 ? wordsOf(frame) : [];
  const [name, ownKey, , key, , deadline, , value] = words;
  if (name?.toString('latin1').toUpperCase() !== 'HSET' || ownKey?.toString() !== `${PREFIX}${link}`)
    return undefined;
  if (key === undefined || deadline === undefined || value === undefined) return undefined;
  const commands =
    value.length === 0
      ? [
          ['SET', key, ''],
          ['DEL', key],
        ]
      : [['RESTORE', key, deadline, value, 'REPLACE', 'ABSTTL']];
  return { key, commands: encodeCommands(commands) };
}

function wordsOf({ buffer, argc, argStart, argEnd }: CommandFrame): Buffer[] {
  return Array.from({ length: argc }, (_, index) => buffer.subarray(argStart[index], argEnd[index]));
}
