/**
 * Slots of a Codis cluster move from one group to another, with their keys: one stream says DEL, the other RESTORE, and nobody
 * says which came first. The groups are ordinary servers here, so the keys are moved by MIGRATE, which looks the same in the
 * streams but for the name of the command (SLOTSRESTORE).
 *
 * Some slots at a time: clients hold back what is for them (a proxy does, while it changes its table), what they had sent
 * before is awaited, the keys are moved, and the clients go on at the new group. So a key is never at both.
 */
import { codisSlot, CODIS_SLOTS } from '../../engine/keys/codis-slot.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import type { Connection } from '../../engine/connect/connection.ts';
import { aimedInstance, invalid, openNode, primaryOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { countOf, textParameter } from './parameters.ts';

const KEYS_AT_ONCE = 50;
/** Held back and moved together: what is for other slots goes on meanwhile. */
const SLOTS_AT_ONCE = 8;

export const codisRebalance = defineFault({
  name: 'codis-rebalance',
  summary: 'Slots of a Codis cluster move from one group to another with their keys, while clients write.',
  requires: ['codis', 'write'],
  aims: 'instance',
  properties: {
    to: textParameter('The group that gets them.', 'group-2'),
    first: countOf('First slot.', 0, 0),
    slots: countOf('How many.', 32),
  },
  required: ['to'],
  dataLoss: 'none',
  reversible: false,
  async inject({ context, given }) {
    const from = aimedInstance(context);
    const to = context.subjects.instance(given.text('to', 'group-2'));
    if (from.name === to.name)
      throw invalid(context, `${to.name} has the slots already`, 'Name another group.');
    const first = given.count('first', 0);
    const last = Math.min(CODIS_SLOTS, first + given.count('slots', 32)) - 1;
    await using source = await openNode(await primaryOf(from));
    await using target = await openNode(await primaryOf(to));
    let moved = 0;
    for (let slot = first; slot <= last; slot += SLOTS_AT_ONCE) {
      const slots = new Set(range(slot, Math.min(last, slot + SLOTS_AT_ONCE - 1)));
      await context.subjects.holdCodisSlots([...slots]);
      moved += await moveAll(source, target, (key) => slots.has(codisSlot(key)));
      for (const each of slots) context.subjects.moveCodisSlot(each, to.name);
    }
    return moved > 0
      ? effective({ from: from.name, to: to.name, firstSlot: first, lastSlot: last, keys: moved })
      : ineffective(`${from.name} has no key in these slots`, { firstSlot: first, lastSlot: last });
  },
});

/** Every key that is to move, database by database. @returns how many. */
async function moveAll(
  source: Connection,
  target: Connection,
  isMoving: (key: Buffer) => boolean,
): Promise<number> {
  let moved = 0;
  const keyspace = textOf(await source.call('INFO', 'keyspace'));
  for (const [, database = '0'] of keyspace.matchAll(/^db(\d+):/gm)) {
    await source.call('SELECT', database);
    let cursor = '0';
    do {
      const reply = await source.call('SCAN', cursor, 'COUNT', 1000);
      const [next, found] = Array.isArray(reply) ? reply : [];
      cursor = textOf(next);
      const keys = Array.isArray(found) ? found.filter((key) => Buffer.isBuffer(key)).filter(isMoving) : [];
      for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
        const some = keys.slice(at, at + KEYS_AT_ONCE);
        const { host, port } = target.endpoint;
        const answer = await source.call(
          'MIGRATE',
          host,
          port,
          '',
          database,
          10_000,
          'REPLACE',
          'KEYS',
          ...some,
        );
        // A scan names some keys twice, and others have expired.
        if (textOf(answer) === 'OK') moved += some.length;
      }
    } while (cursor !== '0');
  }
  return moved;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
