/** Values of every version, rebuilt with commands on a real server, against what their own server answered. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { askEverything, type CanonicalKey } from '../../rdb/canonical.ts';
import { asPackedFromSeven, carried, rebuildSnapshot, withoutCounters } from './rebuilding.ts';

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

function answersOf(name: string): CanonicalKey[] {
  const parsed: CanonicalKey[] = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'));
  return parsed;
}

describe.each(SOURCES)('a snapshot of %s', (name) => {
  it('is rebuilt key by key, twice over, as its own server answers it', async () => {
    await connection.call('FLUSHALL');
    const snapshot = readFileSync(join(FIXTURES, `${name}.rdb`));
    await rebuildSnapshot(snapshot, connection);
    const { features, lost } = await rebuildSnapshot(snapshot, connection);
    const comparable = (keys: readonly CanonicalKey[]): unknown =>
      features.streamCounters && name !== 'redis-6.0.16'
        ? carried(keys, features)
        : carried(keys, features).map((key) => ({ ...key, value: withoutCounters(key.value) }));
    const found = (await askEverything(connection)).map(asPackedFromSeven);
    expect(comparable(found)).toEqual(comparable(answersOf(name).map(asPackedFromSeven)));
    expect(lost['module'] ?? 0).toBe(name === 'redis-8.0.2' ? 1 : 0);
    const hasFieldTtl = name === 'redis-8.0.2' || name === 'valkey-9.1.2';
    expect(lost['field-ttl'] ?? 0).toBe(hasFieldTtl && !features.fieldTtl ? 4 : 0);
  });
});
