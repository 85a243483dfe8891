/** Runs the printed lines in a real bash against a real server: what they show must be the key that was written. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Connection } from '../../engine/connect/connection.ts';
import { displayBytes } from '../../reports/display.ts';
import { readCommand, redisCliLine } from '../../reports/redis-cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

const run = promisify(execFile);
let server: TestServer;
let connection: Connection;

beforeAll(async () => {
  server = await startServer();
  connection = await Connection.open(server.endpoint);
  await connection.call('SELECT', '2');
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

test.each([
  ['plain', Buffer.from('user:17')],
  ['empty', Buffer.alloc(0)],
  ['spaces, quotes and dollars', Buffer.from(`it's "$HOME" \`id\` \\n !x`)],
  ['escapes followed by hex digits', Buffer.from('\x01f\x02A\xff0', 'latin1')],
  ['every byte but NUL', everyByte.subarray(1)],
  ['every byte', everyByte],
])('finds a key: %s', async (_name, key) => {
  await connection.call('SET', key, key);
  const line = redisCliLine(
    { host: server.endpoint.host, port: server.port, database: 2 },
    readCommand('string', key),
  );
  const { stdout } = await run('bash', ['-c', line]);
  expect(stdout.trimEnd()).toBe(displayBytes(key, 1000));
});
