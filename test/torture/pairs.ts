/**
 * Transactions whose halves must never be seen apart: two counters in two databases and a list, changed together. Whoever
 * reads them in one transaction finds them equal, on the source and on a target that keeps transactions whole.
 */
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { Reply } from '../../engine/resp/reply.ts';
import { SteadyWriter } from './steady-writer.ts';

const FIRST = 'pair:first';
const SECOND = 'pair:second';
const LIST = 'pair:list';
const OTHER_DATABASE = 12;
const EVERY_MS = 20;

/** To be run inside a MULTI on database 0, where it leaves the connection; `readPair` reads what EXEC answers to these. */
export const PAIR_QUERY: readonly (readonly (string | number)[])[] = [
  ['GET', FIRST],
  ['SELECT', OTHER_DATABASE],
  ['GET', SECOND],
  ['LLEN', LIST],
  ['SELECT', 0],
];

/** Undefined when the halves fit, else what does not. */
export function readPair(replies: readonly Reply[]): string | undefined {
  const [first, , second, length] = replies;
  const numbers = [Number(first ?? 0), Number(second ?? 0), Number(length ?? 0)];
  return new Set(numbers).size === 1 ? undefined : `${FIRST} ${SECOND} ${LIST}: ${numbers.join(', ')}`;
}

/** Writes pairs to the source until stopped. */
export function startPairs(source: Endpoint): Promise<SteadyWriter> {
  return SteadyWriter.start(source, {
    name: 'torture-pairs',
    everyMs: EVERY_MS,
    batch: (number) => [
      ['MULTI'],
      ['INCR', FIRST],
      ['SELECT', OTHER_DATABASE],
      ['INCR', SECOND],
      ['RPUSH', LIST, number],
      ['SELECT', 0],
      ['EXEC'],
    ],
  });
}
