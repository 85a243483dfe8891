/** Instances in containers: reachable at a stable address, paused, killed and restarted through the engine, and gone afterwards. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { parseInfo, textOf } from '../../../engine/resp/reply-text.ts';
import { ProcessLedger } from '../../../runner/provision/process-ledger.ts';
import type { ProvisionedInstance } from '../../../runner/provision/provisioner.ts';
import { provision } from '../../../runner/provision/registry.ts';
import { TEST_IMAGE, whyNoContainers } from '../../support/container-image.ts';
import { instancePlan } from './instance-plan.ts';

const reason = whyNoContainers();

describe.skipIf(reason !== undefined)(
  `containers${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    test('a primary and its replica: reachable, in sync, killed and started again at the same address', async () => {
      await using run = await Run.open();
      const instance = await run.provision({ image: TEST_IMAGE, replicas: 1, config: { maxmemory: '64mb' } });
      expect(instance).toMatchObject({ server: 'redis', provisioned: true });
      const [primary, replica] = instance.nodes;
      expect(await ask(instance, 'CONFIG', 'GET', 'maxmemory')).toBe('maxmemory 67108864');
      expect(await ask(instance, 'SET', 'key', 'value')).toBe('OK');
      await using other = await Connection.open(replica?.endpoint ?? instance.primary());
      expect(parseInfo(await other.call('INFO', 'replication'))).toMatchObject({
        role: 'slave',
        master_link_status: 'up',
      });
      const before = primary?.address;
      await primary?.control?.kill();
      await expect(ask(instance, 'PING')).rejects.toThrow('ECONNREFUSED');
      await primary?.control?.restart();
      expect(await ask(instance, 'PING')).toBe('PONG');
      expect(primary?.address).toBe(before);
    });

    test('one that is paused answers nothing, and can be ended all the same', async () => {
      await using run = await Run.open();
      const instance = await run.provision({ image: TEST_IMAGE });
      const [primary] = instance.nodes;
      await primary?.control?.pause();
      await using connection = await Connection.open(instance.primary(), { replyTimeoutMs: 300 });
      await expect(connection.call('PING')).rejects.toThrow('0.3 s');
      primary?.control?.resume();
      expect(await ask(instance, 'PING')).toBe('PONG');
      await primary?.control?.pause();
      await instance.stop();
      expect(ours()).toEqual([]);
    });

    test.each([
      [
        'a directive it does not know',
        { config: { maxmemry: '1mb' } },
        /refuses the directive 'maxmemry 1mb'/,
      ],
      ['a program it does not have', { binary: 'keydb-server' }, /keydb-server/],
      ['another version than the spec wants', { version: '99' }, /wants version 99/],
    ])('%s: said in words, and nothing is left', async (_name, fields, message) => {
      await using run = await Run.open();
      await expect(run.provision({ image: TEST_IMAGE, ...fields })).rejects.toThrow(message);
      expect(ours()).toEqual([]);
    });

    test('what a runner left that is gone is removed by the next one', async () => {
      const label = 'redis-sync.runner=999999999 1';
      const orphan = execFileSync('docker', ['create', '--label', label, TEST_IMAGE, 'redis-server'], {
        encoding: 'utf8',
      });
      await using run = await Run.open();
      await run.provision({ image: TEST_IMAGE });
      expect(all('label=redis-sync.runner')).not.toContain(orphan.trim());
    });
  },
);

test('without an engine: said in words', async () => {
  await using run = await Run.open({ DOCKER_HOST: 'unix:///nowhere/docker.sock' });
  await expect(run.provision({ image: TEST_IMAGE })).rejects.toThrow(
    /No container engine answers at unix:\/\/\/nowhere\/docker\.sock/,
  );
});

class Run implements AsyncDisposable {
  readonly #folder: string;
  readonly #processes: ProcessLedger;
  readonly #env: NodeJS.ProcessEnv;
  readonly #instances: ProvisionedInstance[] = [];

  private constructor(folder: string, processes: ProcessLedger, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#processes = processes;
    this.#env = env;
  }

  static async open(env: NodeJS.ProcessEnv = process.env): Promise<Run> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-container-'));
    return new Run(folder, await ProcessLedger.open(folder), env);
  }

  async provision(fields: Parameters<typeof instancePlan>[0]): Promise<ProvisionedInstance> {
    const context = { runFolder: this.#folder, processes: this.#processes, env: this.#env };
    const instance = await provision(instancePlan(fields), context);
    this.#instances.push(instance);
    return instance;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.#instances) await instance.stop();
    await this.#processes[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

async function ask(instance: ProvisionedInstance, ...command: string[]): Promise<string> {
  await using connection = await Connection.open(instance.primary());
  return textOf(await connection.call(...command));
}

function all(filter: string): string[] {
  const output = execFileSync('docker', ['ps', '-aq', '--no-trunc', '--filter', filter], {
    encoding: 'utf8',
  });
  return output.split('\n').filter((id) => id !== '');
}

/** Containers of this process. */
function ours(): string[] {
  return all('label=redis-sync.runner').filter((id) =>
    execFileSync('docker', ['inspect', '-f', '{{index .Config.Labels "redis-sync.runner"}}', id], {
      encoding: 'utf8',
    }).startsWith(`${process.pid} `),
  );
}
