/** Sorted sets: pops before 5.0; GT and LT, differences and stored ranges before 6.2. */
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

/** ZADD with GT or LT. ARGV: the condition, NX or XX or '', 1 for INCR, then score, member …. */
const ADD_IF = `local condition, only, incr = ARGV[1], ARGV[2], ARGV[3]
for i = 4, #ARGV, 2 do
  local score, member = ARGV[i], ARGV[i + 1]
  local current = redis.call('zscore', KEYS[1], member)
  if current then
    local old = tonumber(current)
    local new = tonumber(score)
    if incr == '1' then
      new = new + old
      score = string.format('%.17g', new)
    end
    if (condition == 'GT' and new > old) or (condition == 'LT' and new < old) then
      redis.call('zadd', KEYS[1], score, member)
    end
  elseif only ~= 'XX' then
    redis.call('zadd', KEYS[1], score, member)
  end
end`;

/** ZDIFFSTORE: KEYS[1] becomes KEYS[2] without the members of all others, sets or sorted sets. */
const DIFF_STORE = `local function members(key)
  if redis.call('type', key).ok ~= 'set' then return redis.call('zrange', key, 0, -1, 'withscores') end
  local flat = {}
  for _, member in ipairs(redis.call('smembers', key)) do
    flat[#flat + 1] = member
    flat[#flat + 1] = '1'
  end
  return flat
end
local gone = {}
for i = 3, #KEYS do
  local other = members(KEYS[i])
  for j = 1, #other, 2 do gone[other[j]] = true end
end
local all = members(KEYS[2])
redis.call('del', KEYS[1])
for j = 1, #all, 2 do
  if not gone[all[j]] then redis.call('zadd', KEYS[1], all[j + 1], all[j]) end
end`;

/** ZRANGESTORE: KEYS[1] becomes what ARGV, a range command without its key, finds in KEYS[2]. */
const RANGE_STORE = `local arguments = {}
for i = 2, #ARGV do arguments[#arguments + 1] = ARGV[i] end
local found = redis.call(ARGV[1], KEYS[2], unpack(arguments))
local lexical = string.find(ARGV[1], 'LEX')
local scores = {}
if lexical then
  for i, member in ipairs(found) do scores[i] = redis.call('zscore', KEYS[2], member) end
end
redis.call('del', KEYS[1])
if lexical then
  for i, member in ipairs(found) do redis.call('zadd', KEYS[1], scores[i], member) end
else
  for i = 1, #found, 2 do redis.call('zadd', KEYS[1], found[i + 1], found[i]) end
end`;

function translateAdd(command: CommandWords): Translation {
  let condition = '';
  let only = '';
  let incr = 0;
  let index = 2;
  for (; ; index++) {
    const option = command.upper(index);
    if (option === 'GT' || option === 'LT') condition = option;
    else if (option === 'NX' || option === 'XX') only = option;
    else if (option === 'INCR') incr = 1;
    else if (option !== 'CH') break;
  }
  if (condition === '') return FORWARD;
  return instead(['EVAL', ADD_IF, 1, command.at(1), condition, only, incr, ...command.slice(index)]);
}

/** ZPOPMIN key [n], ZPOPMAX key [n]. */
function popByRank(end: 'MIN' | 'MAX'): Rule {
  return {
    concerns: (forms) => !forms.has(`ZPOP${end}`, { redis: '5.0', valkey: '7.2' }),
    translate: (command) => {
      const count = command.length > 2 ? command.number(2) : 1;
      if (count === 0) return { kind: 'nothing' };
      const [start, stop] = end === 'MIN' ? [0, count - 1] : [-count, -1];
      return instead(['ZREMRANGEBYRANK', command.at(1), start, stop]);
    },
  };
}

function translateRangeStore(command: CommandWords): Translation {
  const options = { by: 'INDEX', reverse: false, limit: [] as Argument[] };
  for (let index = 5; index < command.length; index++) {
    const option = command.upper(index);
    if (option === 'BYSCORE' || option === 'BYLEX') options.by = option;
    else if (option === 'REV') options.reverse = true;
    else if (option === 'LIMIT') {
      options.limit = ['LIMIT', ...command.slice(index + 1, index + 3)];
      index += 2;
    } else return FORWARD;
  }
  const name = `${options.reverse ? 'ZREVRANGE' : 'ZRANGE'}${options.by === 'INDEX' ? '' : options.by}`;
  const scores = options.by === 'BYLEX' ? [] : ['WITHSCORES'];
  const range = [name, command.at(3), command.at(4), ...scores, ...options.limit];
  return instead(['EVAL', RANGE_STORE, 2, command.at(1), command.at(2), ...range]);
}

/** GEOSEARCHSTORE destination source …: GEORADIUS can store circles, nothing can store boxes. */
function translateGeoSearchStore(command: CommandWords, forms: TargetForms): Translation {
  if (!before62(forms)) return removingFirst(command, command.at(1), command.at(2));
  const center: Argument[] = [];
  const circle: Argument[] = [];
  const rest: Argument[] = [];
  let store = 'STORE';
  for (let index = 3; index < command.length; index++) {
    const option = command.upper(index);
    if (option === 'FROMMEMBER') center.push(...command.slice(index + 1, (index += 1) + 1));
    else if (option === 'FROMLONLAT') center.push(...command.slice(index + 1, (index += 2) + 1));
    else if (option === 'BYRADIUS') circle.push(...command.slice(index + 1, (index += 2) + 1));
    else if (option === 'COUNT') rest.push('COUNT', ...command.slice(index + 1, (index += 1) + 1));
    else if (option === 'ASC' || option === 'DESC') rest.push(option);
    else if (option === 'STOREDIST') store = option;
    else return unsupported('6.2', '7.2');
  }
  const name = center.length === 1 ? 'GEORADIUSBYMEMBER' : 'GEORADIUS';
  const search = [name, command.at(2), ...center, ...circle, ...rest, store, command.at(1)];
  return command.at(1).equals(command.at(2)) ? instead(search) : instead(['DEL', command.at(1)], search);
}

/** GEORADIUS source … STORE destination, GEORADIUSBYMEMBER alike. */
function translateGeoRadius(command: CommandWords): Translation {
  const at = Math.max(command.find('STORE', 5), command.find('STOREDIST', 5));
  return at === -1 ? FORWARD : removingFirst(command, command.at(at + 1), command.at(1));
}

/** Before 7.0 a search without a source leaves the destination as it is; from then on it removes it. */
function removingFirst(command: CommandWords, destination: Buffer, source: Buffer): Translation {
  return destination.equals(source) ? FORWARD : instead(['DEL', destination], command.slice(0));
}

function before62(forms: TargetForms): boolean {
  return !forms.since('6.2');
}

function before70(forms: TargetForms): boolean {
  return !forms.since('7.0');
}

export const SORTED_SET_RULES: Readonly<Record<string, Rule>> = {
  ZADD: { fromWords: 5, concerns: before62, translate: translateAdd },
  ZPOPMIN: popByRank('MIN'),
  ZPOPMAX: popByRank('MAX'),
  ZDIFFSTORE: {
    concerns: before62,
    translate: (command) => {
      const sources = command.slice(3, 3 + command.number(2));
      return instead(['EVAL', DIFF_STORE, 1 + sources.length, command.at(1), ...sources]);
    },
  },
  ZRANGESTORE: { concerns: before62, translate: translateRangeStore },
  GEOSEARCHSTORE: { concerns: before70, translate: translateGeoSearchStore },
  GEORADIUS: { fromWords: 8, concerns: before70, translate: translateGeoRadius },
  GEORADIUSBYMEMBER: { fromWords: 7, concerns: before70, translate: translateGeoRadius },
};
