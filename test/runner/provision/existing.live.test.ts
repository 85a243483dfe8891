import { createServer, type Server } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { pickFreePort } from '../../../runner/provision/free-port.ts';
import { ProcessLedger } from '../../../runner/provision/process-ledger.ts';
import type { ProvisionedInstance } from '../../../runner/provision/provisioner.ts';
import { provision } from '../../../runner/provision/registry.ts';
import type { InstancePlan } from '../../../runner/plan/plan.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { instancePlan } from './instance-plan.ts';

const tlsFile = (name: string): string => fileURLToPath(new URL(`tls/${name}`, import.meta.url));

let runFolder = '';
let processes: ProcessLedger;
let open: TestServer;
let locked: TestServer;
let encrypted: TestServer;
let encryptedPort = 0;

beforeAll(async () => {
  runFolder = await mkdtemp(join(tmpdir(), 'redis-sync-run-'));
  processes = await ProcessLedger.open(runFolder);
  open = await startServer();
  locked = await startServer({ requirepass: 'geheim' });
  encryptedPort = await pickFreePort();
  encrypted = await startServer({
    'tls-port': String(encryptedPort),
    'tls-cert-file': tlsFile('server.pem'),
    'tls-key-file': tlsFile('server.key'),
    'tls-auth-clients': 'no',
  });
  await using admin = await Connection.open({ ...locked.endpoint, password: 'geheim' });
  await admin.call('ACL', 'SETUSER', 'reader', 'on', '>a:b', '+@read', '-@all', '+psync', '~*');
});

afterAll(async () => {
  await processes[Symbol.asyncDispose]();
  await Promise.all([open.stop(), locked.stop(), encrypted.stop()]);
  await rm(runFolder, { recursive: true });
});

function reach(
  fields: Partial<InstancePlan>,
  env: Record<string, string> = {},
): Promise<ProvisionedInstance> {
  return provision(instancePlan({ name: 'prod', ...fields }), {
    runFolder,
    processes,
    env,
    readyTimeoutMs: 1000,
  });
}

/** A peer that says one thing to whoever connects, and closes. */
async function startPeer(says: string): Promise<{ port: number; server: Server }> {
  const port = await pickFreePort();
  const server = createServer((socket) => socket.end(says));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { port, server };
}

test('an open server: who it is, one node without a process of ours, nothing may be done to it', async () => {
  const instance = await reach({ url: `redis://127.0.0.1:${open.port}` });
  expect(instance).toMatchObject({ server: 'redis', provisioned: false });
  expect(instance.version).toMatch(/^\d+\.\d+/);
  expect(instance.nodes).toEqual([
    { name: 'primary', role: 'primary', endpoint: open.endpoint, address: `127.0.0.1:${open.port}` },
  ]);
  expect([...instance.capabilities]).toEqual([]);
  await instance.stop();
  expect(processes.records).toEqual([]);
});

test('disposable: it may be written to and configured', async () => {
  const instance = await reach({ url: `redis://127.0.0.1:${open.port}`, disposable: true });
  expect([...instance.capabilities].toSorted()).toEqual(['config', 'write']);
});

test('the right password, from the environment', async () => {
  const instance = await reach(
    { url: `redis://127.0.0.1:${locked.port}`, passwordEnv: 'PW' },
    { PW: 'geheim' },
  );
  expect(instance.primary()).toMatchObject({ password: 'geheim' });
});

test('user:password in one secret', async () => {
  const instance = await reach(
    { url: `redis://127.0.0.1:${locked.port}`, passwordEnv: 'PW' },
    { PW: 'default:geheim' },
  );
  expect(instance.primary()).toMatchObject({ username: 'default', password: 'geheim' });
});

test('an account that may hardly do anything is let in; what it may not see stays unknown', async () => {
  const instance = await reach(
    { url: `redis://reader@127.0.0.1:${locked.port}`, passwordEnv: 'PW', disposable: true },
    { PW: 'a:b' },
  );
  expect(instance).toMatchObject({ server: '', version: '' });
  expect([...instance.capabilities]).toEqual(['write']);
});

test('nobody listens there', async () => {
  const port = await pickFreePort();
  await expect(reach({ url: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
    code: 'CONNECT',
    where: `prod (127.0.0.1:${port})`,
    message: expect.stringContaining('ECONNREFUSED'),
    hint: expect.stringContaining('Nothing listens there'),
  });
});

test('a host name that does not exist', async () => {
  await expect(reach({ url: 'redis://no-such-host.invalid' })).rejects.toMatchObject({
    code: 'CONNECT',
    where: 'prod (no-such-host.invalid:6379)',
  });
});

test('no password where one is needed', async () => {
  await expect(reach({ url: `redis://127.0.0.1:${locked.port}` })).rejects.toMatchObject({
    code: 'AUTH',
    message: expect.stringContaining('NOAUTH Authentication required.'),
    hint: expect.stringContaining('passwordFile'),
  });
});

test('a wrong password', async () => {
  await expect(
    reach({ url: `redis://127.0.0.1:${locked.port}`, passwordEnv: 'PW' }, { PW: 'falsch' }),
  ).rejects.toMatchObject({
    code: 'AUTH',
    message: expect.stringContaining('WRONGPASS'),
    hint: expect.stringContaining('wrong'),
  });
});

test('a password with a colon, read as user and password: the hint says so, and how to avoid it', async () => {
  await expect(
    reach({ url: `redis://127.0.0.1:${locked.port}`, passwordEnv: 'PW' }, { PW: 'ge:heim' }),
  ).rejects.toMatchObject({
    code: 'AUTH',
    hint: expect.stringContaining('`username: default`'),
  });
});

test('a server in protected mode', async () => {
  // What redis-server 7.0.15 sends to a client from another machine before it closes, abbreviated after the first sentence.
  const denied =
    '-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user.\r\n';
  const { port, server } = await startPeer(denied);
  try {
    await expect(reach({ url: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'CONNECT',
      message: expect.stringContaining('DENIED'),
      hint: expect.stringContaining('protected mode'),
    });
  } finally {
    server.close();
  }
});

test('TLS with the CA named', async () => {
  const instance = await reach({
    url: `rediss://127.0.0.1:${encryptedPort}`,
    tls: { caFile: tlsFile('ca.pem') },
  });
  expect(instance.version).not.toBe('');
});

test('TLS with a CA nobody knows', async () => {
  await expect(reach({ url: `rediss://127.0.0.1:${encryptedPort}` })).rejects.toMatchObject({
    code: 'CONNECT',
    hint: expect.stringContaining('tls: { ca:'),
  });
});

test('TLS to a port without it', async () => {
  await expect(reach({ url: `rediss://127.0.0.1:${open.port}` })).rejects.toMatchObject({
    code: 'CONNECT',
    hint: expect.stringContaining('redis:// instead of rediss://'),
  });
});

test('no TLS to a port that wants it', async () => {
  await expect(reach({ url: `redis://127.0.0.1:${encryptedPort}` })).rejects.toMatchObject({
    code: 'CONNECT',
    hint: expect.stringContaining('write rediss://'),
  });
});
