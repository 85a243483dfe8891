/** Writes over many slots that show every repetition and every omission. */
import { Connection, type Argument } from '../../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../../engine/connect/endpoint.ts';
import { tagOfSlot } from '../../../../engine/keys/cluster-slot.ts';

/** The first so many slots are those that tests move to and fro. */
export const MOVED_SLOTS = 40;

/** One round; half of them are in the slots that are moved: the first `movedSlots`. */
export function ledger(round: number, movedSlots = MOVED_SLOTS): Argument[][] {
  const tag = round % 2 === 0 ? `k${round % 97}` : tagOfSlot((round * 7) % movedSlots);
  return [
    ['INCR', `counter:{${tag}}`],
    ['RPUSH', `list:{${tag}}`, round],
    ['SET', `string:${tag}`, round],
    ['APPEND', `text:{${tag}}`, `${round},`],
    ['MULTI'],
    ['INCRBY', `{${tag}}a`, round],
    ['LPUSH', `{${tag}}b`, round],
    ['EXEC'],
    ['LTRIM', `{${tag}}b`, 0, 20],
    ['DEL', `string:k${(round * 7) % 97}`],
  ];
}

/** Writes rounds until told to end; how many. */
export async function writeUntil(source: Endpoint, signal: AbortSignal): Promise<number> {
  await using writer = await Connection.open(source);
  let round = 0;
  while (!signal.aborted) {
    await writer.pipeline(Array.from({ length: 5 }, () => ledger(round++)).flat());
    await new Promise((resolve) => setImmediate(resolve));
  }
  return round;
}
