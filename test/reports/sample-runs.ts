/** Two runs as they are recorded: one in which everything that a report can show happened, and a quiet one. */
import type { RunEvent, RunEventBody } from '../../reports/events.ts';
import { collectFindings } from '../../reports/derived-findings.ts';
import { newFinding } from '../../reports/findings.ts';
import { faultsOf, phasesOf } from '../../reports/history.ts';
import type { Comparison, Difference, LinkResult, Results } from '../../reports/results.ts';

const START = Date.UTC(2024, 5, 11, 3, 12, 5);
const REPLID = '8de1787ba490483314a4d30f1c628bc5025eb761';

interface Moment {
  ms: number;
  body: RunEventBody;
}

function at(ms: number, body: RunEventBody): Moment {
  return { ms, body };
}

function inOrder(moments: Moment[]): RunEvent[] {
  return moments
    .toSorted((a, b) => a.ms - b.ms)
    .map(({ ms, body }, index) => ({ ...body, ms, at: new Date(START + ms).toISOString(), seq: index + 1 }));
}

function phase(name: Extract<RunEventBody, { kind: 'phase' }>['phase'], fromMs: number, toMs: number) {
  return [
    at(fromMs, { kind: 'phase', phase: name, status: 'started' }),
    at(toMs, { kind: 'phase', phase: name, status: 'finished' }),
  ];
}

/** A lag that spikes where the fault is. */
function progress(link: string, fromMs: number, toMs: number): Moment[] {
  const events: Moment[] = [];
  for (let ms = fromMs; ms <= toMs; ms += 500) {
    const spike = ms > 9000 && ms < 14_000 ? 900 * Math.exp(-(((ms - 11_500) / 1200) ** 2)) : 0;
    const lagMs = ms < 4500 ? null : 3 + ((ms / 500) % 3) + spike;
    events.push(
      at(ms, {
        kind: 'progress',
        link,
        phase: ms < 4500 ? 'full-sync' : 'incremental',
        keys: Math.min(52_410, (ms - fromMs) * 30),
        bytes: (ms - fromMs) * 2500,
        expectedKeys: 52_410,
        lagBytes: Math.round(spike * 900),
        lagMs,
      }),
    );
  }
  return events;
}

export const EVENTS: RunEvent[] = inOrder([
  at(0, { kind: 'run-started', spec: 'specs/one-way.yaml', seed: 20_240_611, version: '0.1.0' }),
  ...phase('provision', 1, 640),
  ...phase('precheck', 640, 812),
  ...phase('seed', 812, 2100),
  ...phase('full-sync', 2100, 4480),
  ...phase('incremental', 4480, 16_200),
  ...phase('settle', 16_200, 17_050),
  ...phase('verify', 17_050, 18_400),
  at(815, { kind: 'seeded', instance: 'source', keys: 50_000, bytes: 9_000_000, durationMs: 1280 }),
  at(2105, { kind: 'link-state', link: 'main', from: 'NotStarted', to: 'Initializing', cause: 'started' }),
  at(2110, {
    kind: 'sync-started',
    link: 'main',
    mode: 'full',
    replid: REPLID,
    offset: '14',
    cause: 'first sync',
  }),
  at(4470, {
    kind: 'sync-finished',
    link: 'main',
    mode: 'full',
    keys: 52_410,
    bytes: 8_812_345,
    durationMs: 2360,
  }),
  at(4471, {
    kind: 'link-state',
    link: 'main',
    from: 'Initializing',
    to: 'Synchronizing',
    cause: 'full sync done',
    replid: REPLID,
    offset: '14',
  }),
  at(2120, { kind: 'workload', name: 'writers', stage: 'started' }),
  ...progress('main', 2500, 16_000),
  at(9500, { kind: 'fault', step: 'slow-target', fault: 'script', where: 'target', stage: 'requested' }),
  at(9520, {
    kind: 'fault',
    step: 'slow-target',
    fault: 'script',
    where: 'target',
    stage: 'effective',
    evidence: { exitCode: 0 },
  }),
  at(13_520, { kind: 'fault', step: 'slow-target', fault: 'script', where: 'target', stage: 'healed' }),
  at(11_000, {
    kind: 'link-state',
    link: 'main',
    from: 'Synchronizing',
    to: 'Retrying',
    cause: 'connection lost',
  }),
  at(11_400, {
    kind: 'link-state',
    link: 'main',
    from: 'Retrying',
    to: 'Synchronizing',
    cause: 'partial resync',
  }),
  at(17_000, {
    kind: 'drained',
    link: 'main',
    sourceOffset: '4711815',
    appliedOffset: '4711815',
    durationMs: 300,
  }),
  at(17_010, { kind: 'fault', step: 'plant', fault: 'script', where: 'target', stage: 'requested' }),
  at(17_020, {
    kind: 'fault',
    step: 'plant',
    fault: 'script',
    where: 'target',
    stage: 'effective',
    evidence: { commands: 3 },
  }),
  at(17_030, {
    kind: 'fault',
    step: 'flush',
    fault: 'script',
    where: 'source',
    stage: 'never-fired',
    reason: 'the run settled first',
  }),
]);

export const LINK: LinkResult = {
  link: 'main',
  source: 'source',
  target: 'target',
  state: 'Synchronizing',
  fullSync: { keys: 52_410, bytes: 8_812_345, durationMs: 2360, count: 1 },
  stream: { commands: 23_771, bytes: 2_210_411, transactions: 412 },
  partialResyncs: 1,
  fullResyncs: 0,
  retries: 1,
  dropped: { ping: 2, heartbeat: 14, publish: 119, select: 0 },
  errors: {},
  lagMs: { p50: 1.2, p95: 4.9, p99: 840, max: 901, samples: 14 },
  peakRssBytes: 94_371_840,
  cpuSeconds: 1.8734,
};

const EXPIRY = Date.UTC(2024, 5, 11, 4);
const text = (key: string): string => Buffer.from(key, 'latin1').toString('base64');

export const DIFFERENCES: Difference[] = [
  {
    class: 'VALUE_MISMATCH',
    link: 'main',
    database: 0,
    key: '"user:17"',
    keyBase64: text('user:17'),
    source: { type: 'hash', length: 2, expireAtMs: null, text: '1) "name"\n2) "Ada"\n3) "age"\n4) "36"' },
    target: { type: 'hash', length: 2, expireAtMs: null, text: '1) "name"\n2) "Ada"\n3) "age"\n4) "37"' },
    detail: 'field "age": "36" ≠ "37"',
  },
  {
    class: 'MISSING_KEY',
    link: 'main',
    database: 12,
    key: '"bin:\\x00\\xff\'<script>alert(1)</script>"',
    keyBase64: text("bin:\x00\xff'<script>alert(1)</script>"),
    source: {
      type: 'string',
      length: 2048,
      expireAtMs: EXPIRY,
      text: '"\\x01\\x02<b>&"… (2,036 bytes more)',
    },
    target: null,
    detail: 'missing on the target',
  },
  {
    class: 'TTL_MISMATCH',
    link: 'main',
    database: 0,
    key: '"session 9"',
    keyBase64: text('session 9'),
    source: { type: 'string', length: 3, expireAtMs: EXPIRY, text: '"abc"', node: '127.0.0.1:6401' },
    target: { type: 'string', length: 3, expireAtMs: null, text: '"abc"', node: '127.0.0.1:6402' },
    detail: 'expires 2024-06-11T04:00:00.000Z on the source, never on the target',
  },
];

export const EQUAL: Comparison = {
  method: 'snapshot',
  rounds: 1,
  keysCompared: 54_120,
  bytesCompared: 9_412_345,
  durationMs: 1210,
  counts: [
    {
      link: 'main',
      database: 0,
      sourceKeys: 49_000,
      targetKeys: 49_000,
      sourceExpires: 9800,
      targetExpires: 9800,
    },
    {
      link: 'main',
      database: 12,
      sourceKeys: 5130,
      targetKeys: 5120,
      sourceExpires: 1010,
      targetExpires: 1000,
    },
  ],
  types: [
    { link: 'main', database: 0, type: 'string', compared: 30_000, equal: 30_000, different: 0 },
    { link: 'main', database: 12, type: 'string', compared: 3000, equal: 3000, different: 0 },
    { link: 'main', database: 0, type: 'hash', compared: 21_120, equal: 21_120, different: 0 },
  ],
  totals: { MISSING_KEY: 0, EXTRA_KEY: 0, TYPE_MISMATCH: 0, VALUE_MISMATCH: 0, TTL_MISMATCH: 0 },
  differences: [],
  unverified: {},
};

/** A quiet run that passed. */
export const PASSED: Results = {
  schemaVersion: 1,
  tool: { name: 'redis-sync', version: '0.1.0', node: 'v20.20.2' },
  run: {
    id: '20240611-031205-one-way',
    name: 'one-way',
    spec: 'specs/one-way.yaml',
    specSha256: 'ab'.repeat(32),
    seed: 20_240_611,
    startedAt: new Date(START).toISOString(),
    endedAt: new Date(START + 18_500).toISOString(),
    durationMs: 18_500,
    folder: '.redis-sync/runs/20240611-031205-one-way',
  },
  verdict: 'pass',
  summary:
    'All 54,120 keys are equal on source and target after copying 52,410 keys and streaming 23,771 commands.',
  exitCode: 0,
  instances: [
    {
      instance: 'source',
      kind: 'standalone',
      server: 'redis',
      version: '7.0.15',
      addresses: ['127.0.0.1:6401'],
      provisioned: true,
    },
    {
      instance: 'target',
      kind: 'standalone',
      server: 'valkey',
      version: '8.0.1',
      addresses: ['127.0.0.1:6402'],
      provisioned: true,
    },
  ],
  links: [LINK],
  precheck: [
    {
      id: 'conn.source',
      subject: 'source',
      verdict: 'PASS',
      measured: 'PING → PONG',
      expected: 'an answer',
      evidence: 'measured',
    },
    {
      id: 'version.pair',
      subject: 'main',
      verdict: 'PASS',
      measured: '7.0 → 8.0',
      expected: 'not older',
      evidence: 'measured',
    },
  ],
  phases: phasesOf(EVENTS),
  workload: [
    {
      name: 'writers',
      target: 'source',
      requestedRate: 2000,
      sent: 23_801,
      ok: 23_799,
      failed: 0,
      unknown: 2,
      perCommand: { set: { ok: 12_000, failed: 0 }, hset: { ok: 11_799, failed: 0 } },
    },
  ],
  comparison: EQUAL,
  checks: [
    {
      check: 'data-equal',
      verdict: 'pass',
      summary: 'All 54,120 keys are equal on both sides.',
      counts: { compared: 54_120 },
    },
    { check: 'counts', verdict: 'pass', summary: 'Equal in 2 databases.', counts: { databases: 2 } },
    { check: 'timeline-vacuity', verdict: 'skipped', summary: 'The timeline is empty.', counts: {} },
  ],
  findings: [],
  error: null,
  files: { results: 'results.json', history: 'events.ndjson', plan: 'plan.json', 'engine log': 'engine.log' },
};

const DIFFERENT: Comparison = {
  ...EQUAL,
  totals: { ...EQUAL.totals, VALUE_MISMATCH: 1, MISSING_KEY: 1, TTL_MISMATCH: 5 },
  differences: DIFFERENCES,
  unverified: { 'value over the size limit': 3 },
  types: EQUAL.types.map((row, index) =>
    index === 0 ? { ...row, equal: row.equal - 2, different: 2 } : row,
  ),
};

/** Everything a report can show. */
export const FAILED: Results = {
  ...PASSED,
  verdict: 'fail',
  summary:
    'Source and target differ: 1 key missing on the target, 1 key with another value, 5 keys with another expiry.',
  exitCode: 1,
  comparison: DIFFERENT,
  faults: faultsOf(EVENTS),
  precheck: [
    ...PASSED.precheck,
    {
      id: 'eviction.destination',
      subject: 'target',
      verdict: 'WARN',
      measured: 'CONFIG GET maxmemory-policy → volatile-lru',
      expected: 'noeviction',
      repair:
        'CONFIG SET maxmemory-policy noeviction on the target, or accept that keys can vanish without an error.',
      evidence: 'measured',
    },
    {
      id: 'tde',
      subject: 'target',
      verdict: 'UNKNOWN',
      measured: 'not declared',
      expected: 'off',
      evidence: 'declared',
    },
  ],
  checks: [
    {
      check: 'data-equal',
      verdict: 'fail',
      summary:
        'Source and target differ: 1 key missing on the target, 1 key with another value, 5 keys with another expiry.',
      counts: { compared: 54_120, different: 7 },
    },
    {
      check: 'timeline-vacuity',
      verdict: 'unknown',
      summary: 'Step flush never fired: the run settled first.',
      counts: { steps: 3 },
    },
    ...PASSED.checks.slice(1, 2),
    { check: 'heartbeat-leak', verdict: 'skipped', summary: 'No heartbeat was written.', counts: {} },
  ],
  findings: [
    ...collectFindings({ events: EVENTS, links: [LINK], comparison: DIFFERENT }),
    newFinding('EVICTION', 'evicted_keys grew by 4 on the target.', {
      subject: { instance: 'target' },
      evidence: { evicted_keys: 4 },
      count: 4,
    }),
  ],
  error: {
    code: 'TIMEOUT',
    message: 'Teardown of target did not finish within 10 s.',
    where: '127.0.0.1:6402',
    hint: 'The server was killed; nothing of it is needed any more.',
  },
};
