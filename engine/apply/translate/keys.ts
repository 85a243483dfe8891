/** Expiries, copies, deletions: commands that concern a key whatever it holds. */
import type { CommandWords } from './command-words.ts';
import { FORWARD, instead, type Rule, type TargetForms, type Translation } from './translation.ts';

/** COPY on servers before 6.2. ARGV[1] is the destination's database, or ''. */
const COPY = `local payload = redis.call('dump', KEYS[1])
if not payload then return redis.error_reply('ERR no such key to copy') end
local ttl = redis.call('pttl', KEYS[1])
if ARGV[1] ~= '' then redis.call('select', ARGV[1]) end
redis.call('del', KEYS[2])
return redis.call('restore', KEYS[2], ttl > 0 and ttl or 0, payload)`;

/** A duration from now on as a time. Conditions held at the source. */
function expireIn(unitMs: number): Rule {
  return {
    translate: (command, forms) =>
      instead(['PEXPIREAT', command.at(1), forms.deadline(command.number(2) * unitMs)]),
  };
}

function translateCopy(command: CommandWords): Translation {
  const database = command.find('DB', 3);
  const number = database === -1 ? '' : command.at(database + 1);
  return instead(['EVAL', COPY, 2, command.at(1), command.at(2), number]);
}

export const KEY_RULES: Readonly<Record<string, Rule>> = {
  EXPIRE: expireIn(1000),
  PEXPIRE: expireIn(1),
  UNLINK: {
    concerns: (forms: TargetForms) => !forms.has('UNLINK', { redis: '4.0', valkey: '7.2' }),
    translate: (command) => instead(['DEL', ...command.slice(1)]),
  },
  COPY: {
    concerns: (forms) => !forms.has('COPY', { redis: '6.2', valkey: '7.2' }),
    translate: translateCopy,
  },
  // Deletions under a condition that held.
  DELIFEQ: { translate: (command) => instead(['DEL', command.at(1)]) },
  DELEX: { translate: (command) => instead(['DEL', command.at(1)]) },
  GETDEL: {
    concerns: (forms) => !forms.has('GETDEL', { redis: '6.2', valkey: '7.2' }),
    translate: (command) => instead(['DEL', command.at(1)]),
  },
  HSET: {
    fromWords: 5,
    concerns: (forms) => !forms.since('4.0'),
    translate: (command) => (command.length > 4 ? instead(['HMSET', ...command.slice(1)]) : FORWARD),
  },
};
