/**
 * Draft-07 JSON Schema of the results document, for consumers in other languages. It allows nothing that
 * reports/results.ts does not name; tests validate real documents against it.
 */
import { DIFFERENCE_CLASSES, LINK_FIGURES, RESULTS_SCHEMA_VERSION } from './results.ts';

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const number: Schema = { type: 'number' };
/** Milliseconds, also fractions. */
const ms: Schema = { type: 'number', minimum: 0 };
const moment: Schema = { type: 'string', format: 'date-time' };
const evidence: Schema = { type: 'object' };

function list(items: Schema): Schema {
  return { type: 'array', items };
}

function map(values: Schema): Schema {
  return { type: 'object', additionalProperties: values };
}

function nullable(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

function words(...values: readonly string[]): Schema {
  return { enum: values };
}

/** A closed object; a name that ends in `?` is optional. */
function object(properties: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(properties);
  return {
    type: 'object',
    additionalProperties: false,
    required: names.filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name.replace(/\?$/, ''), schema]),
    ),
  };
}

const verdict = words('pass', 'fail', 'unknown');
const severity = words('explained', 'notice', 'warning', 'error');
const evidenceKind = words('measured', 'simulated', 'declared');
const linkState = words(
  'NotStarted',
  'Initializing',
  'InitializeFailed',
  'Synchronizing',
  'Retrying',
  'Suspending',
  'Failed',
  'Finished',
  'Released',
);
const phase = words(
  'provision',
  'precheck',
  'seed',
  'full-sync',
  'incremental',
  'settle',
  'verify',
  'judge',
  'report',
  'teardown',
);

const run = object({
  id: text,
  name: text,
  spec: text,
  specSha256: text,
  seed: { type: 'integer' },
  'chaos?': text,
  startedAt: moment,
  endedAt: moment,
  durationMs: ms,
  folder: text,
  'kept?': flag,
});

const instance = object({
  instance: text,
  kind: text,
  server: text,
  version: text,
  addresses: list(text),
  provisioned: flag,
  'tls?': flag,
  'username?': text,
});

const link = object({
  link: text,
  source: text,
  target: text,
  state: linkState,
  fullSync: nullable(object({ keys: count, bytes: count, durationMs: ms, count })),
  stream: object({ commands: count, bytes: count, transactions: count }),
  partialResyncs: count,
  fullResyncs: count,
  retries: count,
  dropped: map(count),
  'handled?': map(count),
  errors: map(count),
  lagMs: nullable(object({ p50: number, p95: number, p99: number, max: number, samples: count })),
  peakRssBytes: count,
  cpuSeconds: { type: 'number', minimum: 0 },
  'unmeasured?': list(words(...LINK_FIGURES)),
});

const precheckRow = object({
  id: text,
  subject: text,
  verdict: words('PASS', 'WARN', 'FAIL', 'SKIP', 'UNKNOWN'),
  measured: text,
  expected: text,
  'repair?': text,
  evidence: evidenceKind,
});

const phaseResult = object({
  phase,
  startedMs: ms,
  durationMs: ms,
  status: words('finished', 'failed', 'skipped'),
  'detail?': text,
});

const workload = object({
  name: text,
  target: text,
  requestedRate: { type: 'number', minimum: 0 },
  sent: count,
  ok: count,
  failed: count,
  unknown: count,
  perCommand: map(object({ ok: count, failed: count, 'unknown?': count })),
  'scheduled?': count,
  'shed?': count,
  'reconnects?': count,
  'errors?': map(count),
  'latencyMs?': nullable(object({ p50: ms, p95: ms, p99: ms, max: ms, samples: count })),
  'unsupported?': list(text),
  'neverSucceeded?': list(text),
});

const side = object({
  type: text,
  length: count,
  expireAtMs: nullable(number),
  text,
  'node?': text,
});

const difference = object({
  class: words(...DIFFERENCE_CLASSES),
  link: text,
  database: count,
  key: text,
  keyBase64: text,
  source: nullable(side),
  target: nullable(side),
  detail: text,
});

const comparison = object({
  method: text,
  'methodReason?': text,
  rounds: count,
  keysCompared: count,
  bytesCompared: count,
  durationMs: ms,
  'passMs?': ms,
  counts: list(
    object({
      link: text,
      database: count,
      sourceKeys: count,
      targetKeys: count,
      sourceExpires: count,
      targetExpires: count,
    }),
  ),
  types: list(
    object({ link: text, database: count, type: text, compared: count, equal: count, different: count }),
  ),
  totals: object(Object.fromEntries(DIFFERENCE_CLASSES.map((name) => [name, count]))),
  differences: list(difference),
  unverified: map(count),
  'transient?': count,
  'expiredInFlight?': count,
  'notRechecked?': count,
  'warnings?': list(text),
  'clockSkewMs?': number,
  'parts?': list(
    object({
      id: text,
      kind: words('link', 'union', 'end-to-end'),
      sources: list(text),
      target: text,
      links: list(text),
      'shares?': list(object({ link: text, instance: text, database: count, keys: count, expires: count })),
    }),
  ),
});

const check = object({
  check: text,
  verdict: words('pass', 'fail', 'unknown', 'skipped'),
  summary: text,
  counts: map(number),
});

const finding = object({
  code: text,
  severity,
  message: text,
  subject: object({ 'instance?': text, 'link?': text, 'database?': count, 'key?': text }),
  evidence,
  evidenceKind,
  'action?': text,
  'count?': count,
  'causes?': list(object({ code: text, message: text })),
});

const fault = object({
  step: text,
  fault: text,
  where: nullable(text),
  requestedMs: nullable(ms),
  effectiveMs: nullable(ms),
  healedMs: nullable(ms),
  outcome: words('effective', 'failed', 'never-fired'),
  reason: nullable(text),
  evidence,
});

export const RESULTS_SCHEMA: Schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: `redis-sync-results-${RESULTS_SCHEMA_VERSION}.schema.json`,
  title: 'Results of a redis-sync run',
  ...object({
    schemaVersion: { const: RESULTS_SCHEMA_VERSION },
    tool: object({ name: { const: 'redis-sync' }, version: text, node: text }),
    run,
    verdict,
    summary: text,
    exitCode: count,
    instances: list(instance),
    'engine?': object({ driver: text, what: text, notes: list(text) }),
    links: list(link),
    precheck: list(precheckRow),
    phases: list(phaseResult),
    workload: list(workload),
    comparison: nullable(comparison),
    checks: list(check),
    findings: list(finding),
    'faults?': list(fault),
    error: nullable(object({ code: text, message: text, 'where?': text, 'hint?': text })),
    files: map(text),
  }),
};
