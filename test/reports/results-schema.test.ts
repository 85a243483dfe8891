import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { parseResults } from '../../reports/parse-results.ts';
import { RESULTS_SCHEMA } from '../../reports/results-schema.ts';
import type { Results } from '../../reports/results.ts';
import { FAILED, PASSED } from './sample-runs.ts';

const ajv = new Ajv({ strict: true, allErrors: true });
addFormats.default(ajv);
const validate = ajv.compile(RESULTS_SCHEMA);

/** A run that ended while provisioning: everything that can be absent is. */
const ENDED_EARLY: Results = {
  ...PASSED,
  verdict: 'unknown',
  instances: [],
  links: [],
  precheck: [],
  phases: [],
  workload: [],
  comparison: null,
  checks: [],
  error: { code: 'PROVISION', message: 'No redis-server was found.' },
};

/** Nothing optional is left out: a property added to the type is an error here until it is in the schema too. */
type Complete<T> = T extends readonly (infer Item)[]
  ? Complete<Item>[]
  : T extends object
    ? { [Name in keyof T]-?: Complete<Exclude<T[Name], undefined>> }
    : T;

const side = { type: 'string', length: 1, expireAtMs: 5, text: '"v"', node: '127.0.0.1:1' };
const COMPLETE: Complete<Results> = {
  schemaVersion: 1,
  tool: PASSED.tool,
  run: { ...PASSED.run, kept: true, chaos: 'rough' },
  verdict: 'fail',
  summary: 's',
  exitCode: 1,
  instances: [
    {
      instance: 'i',
      kind: 'k',
      server: 'redis',
      version: '7',
      addresses: ['a:1'],
      provisioned: true,
      tls: true,
      username: 'u',
    },
  ],
  engine: { driver: 'd', what: 'w', notes: ['n'] },
  links: FAILED.links.map((link) => ({
    handled: { translated: 1 },
    unmeasured: ['commands'],
    ...link,
  })),
  precheck: [
    {
      id: 'i',
      subject: 's',
      verdict: 'WARN',
      measured: 'm',
      expected: 'e',
      repair: 'r',
      evidence: 'declared',
    },
  ],
  phases: [{ phase: 'seed', startedMs: 0.5, durationMs: 1, status: 'failed', detail: 'd' }],
  workload: [
    {
      name: 'w',
      target: 't',
      requestedRate: 1,
      sent: 1,
      ok: 1,
      failed: 0,
      unknown: 0,
      perCommand: { set: { ok: 1, failed: 0, unknown: 0 } },
      scheduled: 1,
      shed: 0,
      reconnects: 0,
      errors: { ERR: 1 },
      latencyMs: { p50: 1, p95: 2, p99: 3, max: 4, samples: 5 },
      unsupported: ['set exat'],
      neverSucceeded: ['set exat'],
    },
  ],
  comparison: {
    method: 'm',
    methodReason: 'r',
    rounds: 1,
    keysCompared: 1,
    bytesCompared: 1,
    durationMs: 1,
    passMs: 1,
    counts: [{ link: 'l', database: 0, sourceKeys: 1, targetKeys: 1, sourceExpires: 0, targetExpires: 0 }],
    types: [{ link: 'l', database: 0, type: 'string', compared: 1, equal: 0, different: 1 }],
    totals: { MISSING_KEY: 0, EXTRA_KEY: 0, TYPE_MISMATCH: 0, VALUE_MISMATCH: 1, TTL_MISMATCH: 0 },
    differences: [
      {
        class: 'VALUE_MISMATCH',
        link: 'l',
        database: 0,
        key: '"k"',
        keyBase64: 'aw==',
        source: side,
        target: side,
        detail: 'd',
      },
    ],
    unverified: { timeout: 1 },
    transient: 0,
    expiredInFlight: 0,
    notRechecked: 0,
    warnings: ['w'],
    clockSkewMs: -1,
    parts: [
      {
        id: 'all-to-t',
        kind: 'union',
        sources: ['a', 'b'],
        target: 't',
        links: ['a-to-t', 'b-to-t'],
        shares: [{ link: 'a-to-t', instance: 'a', database: 0, keys: 1, expires: 0 }],
      },
    ],
  },
  checks: [{ check: 'c', verdict: 'skipped', summary: 's', counts: { n: 1 } }],
  findings: [
    {
      code: 'OOM',
      severity: 'error',
      message: 'm',
      subject: { instance: 'i', link: 'l', database: 0, key: 'k' },
      evidence: { any: ['thing'] },
      evidenceKind: 'simulated',
      action: 'wait',
      count: 2,
      causes: [{ code: 'FLUSH', message: 'm' }],
    },
  ],
  faults: FAILED.faults ?? [],
  error: { code: 'TIMEOUT', message: 'm', where: 'w', hint: 'h' },
  files: { results: 'results.json' },
};

test.each([
  ['a run with every property there is', COMPLETE],
  ['a run that passed', PASSED],
  ['a run with everything in it', FAILED],
  ['a run that ended early', ENDED_EARLY],
])('%s is valid, and is read back the same', (_name, results) => {
  validate(results);
  expect(validate.errors).toBeNull();
  expect(parseResults(JSON.stringify(results))).toEqual({ kind: 'results', results });
});

describe('refuses', () => {
  test.each<[string, unknown]>([
    ['another version', { ...PASSED, schemaVersion: 2 }],
    ['an unknown verdict', { ...PASSED, verdict: 'ok' }],
    ['a property nobody knows', { ...PASSED, extra: 1 }],
    ['a missing property', { ...PASSED, checks: undefined }],
    ['a nested property nobody knows', { ...PASSED, run: { ...PASSED.run, password: 'x' } }],
    ['a time that is none', { ...PASSED, run: { ...PASSED.run, startedAt: 'yesterday' } }],
    ['something else', []],
  ])('%s', (_name, value) => {
    const parsed = parseResults(JSON.stringify(value));
    expect(parsed).toMatchObject({ kind: 'invalid', problems: [expect.stringMatching(/^\/\S* \S/)] });
  });

  test('text that is not JSON', () => {
    expect(parseResults('{"schemaVersion": 1')).toMatchObject({ kind: 'invalid' });
  });
});
