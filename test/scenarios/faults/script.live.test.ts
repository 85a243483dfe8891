import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import type { FaultOutcome } from '../../../scenarios/faults/fault.ts';
import { script } from '../../../scenarios/faults/script.ts';
import type { Subjects } from '../../../scenarios/faults/subjects.ts';
import { systemClock } from '../../../scenarios/timeline/clock.ts';
import { NO_SUBJECTS } from '../no-subjects.ts';
import { startServer, type TestServer } from '../../support/server.ts';

const run = promisify(execFile);
let server: TestServer;
let connection: Connection;

beforeAll(async () => {
  server = await startServer({ requirepass: 's3cret/&' });
  connection = await Connection.open({ ...server.endpoint, password: 's3cret/&' });
});
beforeEach(async () => {
  await connection.call('FLUSHALL');
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});

function inject(
  parameters: Record<string, unknown>,
  options: { where?: string; signal?: AbortSignal; subjects?: Subjects; known?: string } = {},
): Promise<FaultOutcome> {
  const endpoint: Endpoint = { ...server.endpoint, password: 's3cret/&' };
  const injection = script.prepare({
    step: 'test',
    where: options.where,
    with: parameters,
    instances: new Map([[options.known ?? 'my-target.primary', endpoint]]),
    firing: 1,
    subjects: options.subjects ?? NO_SUBJECTS,
    goOn: () => undefined,
    emit: () => undefined,
    signal: options.signal ?? new AbortController().signal,
    clock: systemClock,
  });
  return injection.inject();
}

/** A process that has ended but was not yet collected by its parent (state Z) is not running. */
async function isRunning(pid: number): Promise<boolean> {
  expect(pid).toBeGreaterThan(1);
  const states = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return /^[^Z\s]/.test(states.stdout.trim());
}

describe('commands', () => {
  test('are sent in order to the database, lines and lists, binary too', async () => {
    const commands = ['RPUSH list "\\x00\\xff" b', ['SET', 'a "quoted" key', ''], 'LRANGE list 0 -1'];
    const outcome = await inject({ database: 3, commands }, { where: 'my-target.primary' });
    expect(outcome.effective).toBe(true);
    expect(outcome.evidence).toMatchObject({
      commands: 3,
      shown: [
        { command: 'RPUSH list "\\x00\\xff" b', reply: '(integer) 2' },
        { command: 'SET "a \\"quoted\\" key" ""', reply: 'OK' },
        { command: 'LRANGE list 0 -1', reply: '1) "\\x00\\xff"\n2) "b"' },
      ],
    });
    await connection.call('SELECT', '3');
    expect(await connection.call('LINDEX', 'list', '0')).toEqual(Buffer.from([0, 255]));
    expect(await connection.call('GET', 'a "quoted" key')).toEqual(Buffer.alloc(0));
    await connection.call('SELECT', '0');
  });

  test('go to the primary and the replica as they are now, in shell commands too', async () => {
    const password = 's3cret/&';
    await using heir = await startServer({ requirepass: password });
    await using onHeir = await Connection.open({ ...heir.endpoint, password });
    const nodes = [server, heir].map(({ endpoint, port }) => ({
      name: `node-${port}`,
      endpoint: { ...endpoint, password },
      address: `127.0.0.1:${port}`,
    }));
    const subjects: Subjects = {
      ...NO_SUBJECTS,
      instance: (name) => ({ name, kind: 'standalone', nodes: () => nodes, attendants: () => [] }),
    };
    await connection.call('REPLICAOF', '127.0.0.1', heir.port);
    try {
      await inject({ commands: ['SET key value'] }, { where: 'my-target.primary', subjects });
      expect(await onHeir.call('GET', 'key')).toEqual(Buffer.from('value'));
      const outcome = await inject({ run: 'echo "$REDIS_SYNC_MY_TARGET_PRIMARY_PORT"' }, { subjects });
      expect(outcome.evidence).toMatchObject({ stdout: `${heir.port}\n` });
      const replica = { known: 'my-target.replica(0)', subjects };
      const followed = await inject({ run: 'echo "$REDIS_SYNC_MY_TARGET_REPLICA_0_PORT"' }, replica);
      expect(followed.evidence).toMatchObject({ stdout: `${server.port}\n` });
      await connection.call('REPLICAOF', 'NO', 'ONE');
      await expect(
        inject({ commands: ['SET key value'] }, { ...replica, where: 'my-target.replica(0)' }),
      ).rejects.toThrow('There is no my-target.replica(0) now');
    } finally {
      await connection.call('REPLICAOF', 'NO', 'ONE');
    }
  });

  test('stop at the first error reply, which is the reason', async () => {
    const outcome = await inject(
      { commands: ['SET k v', 'LPUSH k v', 'SET k w'] },
      { where: 'my-target.primary' },
    );
    expect(outcome).toMatchObject({ effective: false, evidence: { commands: 2 } });
    expect(outcome.reason).toContain('WRONGTYPE');
    expect(await connection.call('GET', 'k')).toEqual(Buffer.from('v'));
  });

  test('to an unknown instance are refused with the known ones', async () => {
    await expect(inject({ commands: ['PING'] }, { where: 'nobody' })).rejects.toMatchObject({
      code: 'SPEC_INVALID',
      hint: 'Instances: my-target.primary.',
    });
  });
});

describe('run', () => {
  test('knows where the instances are, and its output is evidence without passwords', async () => {
    const command =
      'redis-cli --no-auth-warning -u "$REDIS_SYNC_MY_TARGET_PRIMARY_URL" SET from shell; echo $EXTRA $REDIS_SYNC_MY_TARGET_PRIMARY_URL';
    const outcome = await inject({ run: command, env: { EXTRA: 'extra' } });
    expect(outcome).toMatchObject({
      effective: true,
      evidence: { exitCode: 0, stdout: `OK\nextra redis://default:***@127.0.0.1:${server.port}\n` },
    });
    expect(await connection.call('GET', 'from')).toEqual(Buffer.from('shell'));
  });

  test('fails with a non-zero exit, and says what was printed', async () => {
    const outcome = await inject({ run: 'echo to-stdout; echo to-stderr >&2; exit 7' });
    expect(outcome).toMatchObject({
      effective: false,
      reason: 'the command exited with 7',
      evidence: { exitCode: 7, stdout: 'to-stdout\n', stderr: 'to-stderr\n' },
    });
  });

  test('keeps the end of a long output', async () => {
    const { evidence } = await inject({ run: 'seq 1 100000' });
    expect(String(evidence['stdout'])).toMatch(/^\(\d+ bytes before\)… [^]*\n99999\n100000\n$/);
    expect(String(evidence['stdout']).length).toBeLessThan(9000);
  });

  test('is ended with everything it started when its time is over', async () => {
    const outcome = await inject({ run: 'sleep 30 & echo $!; wait', timeout: '300ms' });
    expect(outcome).toMatchObject({ effective: false, reason: 'the command did not end within 300 ms' });
    expect(await isRunning(Number(outcome.evidence['stdout']))).toBe(false);
  });

  test('is ended when the run ends, also when that was before it began', async () => {
    const aborted = AbortSignal.abort(new Error('Ctrl-C'));
    expect(await inject({ run: 'sleep 30' }, { signal: aborted })).toMatchObject({
      effective: false,
      reason: 'the run ended first',
    });
    const controller = new AbortController();
    const running = inject({ run: 'sleep 30' }, { signal: controller.signal });
    controller.abort(new Error('Ctrl-C'));
    expect(await running).toMatchObject({ effective: false, reason: 'the run ended first' });
  });

  test('does not wait for what it left in the background, and ends it', async () => {
    const outcome = await inject({ run: 'sleep 30 & echo $!' });
    expect(outcome).toMatchObject({ effective: true, evidence: { exitCode: 0 } });
    expect(await isRunning(Number(outcome.evidence['stdout']))).toBe(false);
  });
});

describe('parameters', () => {
  test.each([
    {},
    { run: 'true', commands: ['PING'] },
    { commands: ['PING'] },
    { run: 'true', timeout: 'soon' },
  ])('%j is refused', (parameters) => {
    expect(() => inject(parameters)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }));
  });

  test.each([{ commands: 'PING' }, { commands: ['PING'], database: '1' }])(
    '%j to an instance is refused',
    (parameters) => {
      const aimed = () => inject(parameters, { where: 'my-target.primary' });
      expect(aimed).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }));
    },
  );
});
