/** For every check: a good run it must pass, and known-bad runs it must catch. */
import { describe, expect, test } from 'vitest';
import type { RunEventBody } from '../../../reports/events.ts';
import { newFinding } from '../../../reports/findings.ts';
import type { CheckContext } from '../../../scenarios/checks/check.ts';
import type { CheckResult } from '../../../reports/results.ts';
import { CHECKS } from '../../../scenarios/checks/registry.ts';
import {
  COMPARISON,
  LINK,
  SYNCED,
  WORKLOAD,
  differing,
  difference,
  goodContext,
  historyOf,
} from './good-context.ts';

type Case = [what: string, verdict: CheckResult['verdict'], changes: Partial<CheckContext>];

const ttl = (source: number | null, target: number | null) =>
  difference({
    class: 'TTL_MISMATCH',
    source: { type: 'string', length: 1, expireAtMs: source, text: '"1"' },
    target: { type: 'string', length: 1, expireAtMs: target, text: '"1"' },
  });
const tolerance: CheckContext['expect'] = [{ check: 'data-equal', ttlToleranceMs: 1000 }];
const step = { id: 'plant', fault: 'script', optional: false, dataLoss: 'target' } as const;
const fault = (stage: 'requested' | 'effective' | 'failed' | 'never-fired' | 'healed'): RunEventBody => ({
  kind: 'fault',
  step: 'plant',
  fault: 'script',
  stage,
});
const without = (kind: RunEventBody['kind']): RunEventBody[] => SYNCED.filter((event) => event.kind !== kind);
const drained = (appliedOffset: string): RunEventBody => ({
  kind: 'drained',
  link: 'main',
  sourceOffset: '9000',
  appliedOffset,
  durationMs: 1,
});
const fullResync = newFinding('FULL_RESYNC', 'again', { subject: { link: 'main' } });

const CASES: Record<string, Case[]> = {
  'run-completed': [
    ['a whole run', 'pass', {}],
    ['interrupted', 'unknown', { events: historyOf(...SYNCED, { kind: 'interrupted', signal: 'SIGINT' }) }],
    ['ended by the environment', 'unknown', { error: { code: 'CONNECT', message: 'refused' } }],
    ['cut off', 'unknown', { ended: false }],
    ['ended by a policy', 'fail', { error: { code: 'POLICY', message: 'FLUSHALL seen' } }],
  ],
  'data-equal': [
    ['equal data', 'pass', {}],
    [
      'nothing on either side',
      'pass',
      { comparison: { ...COMPARISON, keysCompared: 0, counts: [] }, events: [], workload: [] },
    ],
    ['no comparison', 'unknown', { comparison: null }],
    ['a missing key', 'fail', { comparison: differing(difference({ class: 'MISSING_KEY', target: null })) }],
    ['an extra key', 'fail', { comparison: differing(difference({ class: 'EXTRA_KEY', source: null })) }],
    ['another type', 'fail', { comparison: differing(difference({ class: 'TYPE_MISMATCH' })) }],
    ['another value', 'fail', { comparison: differing(difference()) }],
    ['another expiry', 'fail', { comparison: differing(ttl(5000, 5001)) }],
    ['an expiry inside the tolerance', 'pass', { comparison: differing(ttl(5000, 6000)), expect: tolerance }],
    [
      'an expiry outside the tolerance',
      'fail',
      { comparison: differing(ttl(5000, 6001)), expect: tolerance },
    ],
    ['no expiry against one', 'fail', { comparison: differing(ttl(null, 1)), expect: tolerance }],
    [
      'more expiry differences than are listed',
      'fail',
      {
        comparison: { ...differing(ttl(5000, 5001)), totals: { ...COMPARISON.totals, TTL_MISMATCH: 2 } },
        expect: tolerance,
      },
    ],
    [
      'keys that could not be compared',
      'unknown',
      { comparison: { ...COMPARISON, unverified: { timeout: 1 } } },
    ],
    ['nothing compared, source counts keys', 'unknown', { comparison: { ...COMPARISON, keysCompared: 0 } }],
    [
      'nothing compared, source was seeded',
      'unknown',
      { comparison: { ...COMPARISON, keysCompared: 0, counts: [] }, workload: [] },
    ],
    ['fewer compared than counted', 'unknown', { comparison: { ...COMPARISON, keysCompared: 899 } }],
  ],
  counts: [
    ['equal counts', 'pass', {}],
    [
      'lingering expired keys',
      'pass',
      {
        comparison: {
          ...COMPARISON,
          counts: [
            {
              link: 'main',
              database: 0,
              sourceKeys: 1000,
              targetKeys: 990,
              sourceExpires: 100,
              targetExpires: 90,
            },
          ],
        },
      },
    ],
    [
      'a key without expiry is missing',
      'fail',
      {
        comparison: {
          ...COMPARISON,
          counts: [
            {
              link: 'main',
              database: 9,
              sourceKeys: 1000,
              targetKeys: 999,
              sourceExpires: 100,
              targetExpires: 100,
            },
          ],
        },
      },
    ],
    [
      'the same number of keys, but one lost its expiry',
      'fail',
      {
        comparison: {
          ...COMPARISON,
          counts: [
            {
              link: 'main',
              database: 0,
              sourceKeys: 1000,
              targetKeys: 1000,
              sourceExpires: 100,
              targetExpires: 99,
            },
          ],
        },
      },
    ],
    ['compared but not counted', 'unknown', { comparison: { ...COMPARISON, counts: [] } }],
    ['no comparison', 'unknown', { comparison: null }],
  ],
  'links-in-sync': [
    ['a drained link', 'pass', {}],
    [
      'applied past the offset that was asked',
      'pass',
      { events: historyOf(...without('drained'), drained('9014')) },
    ],
    ['one byte short', 'unknown', { events: historyOf(...without('drained'), drained('8999')) }],
    ['drained once, then not', 'unknown', { events: historyOf(...SYNCED, drained('8999')) }],
    ['never drained', 'unknown', { events: historyOf(...without('drained')) }],
    ['never synchronizing', 'unknown', { events: historyOf(...without('link-state')) }],
    ['failed', 'fail', { links: [{ ...LINK, state: 'Failed' }] }],
    [
      'failed because the source cannot be reached',
      'unknown',
      { links: [{ ...LINK, state: 'InitializeFailed' }], error: { code: 'CONNECT', message: 'refused' } },
    ],
    ['a second link that never started', 'unknown', { links: [LINK, { ...LINK, link: 'other' }] }],
    ['no links', 'skipped', { links: [] }],
  ],
  'drops-accounted': [
    ['no error replies', 'pass', {}],
    ['a refused command', 'fail', { links: [{ ...LINK, errors: { WRONGTYPE: 1 } }] }],
    ['a retried refusal of a link in sync', 'pass', { links: [{ ...LINK, errors: { OOM: 40 } }] }],
    [
      'a retried refusal of a link that never drained',
      'fail',
      { links: [{ ...LINK, errors: { OOM: 40 } }], events: historyOf(...without('drained')) },
    ],
    [
      'nothing applied',
      'skipped',
      { links: [{ ...LINK, fullSync: null, stream: { commands: 0, bytes: 0, transactions: 0 } }] },
    ],
    ['no links', 'skipped', { links: [] }],
  ],
  'heartbeat-leak': [
    ['none on the target', 'pass', {}],
    ['one on the target', 'fail', { heartbeat: { prefix: 'DTS_', keysOnTargets: 1 } }],
    [
      'one in the differences',
      'fail',
      {
        comparison: differing(
          difference({ class: 'EXTRA_KEY', key: '"DTS_REDIS_TIMESTAMP_HEARTBEAT:main"' }),
        ),
      },
    ],
    ['reported by the engine', 'fail', { findings: [newFinding('HEARTBEAT_LEAK', 'seen')] }],
    ['nobody looked', 'unknown', { heartbeat: { prefix: 'DTS_', keysOnTargets: null } }],
    ['heartbeat off', 'skipped', { heartbeat: null }],
  ],
  'unexpected-findings': [
    ['none', 'pass', {}],
    ['only a warning', 'pass', { findings: [fullResync] }],
    ['an error', 'fail', { findings: [newFinding('OOM', 'no memory')] }],
    [
      'an error that is expected',
      'pass',
      {
        findings: [newFinding('OOM', 'no memory')],
        expect: [{ finding: 'OOM', count: { comparison: '>=', value: 1 } }],
      },
    ],
  ],
  'expected-findings': [
    [
      'as often as expected',
      'pass',
      { findings: [fullResync], expect: [{ finding: 'FULL_RESYNC', count: { comparison: '<=', value: 1 } }] },
    ],
    [
      'too often',
      'fail',
      {
        findings: [{ ...fullResync, count: 2 }],
        expect: [{ finding: 'FULL_RESYNC', count: { comparison: '<=', value: 1 } }],
      },
    ],
    ['not at all', 'fail', { expect: [{ finding: 'FULL_RESYNC', count: { comparison: '=', value: 1 } }] }],
    [
      'on another link',
      'fail',
      {
        findings: [fullResync],
        expect: [{ finding: 'FULL_RESYNC', link: 'x', count: { comparison: '>', value: 0 } }],
      },
    ],
    [
      'an unknown code',
      'unknown',
      { expect: [{ finding: 'FULL_RESINK', count: { comparison: '<', value: 1 } }] },
    ],
  ],
  metrics: [
    [
      'inside',
      'pass',
      { expect: [{ metric: 'lag_ms', quantile: 'p95', limit: { comparison: '<', value: 4 } }] },
    ],
    [
      'outside',
      'fail',
      { expect: [{ metric: 'lag_ms', quantile: 'p99', limit: { comparison: '<', value: 7 } }] },
    ],
    [
      'outside on one of two links',
      'fail',
      {
        links: [LINK, { ...LINK, link: 'b', peakRssBytes: 3e8 }],
        expect: [{ metric: 'peak_rss_bytes', quantile: 'max', limit: { comparison: '<=', value: 2e8 } }],
      },
    ],
    [
      'no samples',
      'unknown',
      {
        links: [{ ...LINK, lagMs: null }],
        expect: [{ metric: 'lag_ms', quantile: 'p95', limit: { comparison: '<', value: 4 } }],
      },
    ],
    [
      'no links',
      'unknown',
      { links: [], expect: [{ metric: 'lag_ms', quantile: 'p95', limit: { comparison: '<', value: 4 } }] },
    ],
    [
      'an unknown metric',
      'unknown',
      { expect: [{ metric: 'speed', quantile: 'p95', limit: { comparison: '<', value: 4 } }] },
    ],
  ],
  'timeline-vacuity': [
    ['fired', 'pass', { steps: [step], events: historyOf(fault('requested'), fault('effective')) }],
    [
      'an optional step that did not',
      'pass',
      { steps: [{ ...step, optional: true }], events: historyOf(fault('never-fired')) },
    ],
    ['never fired', 'unknown', { steps: [step], events: historyOf(fault('never-fired')) }],
    ['no trace of it', 'unknown', { steps: [step], events: [] }],
    ['no effect', 'unknown', { steps: [step], events: historyOf(fault('requested'), fault('failed')) }],
    ['requested, then the run died', 'unknown', { steps: [step], events: historyOf(fault('requested')) }],
    [
      'effective once, then not',
      'unknown',
      {
        steps: [step],
        events: historyOf(fault('requested'), fault('effective'), fault('requested'), fault('failed')),
      },
    ],
    ['empty timeline', 'skipped', {}],
  ],
  'workload-vacuity': [
    ['every kind succeeded', 'pass', {}],
    ['sent nothing', 'unknown', { workload: [{ ...WORKLOAD, sent: 0, ok: 0, perCommand: {} }] }],
    ['nothing succeeded', 'unknown', { workload: [{ ...WORKLOAD, ok: 0, failed: 500 }] }],
    [
      'one kind never succeeded',
      'unknown',
      { workload: [{ ...WORKLOAD, perCommand: { set: { ok: 9, failed: 0 }, fcall: { ok: 0, failed: 9 } } }] },
    ],
    ['one variant never succeeded', 'unknown', { workload: [{ ...WORKLOAD, neverSucceeded: ['set exat'] }] }],
    ['no workload', 'skipped', { workload: [] }],
  ],
};

test('every check of the registry has cases, good and bad', () => {
  expect(Object.keys(CASES).toSorted()).toEqual(CHECKS.map((check) => check.name).toSorted());
  for (const cases of Object.values(CASES)) {
    expect(cases.some(([, verdict]) => verdict === 'pass')).toBe(true);
    expect(cases.some(([, verdict]) => verdict === 'fail' || verdict === 'unknown')).toBe(true);
  }
});

describe.each(CHECKS.map((check) => [check.name, check] as const))('%s', (name, check) => {
  test.each(CASES[name] ?? [])('%s: %s', (_what, verdict, changes) => {
    const results = check.judge(goodContext(changes));
    expect(results.map((item) => item.verdict)).toEqual([verdict]);
    expect(results[0]?.summary).toMatch(/^\S.*\.$/s);
  });
});
