/** Snapshots of five versions on a real target: as payloads, rebuilt because refused, and built in parts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFeatures } from '../../../../engine/apply/rebuild/write-features.ts';
import { Connection } from '../../../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { askEverything, type CanonicalKey } from '../../rdb/canonical.ts';
import { pieces } from '../../rdb/read-snapshot.ts';
import { asPackedFromSeven, carried, withoutCounters } from './rebuilding.ts';
import { applySnapshot, type Session, type SessionOptions } from './snapshot-session.ts';

const FIXTURES = join(import.meta.dirname, '../../rdb/fixtures');
const SOURCES = ['redis-6.0.16', 'redis-7.0.15', 'redis-8.0.2', 'valkey-8.1.1', 'valkey-9.1.2'];

let server: TestServer;
let connection: Connection;

beforeAll(async () => {
  server = await startServer({ databases: '20' });
  connection = await Connection.open(server.endpoint);
});

afterAll(async () => {
  await connection.close();
  await server.stop();
});

describe.each(SOURCES)('a snapshot of %s', (name) => {
  const snapshot = readFileSync(join(FIXTURES, `${name}.rdb`));
  const answers: CanonicalKey[] = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'));

  async function apply(options: SessionOptions): Promise<Session> {
    await connection.call('FLUSHALL');
    await connection.tryCall('FUNCTION', 'FLUSH');
    const session = await applySnapshot(server.endpoint, pieces(snapshot, 50), options);
    const features = writeFeatures(session.facts);
    const counters = features.streamCounters && name !== 'redis-6.0.16';
    const comparable = (keys: readonly CanonicalKey[]): unknown =>
      carried(keys.map(asPackedFromSeven), features).map((key) =>
        counters ? key : { ...key, value: withoutCounters(key.value) },
      );
    const found = await askEverything(connection);
    expect(comparable(found)).toEqual(comparable(answers));
    expect(session.counters.snapshotKeys).toBe(found.length);
    return session;
  }

  it('goes as payloads where the target knows the layouts, and is rebuilt elsewhere', async () => {
    const { counters, facts } = await apply({});
    expect(facts.degraded).toEqual([]);
    expect(counters.retries).toBe(0);
    const version = Number(/\d+$/.exec(snapshot.toString('latin1', 0, 9))?.[0]);
    const takesAll = facts.payloadVersions?.has(version) === true;
    expect(counters.snapshotRebuilt).toBeLessThan(takesAll ? 1 : counters.snapshotKeys / 2);
  });

  it('is rebuilt key by key when the target refuses payloads it was believed to take', async () => {
    const { counters } = await apply({ believe: (facts) => ({ ...facts, payloadVersions: undefined }) });
    expect(counters.retries).toBe(0);
  });

  it('is built in parts under a temporary key, of which nothing is left', async () => {
    const { counters } = await apply({
      inlineBytesMax: 0,
      believe: (facts) => ({ ...facts, payloadVersions: new Set() }),
    });
    expect(counters.snapshotRebuilt).toBe(counters.snapshotKeys);
    expect(counters.retries).toBe(0);
  });

  it('is complete although the connection breaks again and again', async () => {
    const { counters } = await apply({
      inlineBytesMax: 0,
      believe: (facts) => ({ ...facts, payloadVersions: new Set() }),
      before: async (count) => {
        if (count % 9 === 4) await connection.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      },
    });
    expect(counters.retries).toBeGreaterThan(3);
  });
});
