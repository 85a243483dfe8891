/** What gets through a Codis proxy, and that clients keep to the keys of their group. */
import { expect, test } from 'vitest';
import { CodisSlotTable, placeEvenly } from '../../../scenarios/data/placement.ts';
import { passesCodisProxy, splitAtCodisProxy } from '../../../scenarios/workload/codis-proxy.ts';
import { DEFAULT_MIX, resolveMix } from '../../../scenarios/workload/mix.ts';
import { OperationScript } from '../../../scenarios/workload/operation-script.ts';
import { TAGS } from '../../../scenarios/workload/operation.ts';

test('commands that are no matter of one group are refused', () => {
  const resolved = resolveMix(DEFAULT_MIX);
  if ('unknown' in resolved) throw new Error('the default mix is known');
  const passing = new Set(resolved.ok.filter(passesCodisProxy).map(({ operation }) => operation.command));
  for (const name of ['bitop', 'move', 'msetnx', 'multi', 'rename', 'renamenx', 'restore', 'publish'])
    expect(passing).not.toContain(name);
  for (const name of ['set', 'mset', 'hset', 'rpush', 'zadd', 'del', 'expire'])
    expect(passing).toContain(name);
});

test.each([
  [
    ['DEL', 'a', 'b'],
    [
      ['DEL', 'a'],
      ['DEL', 'b'],
    ],
  ],
  [
    ['MSET', 'a', 1, 'b', 2],
    [
      ['MSET', 'a', 1],
      ['MSET', 'b', 2],
    ],
  ],
  [['SUNIONSTORE', 'a', 'b'], [['SUNIONSTORE', 'a', 'b']]],
])('%j is sent as %j', (words, requests) => expect(splitAtCodisProxy(words)).toEqual(requests));

test('the names of a client belong to its group, and none to two', () => {
  const slots = new CodisSlotTable([
    { name: 'one', ranges: [[0, 9]] },
    { name: 'two', ranges: [[10, 1023]] },
  ]);
  const keysOf = (group: string, client: number): string[] => {
    const script = new OperationScript({
      seed: 1, workload: 'w', prefix: 'w:', keyspace: 64, client, clients: 2, databases: [0], now: () => 0, startedMs: 0,
      payloads: { string: Buffer.alloc(0), hash: Buffer.alloc(0) },
      owns: (key) => slots.place(Buffer.from(key)) === group,
    }); // prettier-ignore
    return TAGS.flatMap((tag) => Array.from({ length: 40 }, () => script.key(tag)));
  };
  for (const [client, group] of ['one', 'two'].entries())
    expect(new Set(keysOf(group, client).map((key) => slots.place(Buffer.from(key))))).toEqual(
      new Set([group]),
    );
});

test('slots move; without slots the keys are shared evenly', () => {
  const slots = new CodisSlotTable([{ name: 'one', ranges: [[0, 1023]] }]);
  const key = Buffer.from('{}x');
  expect(slots.place(key)).toBe('one');
  slots.move(0, 'two');
  expect([slots.place(key), slots.groupOf(0), slots.groupOf(1)]).toEqual(['two', 'two', 'one']);
  const place = placeEvenly(['a', 'b', 'c']);
  const counts = new Map<string | undefined, number>();
  for (let index = 0; index < 3000; index++) {
    const instance = place(Buffer.from(`key:${index}`));
    counts.set(instance, (counts.get(instance) ?? 0) + 1);
  }
  expect(new Set(counts.keys())).toEqual(new Set(['a', 'b', 'c']));
  for (const count of counts.values()) expect(count).toBeGreaterThan(800);
});
