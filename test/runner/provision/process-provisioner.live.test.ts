import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { SyncError } from '../../../engine/errors.ts';
import { pickFreePort } from '../../../runner/provision/free-port.ts';
import { parseInfo, textOf } from '../../../engine/resp/reply-text.ts';
import { describeKept } from '../../../runner/provision/kept.ts';
import { isAlive, readProcess } from '../../../runner/provision/process-identity.mjs';
import { ProcessLedger } from '../../../runner/provision/process-ledger.ts';
import type { ProvisionContext, ProvisionedInstance } from '../../../runner/provision/provisioner.ts';
import { provision, provisionAll } from '../../../runner/provision/registry.ts';
import { instancePlan } from './instance-plan.ts';

let runFolder = '';
let processes: ProcessLedger;
let context: ProvisionContext;

beforeEach(async () => {
  runFolder = await mkdtemp(join(tmpdir(), 'redis-sync-run-'));
  processes = await ProcessLedger.open(runFolder);
  context = { runFolder, processes };
});

afterEach(async () => {
  await processes[Symbol.asyncDispose]();
  await rm(runFolder, { recursive: true });
});

const living = (): number => processes.records.filter((record) => isAlive(record)).length;

async function ask(instance: ProvisionedInstance, ...command: string[]): Promise<string> {
  await using connection = await Connection.open(instance.primary());
  return textOf(await connection.call(...command));
}

async function occupyPort(): Promise<{ port: number; server: Server }> {
  const port = await pickFreePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { port, server };
}

async function failureOf(promise: Promise<unknown>): Promise<SyncError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SyncError) return error;
  throw new Error(`expected a SyncError, got ${String(error)}`);
}

test('a primary with the configuration of the spec, in a folder of the run', async () => {
  const instance = await provision(instancePlan({ config: { maxmemory: '256mb', save: '3600 1' } }), context);
  expect(instance).toMatchObject({ name: 'source', kind: 'standalone', server: 'redis', provisioned: true });
  expect(instance.version).toMatch(/^\d+\.\d+\.\d+/);
  expect([...instance.capabilities].toSorted()).toEqual(['config', 'kill', 'pause', 'restart', 'write']);
  const [node] = instance.nodes;
  expect(node).toMatchObject({
    role: 'primary',
    logFile: join(runFolder, 'servers/source/primary/server.log'),
  });
  expect(await ask(instance, 'CONFIG', 'GET', 'maxmemory')).toContain('268435456');
  expect(await ask(instance, 'CONFIG', 'GET', 'save')).toContain('3600 1');
  expect(await ask(instance, 'CONFIG', 'GET', 'appendonly')).toContain('no');
  expect(await readFile(node?.logFile ?? '', 'utf8')).toContain('Ready to accept connections');
});

test('every process is recorded as it starts, and gone after stop', async () => {
  const instance = await provision(instancePlan({ replicas: 1 }), context);
  const recorded: unknown = JSON.parse(await readFile(processes.file, 'utf8'));
  expect(recorded).toEqual([
    expect.objectContaining({
      pid: instance.nodes[0]?.pid,
      what: 'source.primary',
      address: instance.nodes[0]?.address,
    }),
    expect.objectContaining({ pid: instance.nodes[1]?.pid, what: 'source.replica-0' }),
  ]);
  expect(living()).toBe(2);
  await instance.stop();
  await instance.stop();
  expect(living()).toBe(0);
});

test('replicas are in sync with their primary when the instance is ready', async () => {
  const instance = await provision(instancePlan({ replicas: 2 }), context);
  expect(instance.nodes.map((node) => node.role)).toEqual(['primary', 'replica', 'replica']);
  // WAIT speaks of the writes of its own connection.
  await using primary = await Connection.open(instance.primary());
  expect(
    await primary.pipeline([
      ['SET', 'k', 'v'],
      ['WAIT', '2', '0'],
    ]),
  ).toEqual(['OK', 2]);
  for (const replica of instance.nodes.slice(1)) {
    await using connection = await Connection.open(replica.endpoint);
    expect(textOf(await connection.call('GET', 'k'))).toBe('v');
  }
});

test('a server with a password, replicas included', async () => {
  const instance = await provision(
    instancePlan({ replicas: 1, config: { requirepass: 'pass word"#' } }),
    context,
  );
  expect(instance.primary().password).toBe('pass word"#');
  expect(await ask(instance, 'PING')).toBe('PONG');
  await using anonymous = await Connection.open({
    host: instance.primary().host,
    port: instance.primary().port,
  });
  await expect(anonymous.call('PING')).rejects.toMatchObject({ code: 'AUTH' });
});

test('an unknown directive: the server’s own line and the name of the instance', async () => {
  const error = await failureOf(
    provision(instancePlan({ name: 'target', config: { maxmemry: '1mb' } }), context),
  );
  expect(error.code).toBe('PROVISION');
  expect(error.where).toBe('target.primary');
  expect(error.message).toContain("'maxmemry 1mb': Bad directive or wrong number of arguments");
  expect(error.hint).toContain('maxmemry');
  expect(living()).toBe(0);
});

test('an invalid value: the server’s own line', async () => {
  const error = await failureOf(
    provision(instancePlan({ config: { 'maxmemory-policy': 'forget-it' } }), context),
  );
  expect(error.message).toContain("'maxmemory-policy forget-it'");
  expect(error.message).toContain('argument');
});

test('a replica that cannot log in at its primary fails the instance, and both are ended', async () => {
  const config = { requirepass: 'a', masterauth: 'wrong' };
  const error = await failureOf(
    provision(instancePlan({ replicas: 1, config }), { ...context, readyTimeoutMs: 1500 }),
  );
  expect(error.message).toContain('did not get in sync');
  expect(error.hint).toContain('replica-0/server.log');
  expect(processes.records.length).toBe(2);
  expect(living()).toBe(0);
});

test('a configured port that is in use', async () => {
  const { port, server } = await occupyPort();
  try {
    const error = await failureOf(provision(instancePlan({ config: { port: String(port) } }), context));
    expect(error.code).toBe('PROVISION');
    expect(error.message).toContain(`Port ${port} is in use by another process`);
    expect(error.hint).toContain('Leave `port` out');
  } finally {
    server.close();
  }
});

test('a chosen port that somebody took first is replaced by another', async () => {
  const { port, server } = await occupyPort();
  const picks = [port, port];
  try {
    const instance = await provision(instancePlan(), {
      ...context,
      pickPort: async () => picks.pop() ?? pickFreePort(),
    });
    expect(picks).toEqual([]);
    expect(instance.primary().port).not.toBe(port);
    expect(await ask(instance, 'PING')).toBe('PONG');
  } finally {
    server.close();
  }
});

test('a port on which another Redis answers is not taken for ours', async () => {
  const other = await provision(instancePlan({ name: 'other' }), context);
  const picks = [other.primary().port];
  const instance = await provision(instancePlan(), {
    ...context,
    pickPort: async () => picks.pop() ?? pickFreePort(),
  });
  expect(instance.primary().port).not.toBe(other.primary().port);
  const info = parseInfo(await ask(instance, 'INFO', 'server'));
  expect(Number(info['process_id'])).toBe(instance.nodes[0]?.pid);
});

test('an interruption leaves nothing behind', async () => {
  const controller = new AbortController();
  const pickPort = async (): Promise<number> => {
    const port = await pickFreePort();
    // The first pick is the primary's; from the second on a replica is about to start.
    if (processes.records.length === 1) controller.abort();
    return port;
  };
  const error = await failureOf(
    provision(instancePlan({ replicas: 2 }), { ...context, pickPort, signal: controller.signal }),
  );
  expect(error.code).toBe('ABORTED');
  expect(processes.records.length).toBeGreaterThanOrEqual(2);
  expect(living()).toBe(0);
});

test('when one instance fails, the others are stopped', async () => {
  const plans = [instancePlan({ name: 'source' }), instancePlan({ name: 'target', version: '1.0' })];
  const error = await failureOf(provisionAll(plans, context));
  expect(error.where).toBe('target');
  expect(processes.records.length).toBe(1);
  expect(living()).toBe(0);
});

test('kill, pause, resume and restart a node', async () => {
  const instance = await provision(instancePlan(), context);
  const [node] = instance.nodes;
  const control = node?.control;
  if (!node || !control) throw new Error('a provisioned node can be controlled');
  const firstPid = node.pid;

  await control.pause();
  expect(readProcess(firstPid ?? -1)?.state).toMatch(/^T/);
  control.resume();
  expect(await ask(instance, 'PING')).toBe('PONG');

  await control.kill();
  await expect(Connection.open(node.endpoint)).rejects.toMatchObject({ code: 'CONNECT' });

  await control.restart();
  expect(node.pid).not.toBe(firstPid);
  expect(await ask(instance, 'PING')).toBe('PONG');
  expect(processes.records.map((record) => record.endedAt !== undefined)).toEqual([true, false]);
});

test('a paused server is ended too', async () => {
  const instance = await provision(instancePlan(), context);
  await instance.nodes[0]?.control?.pause();
  await instance.stop();
  expect(living()).toBe(0);
});

test('keep: servers survive stop, and the text says how to reach and end them', async () => {
  const folder = join(runFolder, 'kept');
  const kept = await ProcessLedger.open(folder, { keep: true });
  const instance = await provision(instancePlan({ config: { requirepass: 'geheim' } }), {
    runFolder: folder,
    processes: kept,
  });
  await instance.stop();
  await kept[Symbol.asyncDispose]();
  expect(await ask(instance, 'PING')).toBe('PONG');
  const text = describeKept([instance], kept.records).join('\n');
  expect(text).toContain(`redis-cli -h 127.0.0.1 -p ${instance.primary().port} --askpass`);
  expect(text).toContain(`kill ${instance.nodes[0]?.pid}`);
  expect(text).not.toContain('geheim');
  for (const record of kept.records) await kept.end(record);
  expect(describeKept([instance], kept.records)).toEqual([]);
});
