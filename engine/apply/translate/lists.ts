/** Lists: moves and pops of several elements, for targets before 6.2. */
import type { CommandWords } from './command-words.ts';
import { FORWARD, instead, type Rule, type TargetForms, type Translation } from './translation.ts';

/** LMOVE where no RPOPLPUSH does the same. ARGV: the pop, the push. */
const MOVE = `local element = redis.call(ARGV[1], KEYS[1])
if element then redis.call(ARGV[2], KEYS[2], element) end`;

function translateMove(command: CommandWords): Translation {
  const [source, destination] = command.slice(1, 3);
  const from = command.upper(3);
  const to = command.upper(4);
  if (source === undefined || destination === undefined) return FORWARD;
  if (from === 'RIGHT' && to === 'LEFT') return instead(['RPOPLPUSH', source, destination]);
  const pop = from === 'LEFT' ? 'LPOP' : 'RPOP';
  return instead(['EVAL', MOVE, 2, source, destination, pop, to === 'LEFT' ? 'LPUSH' : 'RPUSH']);
}

/** LPOP key n is LTRIM key n -1; RPOP key n is LTRIM key 0 -(n+1): exact also when fewer are there. */
function popSeveral(side: 'LEFT' | 'RIGHT'): Rule {
  return {
    fromWords: 3,
    concerns: before62,
    translate: (command) => {
      const count = command.number(2);
      const [start, stop] = side === 'LEFT' ? [count, -1] : [0, -1 - count];
      return instead(['LTRIM', command.at(1), start, stop]);
    },
  };
}

function before62(forms: TargetForms): boolean {
  return !forms.since('6.2');
}

export const LIST_RULES: Readonly<Record<string, Rule>> = {
  LMOVE: {
    concerns: (forms) => !forms.has('LMOVE', { redis: '6.2', valkey: '7.2' }),
    translate: translateMove,
  },
  LPOP: popSeveral('LEFT'),
  RPOP: popSeveral('RIGHT'),
};
