/** Servers with `tls: true`: reached by TLS only, with certificates of their own; and what is said where that cannot be. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { describeKept } from '../../../runner/provision/kept.ts';
import { makeOwnCertificates } from '../../../runner/provision/own-certificates.ts';
import { ProcessLedger } from '../../../runner/provision/process-ledger.ts';
import type { ProvisionContext } from '../../../runner/provision/provisioner.ts';
import { provision } from '../../../runner/provision/registry.ts';
import { hasOpenssl } from '../../support/certificates.ts';
import { instancePlan } from './instance-plan.ts';

let runFolder = '';
let processes: ProcessLedger;
let context: ProvisionContext;

beforeEach(async () => {
  runFolder = await mkdtemp(join(tmpdir(), 'redis-sync tls-'));
  processes = await ProcessLedger.open(runFolder);
  context = { runFolder, processes };
});
afterEach(async () => {
  await processes[Symbol.asyncDispose]();
  await rm(runFolder, { recursive: true });
});

describe.skipIf(!(await hasOpenssl()))('a provisioned server with TLS', () => {
  test('has no port without it, its replicas follow by it, and one that is added later does too', async () => {
    const plan = instancePlan({ ownTls: true, replicas: 1, config: { requirepass: 'p q' } });
    await using instance = await provision(plan, context);
    expect(instance.capabilities.has('tls')).toBe(true);
    const [primary] = instance.nodes;
    if (primary === undefined) throw new Error('it has a primary');
    await instance.addReplica?.(primary);
    {
      await using connection = await Connection.open(primary.endpoint);
      expect(parseInfo(await connection.call('INFO', 'replication'))).toMatchObject({
        connected_slaves: '2',
      });
    }
    const { host, port } = primary.endpoint;
    await expect(Connection.open({ host, port, password: 'p q' })).rejects.toMatchObject({ code: 'CONNECT' });
    await primary.control?.restart();
    await using again = await Connection.open(primary.endpoint);
    expect(await again.call('PING')).toBe('PONG');
    const { caFile } = primary.endpoint.tls ?? {};
    expect(describeKept([instance], processes.records).join('\n')).toContain(`--tls --cacert ${caFile}`);
  });

  test('the authority signs nothing more: its key is gone', async () => {
    const folder = join(runFolder, 'certificates');
    await makeOwnCertificates({ instance: 'source', folder, host: 'localhost', env: process.env });
    const keys = (await readdir(folder)).filter((name) => name.endsWith('.key'));
    expect(keys).toEqual(['server.key']);
  });
});

test('without openssl it says what to install', async () => {
  const folder = join(runFolder, 'certificates');
  const made = makeOwnCertificates({ instance: 'source', folder, host: '127.0.0.1', env: { PATH: folder } });
  await expect(made).rejects.toMatchObject({
    code: 'PROVISION',
    where: 'source',
    hint: expect.stringContaining('apt-get install openssl'),
  });
});
