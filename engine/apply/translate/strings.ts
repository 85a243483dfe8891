/** SET in all its forms, and the commands that set a string with an expiry. */
import type { Argument } from '../../resp/encode.ts';
import type { CommandWords } from './command-words.ts';
import { FORWARD, instead, type Rule, type TargetForms, type Translation } from './translation.ts';

/** What SET, MSETEX and their kin say besides key and value. */
export interface SetOptions {
  /** Absolute; undefined when none is given. */
  expireAtMs: number | undefined;
  keepTtl: boolean;
  /** A duration was given: it has to become a time. */
  relative: boolean;
  /** IFEQ and the like: conditions with a value. */
  comparison: boolean;
}

/** Sets a key and leaves its expiry as it is, on servers without KEEPTTL. */
const SET_KEEPING_TTL = `local ttl = redis.call('pttl', KEYS[1])
redis.call('set', KEYS[1], ARGV[1])
if ttl >= 0 then redis.call('pexpire', KEYS[1], ttl) end`;

/** Reads options from `from` on; undefined when one of them is not known. */
export function readSetOptions(
  command: CommandWords,
  from: number,
  forms: TargetForms,
): SetOptions | undefined {
  const options: SetOptions = { expireAtMs: undefined, keepTtl: false, relative: false, comparison: false };
  for (let index = from; index < command.length; index++) {
    const value = command.number(index + 1);
    switch (command.upper(index)) {
      case 'NX':
      case 'XX':
      case 'GET':
        continue;
      case 'KEEPTTL':
        options.keepTtl = true;
        continue;
      case 'IFEQ':
      case 'IFNE':
      case 'IFDEQ':
      case 'IFDNE':
        options.comparison = true;
        break;
      case 'EX':
      case 'PX':
        options.relative = true;
        options.expireAtMs = forms.deadline(command.upper(index) === 'EX' ? value * 1000 : value);
        break;
      case 'EXAT':
        options.expireAtMs = value * 1000;
        break;
      case 'PXAT':
        options.expireAtMs = value;
        break;
      default:
        return undefined;
    }
    index++;
  }
  return options;
}

/** One key set the way the target can. */
export function setCommands(
  key: Buffer,
  value: Buffer,
  { expireAtMs, keepTtl }: Pick<SetOptions, 'expireAtMs' | 'keepTtl'>,
  forms: TargetForms,
): Argument[][] {
  if (keepTtl) {
    return forms.since('6.0') ? [['SET', key, value, 'KEEPTTL']] : [['EVAL', SET_KEEPING_TTL, 1, key, value]];
  }
  if (expireAtMs === undefined) return [['SET', key, value]];
  if (forms.since('6.2')) return [['SET', key, value, 'PXAT', expireAtMs]];
  return [
    ['SET', key, value],
    ['PEXPIREAT', key, expireAtMs],
  ];
}

function translateSet(command: CommandWords, forms: TargetForms): Translation {
  const options = readSetOptions(command, 3, forms);
  if (options === undefined) return FORWARD;
  const { relative, comparison, keepTtl, expireAtMs } = options;
  const known = forms.since(keepTtl ? '6.0' : expireAtMs === undefined ? '2.6' : '6.2');
  if (known && !relative && !comparison) return FORWARD;
  return instead(...setCommands(command.at(1), command.at(2), options, forms));
}

function setExpiring(unitMs: number): Rule {
  return {
    translate: (command, forms) => {
      const expireAtMs = forms.deadline(command.number(2) * unitMs);
      return instead(...setCommands(command.at(1), command.at(3), { expireAtMs, keepTtl: false }, forms));
    },
  };
}

/** MSETEX count key value … options: with conditions that held, and one expiry for all. */
function translateMsetex(command: CommandWords, forms: TargetForms): Translation {
  const count = command.number(1);
  const options = readSetOptions(command, 2 + 2 * count, forms);
  if (options === undefined || !Number.isInteger(count)) return FORWARD;
  const commands: Argument[][] = [];
  for (let index = 0; index < count; index++) {
    commands.push(...setCommands(command.at(2 + 2 * index), command.at(3 + 2 * index), options, forms));
  }
  return instead(...commands);
}

export const STRING_RULES: Readonly<Record<string, Rule>> = {
  SET: { fromWords: 4, translate: translateSet },
  SETEX: setExpiring(1000),
  PSETEX: setExpiring(1),
  MSETEX: { translate: translateMsetex },
  // Redis 8.2.
  BITOP: {
    concerns: (forms) => !forms.since('8.2', '99'),
    translate: (command) =>
      ['DIFF', 'DIFF1', 'ANDOR', 'ONE'].includes(command.upper(1))
        ? { kind: 'unsupported', needs: 'Redis 8.2' }
        : FORWARD,
  },
};
