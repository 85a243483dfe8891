/** A rehearsal from the command line to the exit code, on real servers. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAMILY_NAMES } from '../../../scenarios/workload/families.ts';
import { isAlive } from '../../../runner/provision/process-identity.mjs';
import { Workspace, type Verified } from './workspace.ts';

const FULL = {
  name: 'everything',
  seed: 42,
  instances: { source: { replicas: 1 }, target: { replicas: 1 } },
  topology: { kind: 'one-way', source: 'source', target: 'target' },
  data: [
    { database: 0, keys: 900, corners: true, ttl: { share: '20%', between: ['10m', '2h'] } },
    { database: 12, keys: 150, corners: true },
  ],
  workload: [
    {
      name: 'writers',
      databases: [0, 12],
      rate: '1500/s',
      mix: Object.fromEntries(FAMILY_NAMES.map((family) => [family, 1])),
      keyspace: 60,
    },
  ],
  incremental: '1500ms',
  expect: [{ check: 'counts' }, { finding: 'FULL_RESYNC', count: 0 }, { metric: 'lag_ms', p99: '< 60000' }],
  report: { formats: ['json', 'markdown', 'html', 'junit'] },
};

/** How the source makes its snapshots. */
const SOURCES: readonly [string, Record<string, string>][] = [
  ['diskless', { 'repl-diskless-sync': 'yes' }],
  ['disk-based', { 'repl-diskless-sync': 'no' }],
];

describe.each(SOURCES)('one source with a replica into one target, %s', (_name, config) => {
  let workspace: Workspace;
  let run: Verified;

  beforeAll(async () => {
    workspace = await Workspace.open();
    const spec = { ...FULL, instances: { ...FULL.instances, source: { replicas: 1, config } } };
    run = await workspace.verify(spec, '--json');
  });
  afterAll(() => workspace[Symbol.asyncDispose]());

  test('passes', () => {
    expect(run.results.checks.filter(({ verdict }) => verdict === 'fail' || verdict === 'unknown')).toEqual(
      [],
    );
    expect(run).toMatchObject({ exitCode: 0, results: { verdict: 'pass', exitCode: 0, error: null } });
  });

  test('--json prints the results document and nothing else on stdout', async () => {
    expect(run.out).toBe(await readFile(join(workspace.latest, 'results.json'), 'utf8'));
  });

  test('every family of commands was written and replicated', () => {
    const [workload] = run.results.workload;
    expect(workload).toMatchObject({ name: 'writers', failed: 0, unknown: 0, neverSucceeded: [] });
    expect(Object.keys(workload?.perCommand ?? {})).toEqual(
      expect.arrayContaining(['set', 'hset', 'rpush', 'zadd', 'xadd', 'pfadd', 'eval', 'fcall']),
    );
    expect(run.results.links[0]?.stream.transactions).toBeGreaterThan(0);
  });

  test('both databases were compared, whole', () => {
    const { comparison } = run.results;
    expect(comparison?.counts.map(({ database }) => database)).toEqual([0, 12]);
    expect(comparison?.keysCompared).toBeGreaterThan(1000);
    expect(new Set(comparison?.types.map(({ type }) => type))).toEqual(
      new Set(['hash', 'list', 'set', 'stream', 'string', 'zset']),
    );
    expect(comparison?.unverified).toEqual({});
  });

  test('the snapshot went the way the source was told', async () => {
    const log = await readFile(join(workspace.latest, 'servers/source/primary/server.log'), 'utf8');
    // The link's own sync is the last one of the log.
    expect(log.match(/with target: (\w+)/g)?.at(-1)).toBe(
      config['repl-diskless-sync'] === 'yes' ? 'with target: replicas' : 'with target: disk',
    );
  });

  test('the run folder is complete, and latest points to it', async () => {
    const { id } = run.results.run;
    expect(await readlink(workspace.latest)).toBe(join('runs', id));
    const files = await readdir(workspace.latest);
    expect(files).toEqual(
      expect.arrayContaining([
        'plan.json',
        'events.ndjson',
        'results.json',
        'processes.json',
        'replicator-source.log',
        'servers',
        'report.md',
        'report.html',
        'junit.xml',
      ]),
    );
    for (const file of Object.values(run.results.files)) expect(files).toContain(file);
    for (const node of ['source/primary', 'source/replica-0', 'target/primary', 'target/replica-0']) {
      const log = await readFile(join(workspace.latest, 'servers', node, 'server.log'), 'utf8');
      expect(log).toContain('Ready to accept connections');
    }
  });

  test('the history has every line, in order, and ends with the verdict', async () => {
    const lines = (await readFile(join(workspace.latest, 'events.ndjson'), 'utf8')).trimEnd().split('\n');
    const seqs = lines.map((line) => {
      const event: { seq: number } = JSON.parse(line);
      return event.seq;
    });
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(run.events.at(-1)).toMatchObject({ kind: 'verdict', verdict: 'pass', exitCode: 0 });
    const phases = run.events.flatMap((event) =>
      event.kind === 'phase' && event.status === 'finished' ? [event.phase] : [],
    );
    expect(phases).toEqual(['provision', 'precheck', 'seed', 'full-sync', 'incremental', 'settle', 'verify']);
    const stopped = run.events.flatMap((event) => (event.kind === 'instance-stopped' ? [event.address] : []));
    expect(new Set(stopped).size).toBe(4);
    expect(stopped).toHaveLength(4);
  });

  test('every process of the run was recorded and is gone', () => {
    const records = workspace.processes();
    expect(records.map(({ what }) => what).toSorted()).toEqual([
      'replicator source',
      'source.primary',
      'source.replica-0',
      'target.primary',
      'target.replica-0',
    ]);
    expect(records.filter((record) => isAlive(record))).toEqual([]);
    expect(records.filter(({ endedAt }) => endedAt === undefined)).toEqual([]);
    expect(workspace.strays()).toEqual([]);
  });
});

test('a person sees the phases on stderr and the verdict on stdout', async () => {
  await using workspace = await Workspace.open();
  const { exitCode, out, err } = await workspace.verify(seeded());
  expect(exitCode).toBe(0);
  expect(err).toMatch(/Rehearsing .*spec\.yaml \(seed 7\)/);
  const finished = [...err.matchAll(/^\S (\S+) +\d.*s/gm)].map(([, phase]) => phase);
  expect(finished).toEqual(['provision', 'precheck', 'seed', 'full-sync', 'incremental', 'settle', 'verify']);
  expect(out).toMatch(/PASS .*All \d+ keys are equal/);
  expect(out).toContain(join(workspace.out, 'runs'));
});

test('--quiet says nothing while it works', async () => {
  await using workspace = await Workspace.open();
  const { err, out } = await workspace.verify(seeded(), '--quiet');
  expect(err).toBe('');
  expect(out).toContain('PASS');
});

test('the same seed makes the same data, another seed other data', async () => {
  await using workspace = await Workspace.open();
  const digests: unknown[] = [];
  for (const seed of [7, 7, 8]) {
    const { events, exitCode } = await workspace.verify(seeded(), '--seed', String(seed));
    expect(exitCode).toBe(0);
    const effective = events.find((event) => event.kind === 'fault' && event.stage === 'effective');
    digests.push(effective?.kind === 'fault' ? effective.evidence?.['shown'] : undefined);
  }
  expect(digests[0]).toEqual([{ command: 'DEBUG DIGEST', reply: expect.stringMatching(/[0-9a-f]{40}/) }]);
  expect(digests[1]).toEqual(digests[0]);
  expect(digests[2]).not.toEqual(digests[0]);
});

test('several specs: each is rehearsed, and --json prints a list', async () => {
  await using workspace = await Workspace.open();
  const first = await workspace.write({ ...seeded(), name: 'first' }, 'first.yaml');
  const second = await workspace.write({ ...seeded(), name: 'second' }, 'second.yaml');
  const { exitCode, out } = await workspace.command(['verify', first, second, '--json']);
  expect(exitCode).toBe(0);
  const documents: { run: { name: string }; verdict: string }[] = JSON.parse(out);
  expect(documents.map(({ run, verdict }) => [run.name, verdict])).toEqual([
    ['first', 'pass'],
    ['second', 'pass'],
  ]);
});

/** Seeds, replicates, and asks the source for a digest of its data. */
function seeded(): Record<string, unknown> {
  return {
    name: 'seeded',
    seed: 7,
    instances: { source: {}, target: {} },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    data: [{ keys: 120, corners: true }],
    workload: [],
    engine: { heartbeat: 'off' },
    timeline: [
      {
        id: 'digest',
        fault: 'script',
        when: { phase: 'settle' },
        where: 'source',
        with: { commands: ['DEBUG DIGEST'] },
      },
    ],
    report: { formats: ['json'] },
  };
}
