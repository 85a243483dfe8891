/**
 * Values larger than the engine takes in one piece (4 MiB), changed all the time: what it builds up in parts must be there
 * as a whole, once, also when it is killed among the parts.
 */
import type { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { Random } from '../../scenarios/data/random.ts';
import { SteadyWriter } from './steady-writer.ts';

const STRING = 'large:string';
const LIST = 'large:list';
const HASH = 'large:hash';
const LARGE_BYTES = 5 * 1024 * 1024;
const ELEMENTS = 5000;
const EVERY_MS = 60;

/** Random bytes, so that the snapshot does not hold them compressed. The connection stays on database 3. */
export async function seedLargeValues(source: Connection, seed: number): Promise<void> {
  const random = new Random(seed, 'large');
  const elementBytes = Math.ceil(LARGE_BYTES / ELEMENTS);
  await source.call('SELECT', 3);
  await source.call('SET', STRING, random.bytes(LARGE_BYTES));
  for (let from = 0; from < ELEMENTS; from += 500) {
    const elements = Array.from({ length: 500 }, () => random.bytes(elementBytes));
    await source.call('RPUSH', LIST, ...elements);
    await source.call('HSET', HASH, ...elements.flatMap((element, index) => [`f${from + index}`, element]));
  }
}

/** Changes them in ways that count twice when applied twice. */
export function startLargeWrites(source: Endpoint, seed: number): Promise<SteadyWriter> {
  const random = new Random(seed, 'large writes');
  return SteadyWriter.start(source, {
    name: 'torture-large',
    everyMs: EVERY_MS,
    batch: (number) => [
      ['SELECT', 3],
      ['SETRANGE', STRING, random.below(LARGE_BYTES), `write ${number}`],
      ['RPUSH', LIST, `pushed ${number}`],
      ['LPOP', LIST],
      ['HINCRBY', HASH, `counter ${number % 7}`, number],
      ['HDEL', HASH, `f${random.below(ELEMENTS)}`],
      ...(number % 50 === 49 ? [['APPEND', STRING, random.bytes(40_000)]] : []),
    ],
  });
}
