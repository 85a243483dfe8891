/**
 * Streams: what 6.2, 7.0 and 8.2 added, for targets without it, and one form that no client may send at all: a source
 * writes `MAXLEN = n LIMIT m` (it has trimmed, and says what is left), which a server takes only from its primary.
 */
import type { Argument } from '../../resp/encode.ts';
import type { CommandWords } from './command-words.ts';
import {
  FORWARD,
  instead,
  unsupported,
  type Rule,
  type TargetForms,
  type Translation,
} from './translation.ts';

/** Deletes every entry up to ARGV[1]. */
const TRIM_BELOW = `repeat
  local old = redis.call('xrange', KEYS[1], '-', ARGV[1], 'COUNT', 100)
  for _, entry in ipairs(old) do redis.call('xdel', KEYS[1], entry[1]) end
until #old == 0`;

interface TrimOptions {
  /** What XADD or XTRIM keeps of its options. */
  kept: Argument[];
  /** The first id to keep, when the target cannot trim by id. */
  minId: string | undefined;
  /** Something has to be said otherwise. */
  changed: boolean;
  /** A reference policy that the target does not know. */
  references: boolean;
  /** Where the options end. */
  next: number;
}

/** NOMKSTREAM, MAXLEN|MINID [=|~] n [LIMIT n], KEEPREF|DELREF|ACKED, from `from` on. */
function readTrim(command: CommandWords, from: number, forms: TargetForms): TrimOptions {
  const options: TrimOptions = { kept: [], minId: undefined, changed: false, references: false, next: from };
  for (; options.next < command.length; options.next++) {
    const word = command.upper(options.next);
    switch (word) {
      case 'NOMKSTREAM':
        if (forms.since('6.2')) options.kept.push(word);
        else options.changed = true;
        break;
      case 'MAXLEN':
      case 'MINID':
        readThreshold(command, word, forms, options);
        break;
      case 'KEEPREF':
      case 'DELREF':
      case 'ACKED':
        if (forms.since('8.2', '99')) options.kept.push(word);
        else options.changed = true;
        if (word !== 'KEEPREF' && !forms.since('8.2', '99')) options.references = true;
        break;
      default:
        return options;
    }
  }
  return options;
}

function readThreshold(
  command: CommandWords,
  strategy: string,
  forms: TargetForms,
  options: TrimOptions,
): void {
  let index = options.next + 1;
  const operator = command.upper(index);
  const words: Argument[] = [strategy];
  if (operator === '=' || operator === '~') words.push(command.at(index++));
  const threshold = command.at(index);
  words.push(threshold);
  if (command.upper(index + 1) === 'LIMIT') {
    if (operator === '~' && forms.since('6.2')) words.push('LIMIT', command.at(index + 2));
    else options.changed = true;
    index += 2;
  }
  if (strategy === 'MAXLEN' || forms.since('6.2')) {
    options.kept.push(...words);
  } else {
    options.minId = threshold.toString('latin1');
    options.changed = true;
  }
  options.next = index;
}

/** XADD key options id fields …. */
function translateAdd(command: CommandWords, forms: TargetForms): Translation {
  const first = command.at(2)[0] ?? 0;
  // An id, at once: the common form.
  if (first < 0x3a) return FORWARD;
  const { kept, minId, changed, references, next } = readTrim(command, 2, forms);
  if (references) return unsupported('8.2');
  if (!changed) return FORWARD;
  return instead(
    ['XADD', command.at(1), ...kept, ...command.slice(next)],
    ...trimBelow(command.at(1), minId),
  );
}

function translateTrim(command: CommandWords, forms: TargetForms): Translation {
  const { kept, minId, changed, references } = readTrim(command, 2, forms);
  if (references) return unsupported('8.2');
  if (!changed) return FORWARD;
  const trims = trimBelow(command.at(1), minId);
  return instead(...(trims.length > 0 ? trims : [['XTRIM', command.at(1), ...kept]]));
}

function trimBelow(key: Buffer, minId: string | undefined): Argument[][] {
  const last = minId === undefined ? undefined : idBefore(minId);
  return last === undefined ? [] : [['EVAL', TRIM_BELOW, 1, key, last]];
}

/** The largest id below `id`; undefined when there is none. */
export function idBefore(id: string): string | undefined {
  const [ms = '0', sequence = '0'] = id.split('-');
  if (BigInt(sequence) > 0n) return `${ms}-${BigInt(sequence) - 1n}`;
  return BigInt(ms) > 0n ? `${BigInt(ms) - 1n}-18446744073709551615` : undefined;
}

/** Without an option and its value. */
function without(command: CommandWords, options: readonly string[], from: number): Translation {
  const kept: Argument[] = command.slice(0, from);
  for (let index = from; index < command.length; index++) {
    if (options.includes(command.upper(index))) index++;
    else kept.push(command.at(index));
  }
  return kept.length === command.length ? FORWARD : instead(kept);
}

function translateGroup(command: CommandWords, forms: TargetForms): Translation {
  if (command.upper(1) !== 'CREATECONSUMER') return without(command, ['ENTRIESREAD'], 5);
  if (forms.since('6.2')) return FORWARD;
  const [key, group, consumer] = command.slice(2, 5);
  if (key === undefined || group === undefined || consumer === undefined) return FORWARD;
  // Reading one's own past creates the consumer and delivers nothing.
  return instead(['XREADGROUP', 'GROUP', group, consumer, 'COUNT', 1, 'STREAMS', key, 0]);
}

/** XDELEX key [policy] IDS n id …, XACKDEL key group [policy] IDS n id …: with KEEPREF they are XDEL, XACK and XDEL. */
function translateDelete(command: CommandWords, group: Buffer | undefined): Translation {
  const at = command.find('IDS', group === undefined ? 2 : 3);
  const policy = command.upper(at - 1);
  if (at === -1 || policy === 'DELREF' || policy === 'ACKED') return unsupported('8.2');
  const ids = command.slice(at + 2);
  const acknowledge = group === undefined ? [] : [['XACK', command.at(1), group, ...ids]];
  return instead(...acknowledge, ['XDEL', command.at(1), ...ids]);
}

function before70(forms: TargetForms): boolean {
  return !forms.since('7.0');
}

export const STREAM_RULES: Readonly<Record<string, Rule>> = {
  XADD: { fromWords: 6, translate: translateAdd },
  XTRIM: { translate: translateTrim },
  XGROUP: { concerns: before70, translate: translateGroup },
  XSETID: {
    concerns: before70,
    translate: (command) => without(command, ['ENTRIESADDED', 'MAXDELETEDID'], 3),
  },
  XDELEX: {
    concerns: (forms) => !forms.has('XDELEX', { redis: '8.2' }),
    translate: (command) => translateDelete(command, undefined),
  },
  XACKDEL: {
    concerns: (forms) => !forms.has('XACKDEL', { redis: '8.2' }),
    translate: (command) => translateDelete(command, command.at(2)),
  },
};
