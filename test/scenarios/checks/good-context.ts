/** A run in which everything went well; each test breaks one thing in it. */
import type { Evidence, EvidenceOf, LaneAccount, ServerMoment } from '../../../reports/evidence.ts';
import type { RunEvent, RunEventBody } from '../../../reports/events.ts';
import type { Comparison, Difference, LinkResult, WorkloadResult } from '../../../reports/results.ts';
import type { CheckContext } from '../../../scenarios/checks/check.ts';

/** Bodies with sequence numbers and times: one event per 100 ms. */
export function historyOf(...bodies: RunEventBody[]): RunEvent[] {
  return bodies.map((body, index) => ({
    ...body,
    seq: index + 1,
    at: new Date(Date.UTC(2024, 5, 11) + index * 100).toISOString(),
    ms: index * 100,
  }));
}

export const SYNCED: readonly RunEventBody[] = [
  { kind: 'seeded', instance: 'source', keys: 1000, bytes: 64_000, durationMs: 10 },
  { kind: 'link-state', link: 'main', from: 'NotStarted', to: 'Initializing', cause: 'started' },
  {
    kind: 'sync-started',
    link: 'main',
    mode: 'full',
    replid: 'a'.repeat(40),
    offset: '10',
    cause: 'first sync',
  },
  { kind: 'sync-finished', link: 'main', mode: 'full', keys: 1000, bytes: 64_000, durationMs: 100 },
  { kind: 'link-state', link: 'main', from: 'Initializing', to: 'Synchronizing', cause: 'full sync done' },
  { kind: 'drained', link: 'main', sourceOffset: '9000', appliedOffset: '9000', durationMs: 5 },
];

/** A list of ten acknowledged writes and a ring of three turns, as an instance has them. */
export function ledgerOn(instance: string, changes: Partial<LaneAccount> = {}): RunEventBody {
  const common = { database: 0, workload: 'writers', origin: 'source', failed: 0, unknown: 0 };
  const whole = { missing: [], duplicated: 0, reordered: 0, unexpected: 0, samples: [] };
  const list: LaneAccount = { lane: 'w:list', kind: 'list', ok: 10, ...common, ...whole };
  const ring: LaneAccount = { lane: 'w:ring', kind: 'ring', ok: 3, values: [2, 2, 2], ...common, ...whole };
  const counter: LaneAccount = {
    lane: 'w:counter',
    kind: 'counter',
    ok: 5,
    values: [5],
    ...common,
    ...whole,
  };
  const accounts = [list, ring, counter].map((each) =>
    (changes.kind ?? 'list') === each.kind ? { ...each, ...changes } : each,
  );
  return evidence({ about: 'ledger', instance, accounts });
}

export function rings(values: (number | null)[], instance = 'target'): RunEventBody {
  return evidence({ about: 'rings', instance, rings: { 'w:ring in db 0': values } });
}

export function evidence(body: Evidence): RunEventBody {
  return { kind: 'evidence', evidence: body };
}

type Server = EvidenceOf<'server'>;

export function server(
  instance: string,
  moment: ServerMoment,
  changes: Partial<Pick<Server, 'commands' | 'failures' | 'errors'>> & {
    numbers?: Record<string, number>;
  } = {},
): RunEventBody {
  const numbers = { primary: 1, total_forks: 0, sync_full: 0, expired_keys: 0, ...changes.numbers };
  const nothing = { commands: {}, failures: {}, errors: {}, acks: {} };
  return evidence({ about: 'server', instance, node: 'primary', moment, ...nothing, ...changes, numbers });
}

const SYNCED_ONCE = { numbers: { total_forks: 1, sync_full: 1 } };

/** What else is recorded of a good run: the ledger on both sides, quiet servers, nothing left. */
export const EVIDENCE: readonly RunEventBody[] = [
  server('source', 'start'),
  server('target', 'start'),
  rings([0, 0, 0]),
  rings([2, 2, 2]),
  server('source', 'quiet', SYNCED_ONCE),
  server('target', 'quiet', { commands: { set: 500, hset: 100, exec: 100 } }),
  server('source', 'still-quiet', { ...SYNCED_ONCE, commands: { setex: 1, info: 3 } }),
  server('target', 'still-quiet', { commands: { set: 500, hset: 101, exec: 101, info: 2 } }),
  ledgerOn('source'),
  ledgerOn('target'),
  {
    kind: 'link-state',
    link: 'main',
    from: 'Synchronizing',
    to: 'Finished',
    cause: 'stopped',
    offset: '20010',
  },
  evidence({ about: 'remains', processes: [], files: [] }),
  evidence({ about: 'log-lines', file: '.', lines: [] }),
  evidence({ about: 'leftovers', instance: 'source', clients: [], keys: [] }),
  evidence({ about: 'leftovers', instance: 'target', clients: [], keys: [] }),
];

export const LINK: LinkResult = {
  link: 'main',
  source: 'source',
  target: 'target',
  state: 'Synchronizing',
  fullSync: { keys: 1000, bytes: 64_000, durationMs: 100, count: 1 },
  stream: { commands: 500, bytes: 20_000, transactions: 5 },
  partialResyncs: 0,
  fullResyncs: 0,
  retries: 0,
  dropped: { ping: 3, heartbeat: 4 },
  errors: {},
  lagMs: { p50: 1, p95: 3, p99: 7, max: 9, samples: 40 },
  peakRssBytes: 90_000_000,
  cpuSeconds: 1.5,
};

export const COMPARISON: Comparison = {
  method: 'snapshot',
  rounds: 1,
  keysCompared: 1000,
  bytesCompared: 64_000,
  durationMs: 50,
  counts: [
    { link: 'main', database: 0, sourceKeys: 1000, targetKeys: 1000, sourceExpires: 100, targetExpires: 100 },
  ],
  types: [{ link: 'main', database: 0, type: 'string', compared: 1000, equal: 1000, different: 0 }],
  totals: { MISSING_KEY: 0, EXTRA_KEY: 0, TYPE_MISMATCH: 0, VALUE_MISMATCH: 0, TTL_MISMATCH: 0 },
  differences: [],
  unverified: {},
};

export const WORKLOAD: WorkloadResult = {
  name: 'writers',
  target: 'source',
  requestedRate: 100,
  sent: 500,
  ok: 500,
  failed: 0,
  unknown: 0,
  perCommand: { set: { ok: 400, failed: 0 }, incr: { ok: 100, failed: 0 } },
};

export function goodContext(changes: Partial<CheckContext> = {}): CheckContext {
  return {
    events: historyOf(...SYNCED, ...EVIDENCE),
    links: [LINK],
    comparison: COMPARISON,
    findings: [],
    workload: [WORKLOAD],
    steps: [],
    expect: [],
    heartbeat: { prefix: 'DTS_REDIS_TIMESTAMP_HEARTBEAT', keysOnTargets: 0 },
    error: null,
    ended: true,
    selfSaving: [],
    ...changes,
  };
}

export function difference(changes: Partial<Difference> = {}): Difference {
  return {
    class: 'VALUE_MISMATCH',
    link: 'main',
    database: 0,
    key: '"k"',
    keyBase64: 'aw==',
    source: { type: 'string', length: 1, expireAtMs: null, text: '"1"' },
    target: { type: 'string', length: 1, expireAtMs: null, text: '"2"' },
    detail: '"1" ≠ "2"',
    ...changes,
  };
}

/** A comparison with exactly these differences. */
export function differing(...differences: Difference[]): Comparison {
  const totals = { ...COMPARISON.totals };
  for (const item of differences) totals[item.class]++;
  return { ...COMPARISON, differences, totals };
}
