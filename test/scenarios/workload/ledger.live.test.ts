/** The ledger check finds every kind of damage that a bad replication can do, and none where there is none. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { Ledger, ringKeys, type LaneKind } from '../../../scenarios/workload/ledger.ts';
import { verifyLedger } from '../../../scenarios/workload/ledger-check.ts';
import { startServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let connection: Connection;

beforeAll(async () => {
  server = await startServer();
  connection = await Connection.open(server.endpoint);
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});
beforeEach(async () => {
  await connection.call('FLUSHALL');
});

const FINE = { lost: 0, duplicated: 0, reordered: 0, unexpected: 0, samples: [] };
const write = (kind: LaneKind, number: number): (string | number)[] =>
  ({
    ring: ['MSET', ...ringKeys(kind).flatMap((key) => [key, number])],
    list: ['RPUSH', kind, number],
    set: ['SADD', kind, number],
    stream: ['XADD', kind, '*', 'n', number],
    counter: ['INCR', kind],
  })[kind];

const strings = (words: readonly (string | number)[]): string[] => words.map(String);

/** A ledger of acknowledged writes that are on the server, in database 3. */
async function written(kind: LaneKind, count: number): Promise<Ledger> {
  const ledger = new Ledger();
  const lane = ledger.lane(kind, 3, kind);
  await connection.call('SELECT', 3);
  await connection.pipeline(Array.from({ length: count }, () => write(kind, lane.next())));
  for (let number = 0; number < count; number++) lane.settle(number, 'ok');
  return ledger;
}

describe('verifyLedger', () => {
  test.each(['list', 'set', 'stream', 'counter'] as const)(
    'a %s that has everything is fine, over several pages',
    async (kind) => {
      const ledger = await written(kind, 12_000);
      await connection.call('SELECT', 0);
      expect(await verifyLedger(connection, ledger)).toEqual(FINE);
      expect(ledger.counts()).toEqual({ ok: 12_000, failed: 0, unknown: 0 });
    },
  );

  test.each(['list', 'set', 'stream', 'counter'] as const)(
    'a %s that is gone lost everything',
    async (kind) => {
      const ledger = await written(kind, 10);
      await connection.call('DEL', kind);
      expect(await verifyLedger(connection, ledger)).toMatchObject({
        ...FINE,
        lost: 10,
        samples: expect.anything(),
      });
    },
  );

  test('a lost element is named', async () => {
    const ledger = await written('list', 10);
    await connection.call('LREM', 'list', 1, 4);
    expect(await verifyLedger(connection, ledger)).toEqual({
      ...FINE,
      lost: 1,
      samples: ['lost: list lacks 4'],
    });
  });

  test('duplicates are counted, in lists, streams and counters', async () => {
    const list = await written('list', 10);
    await connection.pipeline([write('list', 9), write('list', 9)]);
    expect(await verifyLedger(connection, list)).toMatchObject({ lost: 0, duplicated: 2, reordered: 0 });
    const stream = await written('stream', 10);
    await connection.call('XADD', 'stream', '*', 'n', 3);
    expect(await verifyLedger(connection, stream)).toMatchObject({ lost: 0, duplicated: 1, reordered: 0 });
    const counter = await written('counter', 10);
    await connection.call('INCR', 'counter');
    expect(await verifyLedger(connection, counter)).toMatchObject({ duplicated: 1 });
  });

  test('a wrong order is seen', async () => {
    const ledger = await written('list', 4);
    await connection.pipeline([
      ['DEL', 'list'],
      ['RPUSH', 'list', 0, 2, 1, 3],
    ]);
    expect(await verifyLedger(connection, ledger)).toEqual({
      ...FINE,
      reordered: 1,
      samples: ['reordered: list has 1 after 2'],
    });
  });

  test('an unknown outcome may be there, late, or not at all, but not twice', async () => {
    const ledger = await written('list', 5);
    const lane = ledger.lane('list', 3, 'list');
    const [late, missing, twice] = [lane.next(), lane.next(), lane.next()];
    lane.settle(lane.next(), 'ok');
    await connection.pipeline([
      write('list', 8),
      write('list', late),
      write('list', twice),
      write('list', twice),
    ]);
    expect(lane.outcome(missing)).toBe('unknown');
    expect(await verifyLedger(connection, ledger)).toMatchObject({
      lost: 0,
      duplicated: 1,
      reordered: 0,
      unexpected: 0,
    });
  });

  test('a counter may stand anywhere between acknowledged and sent', async () => {
    const ledger = await written('counter', 5);
    ledger.lane('counter', 3, 'counter').next();
    expect(await verifyLedger(connection, ledger)).toEqual(FINE);
    await connection.call('INCR', 'counter');
    expect(await verifyLedger(connection, ledger)).toEqual(FINE);
  });

  test('a ring is where its last acknowledged turn left it, or one further', async () => {
    const ledger = await written('ring', 5);
    expect(await verifyLedger(connection, ledger)).toEqual(FINE);
    const lane = ledger.lane('ring', 3, 'ring');
    const unknown = lane.next();
    expect(await verifyLedger(connection, ledger)).toEqual(FINE);
    await connection.call(...strings(write('ring', unknown)));
    expect(await verifyLedger(connection, ledger)).toEqual(FINE);
    await connection.call('SET', ringKeys('ring')[1] ?? '', 2);
    expect(await verifyLedger(connection, ledger)).toMatchObject({ lost: 2, unexpected: 0 });
    await connection.call('DEL', ...ringKeys('ring'));
    expect(await verifyLedger(connection, ledger)).toMatchObject({ lost: 5 });
    await connection.call(...strings(write('ring', 77)));
    expect(await verifyLedger(connection, ledger)).toMatchObject({ lost: 0, unexpected: 1 });
  });

  test('what was refused or never written must not be there', async () => {
    const ledger = await written('set', 5);
    ledger.lane('set', 3, 'set').settle(2, 'failed');
    await connection.call('SADD', 'set', 99, 'foreign');
    expect(await verifyLedger(connection, ledger)).toMatchObject({ lost: 0, unexpected: 3 });
  });

  test('samples are bounded, counts are not', async () => {
    const ledger = await written('set', 500);
    await connection.call('DEL', 'set');
    const verdict = await verifyLedger(connection, ledger);
    expect([verdict.lost, verdict.samples.length]).toEqual([500, 20]);
  });
});
