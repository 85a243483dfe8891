/**
 * Hash fields with an expiry of their own (Redis 7.4, Valkey 9.0). A target without them keeps the fields until the source
 * says HDEL, which it does when they expire: so leaving the expiry out is a loss, but not a difference that stays.
 */
import type { Argument } from '../../resp/encode.ts';
import type { CommandWords } from './command-words.ts';
import { FORWARD, instead, type Rule, type TargetForms, type Translation } from './translation.ts';

/** HSETEX … KEEPTTL on servers that have field expiries but not HSETEX. ARGV: field, value …. */
const SET_KEEPING_TTL = `for i = 1, #ARGV, 2 do
  local deadline = redis.call('hpexpiretime', KEYS[1], 'fields', 1, ARGV[i])[1]
  redis.call('hset', KEYS[1], ARGV[i], ARGV[i + 1])
  if deadline and deadline > 0 then redis.call('hpexpireat', KEYS[1], deadline, 'fields', 1, ARGV[i]) end
end`;

const CONDITIONS = ['NX', 'XX', 'GT', 'LT'];

function hasFieldTtl(forms: TargetForms): boolean {
  return forms.has('HPEXPIREAT', { redis: '7.4', valkey: '9.0' });
}

/** A condition on one field held; on several it may have held for some (Valkey) and is left to the target's equal state. */
function translateExpireAt(command: CommandWords, forms: TargetForms): Translation {
  if (!hasFieldTtl(forms)) return { kind: 'nothing', loss: 'field-ttl' };
  if (!CONDITIONS.includes(command.upper(3)) || command.number(5) !== 1) return FORWARD;
  return instead([...command.slice(0, 3), ...command.slice(4)]);
}

/** HSETEX key [FNX|FXX] [expiry] FIELDS n field value …. */
function translateSetEx(command: CommandWords, forms: TargetForms): Translation {
  const at = command.find('FIELDS', 2);
  const condition = ['FNX', 'FXX'].includes(command.upper(2));
  if (at === -1) return FORWARD;
  if (forms.has('HSETEX', { redis: '8.0', valkey: '9.0' })) {
    return condition ? instead([...command.slice(0, 2), ...command.slice(3)]) : FORWARD;
  }
  const key = command.at(1);
  const pairs = command.slice(at + 2);
  const set: Argument[] = ['HSET', key, ...pairs];
  const from = condition ? 3 : 2;
  if (from === at) return instead(set);
  const options = readExpiry(command, from, forms);
  if (!hasFieldTtl(forms)) {
    return { kind: 'commands', commands: [set], ...(options.keepTtl ? {} : { loss: 'field-ttl' }) };
  }
  if (options.expireAtMs === undefined) return instead(['EVAL', SET_KEEPING_TTL, 1, key, ...pairs]);
  const fields = pairs.filter((_, index) => index % 2 === 0);
  return instead(set, ['HPEXPIREAT', key, options.expireAtMs, 'FIELDS', fields.length, ...fields]);
}

function readExpiry(
  command: CommandWords,
  at: number,
  forms: TargetForms,
): { expireAtMs: number | undefined; keepTtl: boolean } {
  const value = command.number(at + 1);
  switch (command.upper(at)) {
    case 'EX':
      return { expireAtMs: forms.deadline(value * 1000), keepTtl: false };
    case 'PX':
      return { expireAtMs: forms.deadline(value), keepTtl: false };
    case 'EXAT':
      return { expireAtMs: value * 1000, keepTtl: false };
    case 'PXAT':
      return { expireAtMs: value, keepTtl: false };
    default:
      return { expireAtMs: undefined, keepTtl: true };
  }
}

export const HASH_FIELD_RULES: Readonly<Record<string, Rule>> = {
  HPEXPIREAT: { translate: translateExpireAt },
  HPERSIST: {
    // Nothing expires there: there is nothing to take back.
    concerns: (forms) => !hasFieldTtl(forms),
    translate: () => ({ kind: 'nothing' }),
  },
  HSETEX: { translate: translateSetEx },
  HGETDEL: {
    concerns: (forms) => !forms.has('HGETDEL', { redis: '8.0', valkey: '9.1' }),
    translate: (command) => {
      const at = command.find('FIELDS', 2);
      return at === -1 ? FORWARD : instead(['HDEL', command.at(1), ...command.slice(at + 2)]);
    },
  },
};
