/** A link belongs to the process that started last; one that was replaced must not come back. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Ownership } from '../../../engine/apply/ownership.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
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
beforeEach(() => connection.call('FLUSHALL'));

test('the one that started last may reconnect, the one before it may not', async () => {
  const first = new Ownership('a->b');
  await first.claim(connection);
  await first.claim(connection);
  const second = new Ownership('a->b');
  await second.claim(connection);
  await expect(first.claim(connection)).rejects.toMatchObject({ code: 'APPLY_REFUSED', retryable: false });
  await second.claim(connection);
});

test('links of other names have other owners', async () => {
  const one = new Ownership('a->b');
  const other = new Ownership('c->b');
  await one.claim(connection);
  await other.claim(connection);
  await expect(one.claim(connection)).resolves.toBeUndefined();
  await expect(other.claim(connection)).resolves.toBeUndefined();
});

test('a target that was emptied is claimed again', async () => {
  const ownership = new Ownership('a->b');
  await ownership.claim(connection);
  await connection.call('FLUSHALL');
  await ownership.claim(connection);
  expect(textOf(await connection.call('GET', 'redis-sync:owner:a->b'))).toMatch(/^[0-9a-f]{16}$/);
});

test('a target that cannot be written to yet is claimed later', async () => {
  const ownership = new Ownership('a->b');
  await connection.call('CONFIG', 'SET', 'maxmemory', 1);
  await ownership.claim(connection);
  await connection.call('CONFIG', 'SET', 'maxmemory', 0);
  expect(await connection.call('GET', 'redis-sync:owner:a->b')).toBeNull();
  await ownership.claim(connection);
  await expect(new Ownership('a->b').claim(connection)).resolves.toBeUndefined();
  await expect(ownership.claim(connection)).rejects.toMatchObject({ code: 'APPLY_REFUSED' });
});
