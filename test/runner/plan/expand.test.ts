/** Plans: every default, every expansion, and that a plan printed as YAML is a spec of the same plan. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_ENGINE_OPTIONS } from '../../../engine/link/options.ts';
import { DEFAULT_MIX } from '../../../scenarios/workload/mix.ts';
import { describePlan } from '../../../runner/plan/describe.ts';
import type { Plan } from '../../../runner/plan/plan.ts';
import { loadSpec } from '../../../runner/spec/load.ts';
import { HEAD, planOf, withSource } from '../spec/problems.ts';

/** What must be the same after printing and reading. */
function withoutOrigin(plan: Plan): Plan {
  return { ...plan, spec: '', specSha256: '', topology: { kind: '' } };
}

test('the first spec, six lines, with every default', async () => {
  const outcome = await loadSpec('specs/minimal.yaml');
  if (outcome.kind === 'invalid') throw new Error('specs/minimal.yaml is invalid');
  const { specSha256, engine, workload, ...plan } = outcome.plan;
  expect(specSha256).toMatch(/^[0-9a-f]{64}$/);
  // Numbers of other rooms, which may be tuned.
  expect(engine).toEqual(DEFAULT_ENGINE_OPTIONS);
  expect(workload.map(({ mix }) => mix)).toEqual([DEFAULT_MIX]);
  expect(workload.map((one) => ({ ...one, mix: {} }))).toMatchInlineSnapshot(`
    [
      {
        "client": "direct",
        "clients": 4,
        "databases": [
          0,
          12,
        ],
        "into": [
          "source",
        ],
        "keyspace": 1000,
        "mix": {},
        "name": "load",
        "prefix": "load:",
        "ratePerSecond": 2000,
        "start": "full-sync",
      },
    ]
  `);
  expect(plan).toMatchInlineSnapshot(`
    {
      "compare": {
        "method": "auto",
        "rounds": 3,
        "ttlToleranceMs": 1000,
      },
      "data": [
        {
          "corners": true,
          "database": 0,
          "elements": {
            "median": 8,
            "p99": 600,
          },
          "into": [
            "source",
          ],
          "keys": 10000,
          "prefix": "data-1:",
          "ttl": {
            "betweenMs": [
              600000,
              7200000,
            ],
            "share": 0.1,
          },
          "types": {
            "bitmap": 2,
            "geo": 2,
            "hash": 15,
            "hyperloglog": 2,
            "list": 12,
            "set": 12,
            "stream": 3,
            "string": 40,
            "zset": 12,
          },
          "values": {
            "median": 64,
            "p99": 4096,
          },
        },
        {
          "corners": true,
          "database": 12,
          "elements": {
            "median": 8,
            "p99": 600,
          },
          "into": [
            "source",
          ],
          "keys": 500,
          "prefix": "data-2:",
          "ttl": {
            "betweenMs": [
              600000,
              7200000,
            ],
            "share": 0.1,
          },
          "types": {
            "bitmap": 2,
            "geo": 2,
            "hash": 15,
            "hyperloglog": 2,
            "list": 12,
            "set": 12,
            "stream": 3,
            "string": 40,
            "zset": 12,
          },
          "values": {
            "median": 64,
            "p99": 4096,
          },
        },
      ],
      "description": "",
      "driver": {
        "kind": "redis-sync",
      },
      "expect": [
        {
          "check": "data-equal",
          "ttlToleranceMs": 1000,
        },
      ],
      "incrementalMs": 5000,
      "instances": [
        {
          "binary": "",
          "capabilities": {},
          "config": {},
          "disposable": true,
          "kind": "standalone",
          "name": "source",
          "replicas": 0,
          "sentinels": 0,
          "shards": 1,
          "version": "",
        },
        {
          "binary": "",
          "capabilities": {},
          "config": {},
          "disposable": true,
          "kind": "standalone",
          "name": "target",
          "replicas": 0,
          "sentinels": 0,
          "shards": 1,
          "version": "",
        },
      ],
      "links": [
        {
          "id": "source-to-target",
          "source": "source",
          "target": "target",
        },
      ],
      "name": "minimal",
      "profile": "open",
      "report": {
        "formats": [
          "json",
          "markdown",
        ],
      },
      "seed": 1,
      "spec": "specs/minimal.yaml",
      "timeline": [],
      "topology": {
        "kind": "one-way",
      },
    }
  `);
});

describe('data and workload', () => {
  test('[] switches them off', () => {
    const plan = planOf(`${HEAD}data: []\nworkload: []\n`);
    expect([plan.data, plan.workload]).toEqual([[], []]);
  });

  test('without data the workload writes to database 0', () => {
    expect(planOf(`${HEAD}data: []\n`).workload[0]?.databases).toEqual([0]);
  });

  test('the default data stays inside the databases there are', () => {
    const plan = planOf(withSource('{ config: { databases: 4 } }'));
    expect(plan.data.map(({ database }) => database)).toEqual([0]);
    expect(plan.workload[0]?.databases).toEqual([0]);
  });

  test('existing endpoints get none by themselves', () => {
    const existing = withSource('{ url: "redis://h" }');
    expect(planOf(existing).data).toEqual([]);
    expect(planOf(existing).workload).toEqual([]);
    const disposable = withSource('{ url: "redis://h", disposable: true }');
    expect(planOf(disposable).data).toEqual([]);
    expect(planOf(`${disposable}data: [{}]\n`).data[0]?.into).toEqual(['source']);
  });

  test('what is written is read', () => {
    const plan = planOf(`${HEAD}data:
  - { into: [source], database: 3, keys: 7, types: { hash: 1 }, prefix: "p:", ttl: { share: 25%, between: [1s, 1m] },
      values: { median: 100, p99: 1kb }, elements: { median: 2, p99: 3 }, corners: true }
workload:
  - { name: w, rate: 90/min, clients: 2, start: incremental, mix: { set: 1 }, keyspace: 5 }
  - {}
incremental: 1m
`);
    expect(plan.data).toEqual([
      {
        into: ['source'],
        database: 3,
        keys: 7,
        types: { hash: 1 },
        prefix: 'p:',
        ttl: { share: 0.25, betweenMs: [1000, 60_000] },
        values: { median: 100, p99: 1024 },
        elements: { median: 2, p99: 3 },
        corners: true,
      },
    ]);
    expect(plan.workload[0]).toEqual({
      name: 'w',
      into: ['source'],
      databases: [3],
      ratePerSecond: 1.5,
      clients: 2,
      start: 'incremental',
      mix: { set: 1 },
      keyspace: 5,
      prefix: 'w:',
      client: 'direct',
    });
    expect(plan.workload[1]?.name).toBe('load-2');
    expect(plan.incrementalMs).toBe(60_000);
  });
});

test('instances: secrets stay references, files stay relative to the spec, directives become texts', () => {
  const env = { P: 'hunter2', HOST: '10.0.0.5' };
  const plan = planOf(
    `name: x
instances:
  a: { url: "rediss://u@\${HOST}:7000/", password: "\${P:?ask}", tls: { serverName: s, insecure: true }, capabilities: { tde: false } }
  b: { version: 7.0, replicas: 2, binary: ./valkey-server, config: { appendonly: true, hz: 10, save: "" } }
topology: { kind: one-way, source: a, target: b }
`,
    { env },
  );
  expect(plan.instances).toEqual([
    {
      name: 'a',
      kind: 'standalone',
      version: '',
      binary: '',
      replicas: 0,
      shards: 1,
      sentinels: 0,
      config: {},
      disposable: false,
      capabilities: { tde: false },
      url: 'rediss://10.0.0.5:7000',
      username: 'u',
      passwordEnv: 'P',
      tls: { serverName: 's', insecure: true },
    },
    {
      name: 'b',
      kind: 'standalone',
      version: '7.0',
      binary: './valkey-server',
      replicas: 2,
      shards: 1,
      sentinels: 0,
      config: { appendonly: 'yes', hz: '10', save: '' },
      disposable: true,
      capabilities: {},
    },
  ]);
  expect(JSON.stringify(plan)).not.toContain('hunter2');
});

test('an instance at several addresses, or where Sentinels say: still no secret, still as written', () => {
  const env = { P: 'hunter2' };
  const plan = planOf(
    `name: x
instances:
  a: { urls: ["redis://h", "redis://i:7000"], username: u, password: "\${P}" }
  b: { sentinel: { name: main, nodes: ["redis://h", "rediss://i:1"], username: s, password: "\${P}" }, tls: { serverName: n } }
topology: { kind: one-way, source: a, target: b }
`,
    { env },
  );
  expect(plan.instances).toMatchObject([
    { urls: ['redis://h:6379', 'redis://i:7000'], username: 'u', passwordEnv: 'P', disposable: false },
    {
      sentinel: {
        name: 'main',
        nodes: ['redis://h:26379', 'rediss://i:1'],
        username: 's',
        passwordEnv: 'P',
      },
      tls: { serverName: 'n' },
      disposable: false,
    },
  ]);
  expect(plan.instances[0]).not.toHaveProperty('url');
  expect(plan.data).toEqual([]);
  expect(JSON.stringify(plan)).not.toContain('hunter2');
});

test('engine, compare, expect, report', () => {
  const plan = planOf(`${HEAD.replace('target: {}', 'target: { replicas: 2 }')}engine:
  { memory: 1mb, disk: 1gb, envelope: { commands: 1, bytes: 2048 }, heartbeat: off, retry: 1m, idleTimeout: 2s,
    flush: ignore, swapdb: fail, publish: forward, scripts: fail, unsupported: skip, oom: fail, eviction: fail,
    foreignWrites: report, durability: { replicas: 2, timeout: 3s }, existing: merge, fullResync: reload, emptySource: follow,
    expiry: { grace: 2h, guard: 1m, importMode: set } }
compare: { method: commands, ttlTolerance: 2s, rounds: 5 }
expect:
  - { finding: FULL_RESYNC, link: source-to-target, count: "<= 1" }
  - { metric: lag_ms, p95: "< 1500", max: "< 9000" }
  - { check: counts }
report: { formats: [junit] }
`);
  expect(plan.engine).toEqual({
    logMemoryBytes: 1024 ** 2,
    logDiskBytes: 1024 ** 3,
    envelopeCommands: 1,
    envelopeBytes: 2048,
    heartbeatMs: 0,
    heartbeatPrefix: 'DTS_REDIS_TIMESTAMP_HEARTBEAT',
    flush: 'ignore',
    swapdb: 'fail',
    publish: 'forward',
    scripts: 'fail',
    unsupported: 'skip',
    oom: 'fail',
    eviction: 'fail',
    foreignWrites: 'report',
    crossSlot: 'fail',
    topologyChange: 'follow',
    conflict: 'overwrite',
    durability: { replicas: 2, timeoutMs: 3000 },
    existing: 'merge',
    fullResync: 'reload',
    emptySource: 'follow',
    expiry: { graceMs: 7_200_000, guardMs: 60_000, importMode: 'set' },
    retryMs: 60_000,
    idleTimeoutMs: 2000,
  });
  expect(plan.compare).toEqual({ method: 'commands', ttlToleranceMs: 2000, rounds: 5 });
  expect(plan.expect).toEqual([
    { check: 'data-equal', ttlToleranceMs: 2000 },
    { finding: 'FULL_RESYNC', link: 'source-to-target', count: { comparison: '<=', value: 1 } },
    { metric: 'lag_ms', quantile: 'p95', limit: { comparison: '<', value: 1500 } },
    { metric: 'lag_ms', quantile: 'max', limit: { comparison: '<', value: 9000 } },
    { check: 'counts' },
  ]);
  expect(plan.report).toEqual({ formats: ['junit'] });
});

test('data-equal is listed once, with its own tolerance if it has one', () => {
  expect(planOf(`${HEAD}expect: [{ check: data-equal, tolerance: { ttl: 3s } }]\n`).expect).toEqual([
    { check: 'data-equal', ttlToleranceMs: 3000 },
  ]);
});

const TIMELINE = `${HEAD}timeline:
  - { fault: script, where: target, with: { commands: ["SET a \${NONE:-1}"] }, at: 5s, for: 10s }
  - { id: half, fault: script, with: { run: "echo $\${PATH}" }, when: full-sync 50%, delay: 100ms, optional: true }
  - { fault: script, where: source, with: { commands: [[SET, k, v]] }, when: { link: source-to-target, phase: settle } }
  - { fault: script, where: source, with: { commands: [PING] }, after: half }
`;

test('steps', () => {
  expect(planOf(TIMELINE).timeline).toEqual([
    {
      id: 'step-1',
      fault: 'script',
      where: 'target',
      with: { commands: ['SET a 1'] },
      trigger: { atMs: 5000, delayMs: 0 },
      forMs: 10_000,
      optional: false,
    },
    {
      id: 'half',
      fault: 'script',
      with: { run: 'echo ${PATH}' },
      trigger: { when: { phase: 'full-sync', progress: { comparison: '>=', percent: 50 } }, delayMs: 100 },
      optional: true,
    },
    {
      id: 'step-3',
      fault: 'script',
      where: 'source',
      with: { commands: [['SET', 'k', 'v']] },
      trigger: { when: { link: 'source-to-target', phase: 'settle' }, delayMs: 0 },
      optional: false,
    },
    {
      id: 'step-4',
      fault: 'script',
      where: 'source',
      with: { commands: ['PING'] },
      trigger: { after: 'half', delayMs: 0 },
      optional: false,
    },
  ]);
});

test('the seed of the command line wins over the spec’s', () => {
  expect(planOf(HEAD).seed).toBe(1);
  expect(planOf(`${HEAD}seed: 5\n`).seed).toBe(5);
  expect(planOf(`${HEAD}seed: 5\n`, { seed: 7 }).seed).toBe(7);
});

describe('a plan as YAML', () => {
  const env = { P: 'hunter2' };

  test.each([
    ['the defaults', HEAD],
    ['a timeline', TIMELINE],
    [
      'a description with everything YAML minds',
      `${HEAD}description: "a: b # c $\${X} 'd'"
`,
    ],
    [
      'an existing endpoint',
      withSource('{ url: "rediss://u@[::1]:7000", password: "${P}", tls: { insecure: true } }'),
    ],
    [
      'several addresses',
      withSource(
        '{ urls: ["rediss://h", "rediss://[::1]:7000"], username: u, passwordFile: ../package.json, tls: { ca: ../LICENSE } }',
      ),
    ],
    [
      'Sentinels',
      withSource(
        '{ sentinel: { name: main, nodes: ["redis://h", "rediss://i:1"], password: "${P}" }, username: u, tls: {} }',
      ),
    ],
    [
      'odd numbers',
      `${HEAD}workload: [{ rate: 0.5/s }]\ndata: [{ ttl: { share: 33.3% }, values: { median: 1, p99: 1000 } }]\n`,
    ],
    [
      'expectations',
      `${HEAD}expect: [{ check: ledger, lost: 0, unexpected: "<= 2" }, { finding: OOM, count: 0 }, { finding: LAG, count: ">= 2" }, { metric: lag_ms, p99: "< 5" }]\n`,
    ],
    [
      'every policy that is not the default',
      `${HEAD.replace('target: {}', 'target: { replicas: 1 }')}engine: { flush: propagate, swapdb: fail, publish: forward, scripts: fail, unsupported: skip, oom: fail, eviction: fail, foreignWrites: ignore, durability: { replicas: 1 }, existing: overwrite, fullResync: fail, emptySource: follow }\n`,
    ],
    ['no heartbeat', `${HEAD}engine: { heartbeat: off }\ndata: []\nworkload: []\nreport: { formats: [] }\n`],
    ['servers with TLS', withSource('{ tls: true, replicas: 1 }')],
    [
      'configuration',
      withSource('{ version: 7.0, replicas: 1, config: { appendonly: true, save: "", maxmemory: 1mb } }'),
    ],
  ])('is a spec of the same plan: %s', (_, text) => {
    const plan = planOf(text, { env });
    expect(withoutOrigin(planOf(describePlan(plan), { env }))).toEqual(withoutOrigin(plan));
  });

  test('says where it comes from, and holds no secret', () => {
    const plan = planOf(withSource('{ url: "redis://h", password: "${P}" }'), { env });
    const text = describePlan(plan);
    expect(text).toContain('# The plan of specs/x.yaml: every default filled in');
    expect(text).toContain('password: "${P}"');
    expect(text).not.toContain('hunter2');
  });
});

test('scenarios are part of the plan, and of the plan as a spec', async () => {
  const plan = planOf(`${HEAD}scenarios: [flush-source, failover-source@source-to-target]\n`);
  expect(plan.scenarios).toEqual(['flush-source', 'failover-source@source-to-target']);
  expect(withoutOrigin(planOf(describePlan(plan)))).toEqual(withoutOrigin(plan));
  expect(planOf(HEAD).scenarios).toBeUndefined();
});
