/** Our slots are those of a real server, for keys that are made to be misread. */
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { clusterSlot, SLOTS, tagOfSlot } from '../../../engine/keys/cluster-slot.ts';
import { Random } from '../../../scenarios/data/random.ts';
import { startServer } from '../../support/server.ts';

/** Keys of braces, a few letters, and bytes that are no text. */
function adversarialKeys(count: number): Buffer[] {
  const random = new Random(1, 'slots');
  const alphabet = [0x7b, 0x7d, 0x7b, 0x7d, 0x61, 0x62, 0x00, 0xff, 0x0d, 0x0a];
  return Array.from({ length: count }, () =>
    Buffer.from(Array.from({ length: random.between(0, 12) }, () => alphabet[random.between(0, 9)] ?? 0)),
  );
}

describe('the slot of a key in a cluster', () => {
  it('is what CLUSTER KEYSLOT says, braces wherever they may be', async () => {
    await using server = await startServer({ 'cluster-enabled': 'yes' });
    await using connection = await Connection.open(server.endpoint);
    const keys = [
      ...adversarialKeys(5000),
      ...['', '{}', '{}{a}b', '{a', 'a}{b}', '{{a}}'].map((key) => Buffer.from(key)),
    ];
    const replies = await connection.pipeline(keys.map((key) => ['CLUSTER', 'KEYSLOT', key]));
    const wrong = keys.filter((key, index) => clusterSlot(key) !== replies[index]);
    expect(wrong).toEqual([]);
  });

  it('has a tag for every slot', () => {
    const wrong = Array.from({ length: SLOTS }, (_, slot) => slot).filter(
      (slot) => clusterSlot(Buffer.from(`redis-sync:x:{${tagOfSlot(slot)}}`)) !== slot,
    );
    expect(wrong).toEqual([]);
  });
});
