/** Ctrl-C in every phase, and the hard end of the runner: what there is gets judged, and everything that was started is gone. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { startServer } from '../../support/server.ts';
import { atSnapshot, holdAt, startProxy, type Tampering } from '../../support/tampering-proxy.ts';
import { CommandProcess } from './command-process.ts';
import { Workspace } from './workspace.ts';

const SPEC = {
  name: 'interrupted',
  instances: { source: {}, target: {} },
  topology: { kind: 'one-way', source: 'source', target: 'target' },
  data: [{ keys: 50 }],
  workload: [{ rate: '200/s', mix: { string: 1 } }],
  incremental: '10m',
  compare: { method: 'commands' },
  report: { formats: ['json', 'markdown'] },
};

describe('Ctrl-C', () => {
  test('while a server does not become ready', async () => {
    await using workspace = await Workspace.open();
    const binary = join(workspace.folder, 'sleeping-server');
    await writeFile(
      binary,
      '#!/bin/sh\n[ "$1" = --version ] && exec redis-server --version\nexec sleep 600\n',
    );
    await chmod(binary, 0o755);
    const spec = await workspace.write({ ...SPEC, instances: { source: { binary }, target: {} } });
    await using command = new CommandProcess(['verify', spec], workspace.out);
    while (workspace.processes().length < 2) await command.event(() => true);
    expect(await interrupt(command, workspace)).toEqual(interruptedIn('provision'));
  });

  const stalled: [string, 'source' | 'target', () => Tampering][] = [
    ['precheck', 'source', holdAt('DRYRUN')],
    ['seed', 'source', holdAt('data-1:')],
    ['full-sync', 'source', atSnapshot(() => 'hold')],
  ];
  test.each(stalled)('in %s, with a server that does not answer', async (phase, side, tamper) => {
    await using server = await startServer();
    await using proxy = await startProxy(server.endpoint, tamper);
    await using workspace = await Workspace.open();
    const instances = { ...SPEC.instances, [side]: { url: proxy.url, disposable: true } };
    const spec = await workspace.write({
      ...SPEC,
      instances,
      data: [{ into: 'source', keys: 50 }],
      workload: [],
    });
    await using command = new CommandProcess(['verify', spec], workspace.out);
    await Promise.race([proxy.bitten, command.event(() => false)]);
    expect(await interrupt(command, workspace)).toEqual(interruptedIn(phase));
  });

  test('in verify, with a server that does not answer', async () => {
    await using server = await startServer();
    const scans = holdAt('\r\nSCAN\r\n')();
    let armed = false;
    await using proxy = await startProxy(server.endpoint, () => ({
      request: (chunk) => (armed ? (scans.request?.(chunk) ?? chunk) : chunk),
    }));
    await using workspace = await Workspace.open();
    const go = join(workspace.out, 'go');
    // The full sync scans the target too: only what comes behind this step is held.
    const gate = { run: `while [ ! -e '${go}' ]; do sleep 0.05; done`, timeout: '50s' };
    const spec = await workspace.write({
      ...SPEC,
      instances: { ...SPEC.instances, target: { url: proxy.url, disposable: true } },
      workload: [],
      timeline: [{ id: 'gate', fault: 'script', when: { phase: 'settle' }, with: gate }],
    });
    await using command = new CommandProcess(['verify', spec], workspace.out);
    await command.event((event) => event.kind === 'fault' && event.stage === 'requested');
    armed = true;
    await writeFile(go, '');
    await Promise.race([proxy.bitten, command.event(() => false)]);
    expect(await interrupt(command, workspace)).toEqual(interruptedIn('verify'));
  });

  test('in incremental', async () => {
    await using workspace = await Workspace.open();
    await using command = new CommandProcess(['verify', await workspace.write(SPEC)], workspace.out);
    await command.event((event) => event.kind === 'progress' && event.phase === 'incremental');
    expect(await interrupt(command, workspace)).toEqual(interruptedIn('incremental'));
    expect((await workspace.results()).workload[0]?.sent).toBeGreaterThan(0);
  });

  test('in settle, while a step of the timeline runs', async () => {
    await using workspace = await Workspace.open();
    const timeline = [
      {
        id: 'long',
        fault: 'script',
        when: { phase: 'settle' },
        with: { run: 'sleep 600', timeout: '20m' },
      },
    ];
    const spec = await workspace.write({ ...SPEC, workload: [], timeline });
    await using command = new CommandProcess(['verify', spec], workspace.out);
    await command.event((event) => event.kind === 'fault' && event.stage === 'requested');
    expect(await interrupt(command, workspace)).toEqual(interruptedIn('settle'));
  });

  test('twice: at once, and still nothing stays', async () => {
    await using server = await startServer();
    await using proxy = await startProxy(
      server.endpoint,
      atSnapshot(() => 'hold'),
    );
    await using workspace = await Workspace.open();
    const spec = await workspace.write({
      ...SPEC,
      instances: { source: { url: proxy.url, disposable: true }, target: {} },
      data: [],
      workload: [],
    });
    await using command = new CommandProcess(['verify', spec], workspace.out);
    await Promise.race([proxy.bitten, command.event(() => false)]);
    command.interrupt();
    await command.said(/once more to stop at once/);
    command.interrupt();
    expect((await command.ended).code).toBe(130);
    expect(await workspace.gone()).toBe(true);
  });
});

test('Ctrl-C while comparing existing servers: 130, and no verdict', async () => {
  await using server = await startServer();
  {
    await using connection = await Connection.open(server.endpoint);
    await connection.call('SET', 'key', 'value');
  }
  await using proxy = await startProxy(server.endpoint, holdAt('\r\nSCAN\r\n'));
  await using workspace = await Workspace.open();
  const argv = ['compare', '--source', proxy.url, '--target', `redis://127.0.0.1:${server.port}`];
  await using command = new CommandProcess(argv, workspace.out);
  await Promise.race([proxy.bitten, command.event(() => false)]);
  expect(await interrupt(command, workspace)).toEqual(interruptedIn('verify'));
});

test('SIGTERM: 143', async () => {
  await using workspace = await Workspace.open();
  await using command = new CommandProcess(['verify', await workspace.write(SPEC)], workspace.out);
  await command.phase('incremental');
  command.kill('SIGTERM');
  expect(await command.ended).toEqual({ code: 143, signal: null });
  expect(await workspace.results()).toMatchObject({ verdict: 'unknown', exitCode: 143 });
  expect(workspace.strays()).toEqual([]);
});

test.each(['seed', 'full-sync', 'incremental'])(
  'the runner is killed in %s: nothing stays',
  async (phase) => {
    await using workspace = await Workspace.open();
    const spec = await workspace.write({
      ...SPEC,
      instances: { source: { config: { 'rdb-key-save-delay': 20_000 } }, target: {} },
      data: [{ keys: phase === 'seed' ? 200_000 : 50 }],
    });
    await using command = new CommandProcess(['verify', spec], workspace.out);
    await command.phase(phase);
    expect(workspace.strays().length).toBeGreaterThan(0);
    command.kill('SIGKILL');
    expect((await command.ended).signal).toBe('SIGKILL');
    expect(await workspace.gone()).toBe(true);
    // The replicator is no child of the watchdog: it goes because nobody is there to talk to.
    while (command.groupLives) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(command.groupLives).toBe(false);
  },
);

/** Presses Ctrl-C; resolves with everything that must be as it should. */
async function interrupt(command: CommandProcess, workspace: Workspace): Promise<object> {
  command.interrupt();
  const ended = await command.ended;
  const { verdict, exitCode, error, phases } = await workspace.results();
  return {
    ended,
    strays: workspace.strays(),
    groupLives: command.groupLives,
    results: { verdict, exitCode, error: error?.code },
    lastPhase: phases.at(-1)?.phase,
    statuses: [...new Set(phases.map(({ status }) => status))].at(-1),
    interruptions: command.events().filter((event) => event.kind === 'interrupted').length,
    saysSo: /interrupted by SIGINT/.test(command.out),
    saysPass: command.out.includes('PASS'),
  };
}

function interruptedIn(phase: string): object {
  return {
    ended: { code: 130, signal: null },
    strays: [],
    groupLives: false,
    results: { verdict: 'unknown', exitCode: 130, error: 'ABORTED' },
    lastPhase: phase,
    statuses: 'failed',
    interruptions: 1,
    saysSo: true,
    saysPass: false,
  };
}
