/** For every check: a good run it must pass, and known-bad runs it must catch. */
import { describe, expect, test } from 'vitest';
import type { Evidence, LaneAccount } from '../../../reports/evidence.ts';
import type { RunEventBody } from '../../../reports/events.ts';
import { newFinding } from '../../../reports/findings.ts';
import type { CheckContext } from '../../../scenarios/checks/check.ts';
import type { CheckResult } from '../../../reports/results.ts';
import { CHECKS } from '../../../scenarios/checks/registry.ts';
import {
  EVIDENCE,
  evidence,
  ledgerOn,
  rings,
  server,
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

/** The good run with events exchanged: those `replace` matches, for others. */
function exchanged(replace: (body: RunEventBody) => boolean, ...by: RunEventBody[]): Partial<CheckContext> {
  const bodies: RunEventBody[] = [];
  let isIn = false;
  for (const body of [...SYNCED, ...EVIDENCE]) {
    if (!replace(body)) bodies.push(body);
    else if (!isIn) {
      bodies.push(...by);
      isIn = true;
    }
  }
  return { events: historyOf(...bodies, ...(isIn ? [] : by)) };
}
const isAbout =
  (about: Evidence['about'], instance?: string, moment?: string) =>
  (body: RunEventBody): boolean =>
    body.kind === 'evidence' &&
    body.evidence.about === about &&
    (instance === undefined || ('instance' in body.evidence && body.evidence.instance === instance)) &&
    (moment === undefined || ('moment' in body.evidence && body.evidence.moment === moment));
/** A ledger reading with this lane changed. */
const ledgerWith = (instance: string, changes: Partial<LaneAccount>): Partial<CheckContext> =>
  exchanged(isAbout('ledger', instance), ledgerOn(instance, changes));
const bothWith = (changes: Partial<LaneAccount>): RunEventBody[] => [
  ledgerOn('source', changes),
  ledgerOn('target', changes),
];
const unread = (what: Evidence['about']): RunEventBody =>
  evidence({ about: 'unread', what, instance: 'target', reason: 'gone' });
/** What the target still gets, in a run in which slots moved and keys expired. */
const remembered = (commands: Record<string, number>): Partial<CheckContext> => ({
  ...exchanged(
    isAbout('server', 'target', 'still-quiet'),
    server('target', 'still-quiet', { commands, numbers: { expired_keys: 2 } }),
  ),
  findings: [newFinding('TOPOLOGY_CHANGED', 'slots move')],
});
const added = (...bodies: RunEventBody[]): Partial<CheckContext> => exchanged(() => false, ...bodies);
const flushStep = { id: 'plant', fault: 'flush', optional: false, dataLoss: 'target' } as const;
const flushed: RunEventBody = {
  kind: 'fault',
  step: 'plant',
  fault: 'flush',
  stage: 'effective',
  where: 'source',
};
const failover = { id: 'plant', fault: 'script', optional: false, dataLoss: 'source' } as const;
const state = (to: 'Initializing' | 'Retrying' | 'Synchronizing' | 'Finished'): RunEventBody => ({
  kind: 'link-state',
  link: 'main',
  from: 'Synchronizing',
  to,
  cause: 'reset',
});
const synced = (mode: 'full' | 'partial'): RunEventBody[] => [
  { kind: 'sync-started', link: 'main', mode, replid: 'a'.repeat(40), offset: '10', cause: 'reset' },
  { kind: 'sync-finished', link: 'main', mode, keys: 0, bytes: 0, durationMs: 1 },
];
const isEnd = (body: RunEventBody): boolean => body.kind === 'link-state' && body.to === 'Finished';
/** The good run with events before the link ended. */
const beforeEnd = (...bodies: RunEventBody[]): Partial<CheckContext> =>
  exchanged(isEnd, ...bodies, ...EVIDENCE.filter(isEnd));
const NO_LINKS: Partial<CheckContext> = { links: [], workload: [] };
const OTHER_LINK = { ...LINK, link: 'other', target: 'second' };

/** A failover in which the source lost two acknowledged writes, and the target with it. */
const LOST_AT_SOURCE: Partial<CheckContext> = {
  ...exchanged(isAbout('ledger'), fault('effective'), ...bothWith({ missing: [[3, 4]] })),
  steps: [failover],
};

/** What every check of the ledger says when there is none to judge by. */
const LEDGER_CASES: Case[] = [
  ['a good ledger', 'pass', {}],
  ['nobody wrote', 'skipped', NO_LINKS],
  ['nobody looked', 'unknown', exchanged(isAbout('ledger'))],
  ['it could not be read', 'unknown', exchanged(isAbout('ledger'), unread('ledger'))],
];

const ORACLE_CASES: Record<string, Case[]> = {
  convergence: [
    ['every link compared', 'pass', {}],
    ['nothing compared', 'unknown', { comparison: null }],
    ['one of two links compared', 'unknown', { links: [LINK, OTHER_LINK] }],
    [
      'a pair compared once',
      'pass',
      { links: [LINK, { ...OTHER_LINK, source: LINK.target, target: LINK.source }] },
    ],
    [
      'both together',
      'pass',
      {
        links: [LINK, { ...OTHER_LINK, source: 'source-2', target: 'target' }],
        comparison: {
          ...COMPARISON,
          counts: COMPARISON.counts.map((row) => ({ ...row, link: 'all-to-target' })),
          types: [],
          parts: [
            {
              links: ['main', 'other'],
              id: 'all-to-target',
              kind: 'union',
              sources: ['source', 'source-2'],
              target: 'target',
            },
          ],
        },
      },
    ],
    ['no links', 'skipped', NO_LINKS],
  ],
  'ledger-lost': [
    ...LEDGER_CASES,
    ['lost on the way', 'fail', ledgerWith('target', { missing: [[3, 4]] })],
    ['a counter that is behind', 'fail', ledgerWith('target', { kind: 'counter', missing: [[4, 4]] })],
    [
      'gone from both without a fault',
      'fail',
      exchanged(isAbout('ledger'), ...bothWith({ missing: [[3, 4]] })),
    ],
    [
      'lost by the source in a failover',
      'pass',
      {
        ...exchanged(isAbout('ledger'), fault('effective'), ...bothWith({ missing: [[3, 4]] })),
        steps: [failover],
      },
    ],
    [
      'the same, and more is missing on the target',
      'fail',
      {
        ...exchanged(
          isAbout('ledger'),
          fault('effective'),
          ledgerOn('source', { missing: [[3, 4]] }),
          ledgerOn('target', { missing: [[3, 5]] }),
        ),
        steps: [failover],
      },
    ],
    [
      'a fault that cannot lose data',
      'fail',
      {
        ...exchanged(isAbout('ledger'), fault('effective'), ...bothWith({ missing: [[3, 4]] })),
        steps: [{ ...failover, dataLoss: 'none' }],
      },
    ],
    [
      'a kind that never succeeded',
      'unknown',
      exchanged(isAbout('ledger'), ...bothWith({ kind: 'ring', ok: 0, failed: 3 })),
    ],
  ],
  'ledger-duplicated': [
    ...LEDGER_CASES,
    ['twice on the target', 'fail', ledgerWith('target', { duplicated: 1 })],
    ['twice on both', 'fail', exchanged(isAbout('ledger'), ...bothWith({ duplicated: 1 }))],
  ],
  'ledger-reordered': [
    ...LEDGER_CASES,
    ['another order on the target', 'fail', ledgerWith('target', { reordered: 1 })],
  ],
  'ledger-unexpected': [
    ...LEDGER_CASES,
    ['what nobody wrote', 'fail', ledgerWith('target', { unexpected: 1 })],
  ],
  'counter-bounds': [
    ...LEDGER_CASES,
    ['above what was sent', 'fail', ledgerWith('target', { kind: 'counter', duplicated: 2 })],
    ['on both sides', 'fail', exchanged(isAbout('ledger'), ...bothWith({ kind: 'counter', duplicated: 2 }))],
  ],
  'db-isolation': [
    ...LEDGER_CASES,
    ['in another database too', 'fail', ledgerWith('target', { strayDatabases: [4] })],
  ],
  'transaction-ring': [
    ...LEDGER_CASES,
    ['seen in part', 'fail', exchanged(isAbout('rings'), rings([1, 1, 1]), rings([2, 1, 1]))],
    ['a key not there', 'fail', exchanged(isAbout('rings'), rings([1, null, 1]))],
    ['in part at the end', 'fail', ledgerWith('target', { kind: 'ring', values: [2, 2, 1] })],
    [
      'in part while everything was copied again',
      'pass',
      added(state('Retrying'), rings([2, 1, 1]), state('Synchronizing'), rings([3, 3, 3])),
    ],
  ],
  monotone: [
    ['forward', 'pass', {}],
    ['no sequence read', 'skipped', exchanged(isAbout('rings'))],
    ['back', 'fail', added(rings([1, 1, 1]))],
    ['a key vanished', 'fail', added(rings([null, null, null]))],
    ['copied again, but nothing was lost', 'fail', added(...synced('full'), rings([1, 1, 1]))],
    [
      'the source lost data in a failover, and was copied again',
      'pass',
      { ...added(fault('effective'), ...synced('full'), rings([1, 1, 1])), steps: [failover] },
    ],
    [
      'the source was flushed, and nothing of it is left',
      'pass',
      { ...added(flushed, rings([null, null, null])), steps: [flushStep] },
    ],
    [
      'the source was flushed, but an older value is there',
      'fail',
      { ...added(flushed, rings([1, 1, 1])), steps: [flushStep] },
    ],
    [
      'a failover, and not copied again',
      'fail',
      { ...added(fault('effective'), rings([1, 1, 1])), steps: [failover] },
    ],
  ],
  'slot-placement': [
    ['no cluster', 'skipped', {}],
    [
      'every key in its place',
      'pass',
      added(evidence({ about: 'slots', instance: 't', node: 'n', keys: 5, misplaced: 0, samples: [] })),
    ],
    [
      'a key elsewhere',
      'fail',
      added(evidence({ about: 'slots', instance: 't', node: 'n', keys: 5, misplaced: 1, samples: ['"k"'] })),
    ],
    ['could not be read', 'unknown', added(unread('slots'))],
  ],
  'traffic-quiet': [
    ['heartbeats and checkpoints', 'pass', {}],
    ['nobody looked', 'unknown', exchanged(isAbout('server'))],
    [
      'a write',
      'fail',
      exchanged(
        isAbout('server', 'target', 'still-quiet'),
        server('target', 'still-quiet', { commands: { set: 501 } }),
      ),
    ],
    [
      'a hash written outside a transaction',
      'fail',
      exchanged(
        isAbout('server', 'target', 'still-quiet'),
        server('target', 'still-quiet', { commands: { hset: 102, exec: 101 } }),
      ),
    ],
    [
      'an echo to the source',
      'fail',
      exchanged(
        isAbout('server', 'source', 'still-quiet'),
        server('source', 'still-quiet', { commands: { rpush: 1 } }),
      ),
    ],
    [
      'a deletion',
      'fail',
      exchanged(
        isAbout('server', 'target', 'still-quiet'),
        server('target', 'still-quiet', { commands: { del: 1 } }),
      ),
    ],
    [
      'a deletion where keys expire',
      'pass',
      exchanged(
        isAbout('server', 'target', 'still-quiet'),
        server('target', 'still-quiet', { commands: { del: 1 }, numbers: { expired_keys: 2 } }),
      ),
    ],
    [
      'a deletion that is remembered where slots have moved',
      'pass',
      remembered({ del: 1, sadd: 1, srem: 1 }),
    ],
    ['more sets than deletions', 'fail', remembered({ del: 1, sadd: 2 })],
    ['a set where nothing has moved', 'fail', { ...remembered({ del: 1, sadd: 1 }), findings: [] }],
  ],
  'offset-accounting': [
    ['the bytes add up', 'pass', {}],
    ['bytes never read', 'fail', { links: [{ ...LINK, stream: { ...LINK.stream, bytes: 19_990 } }] }],
    ['bytes read twice', 'fail', { links: [{ ...LINK, stream: { ...LINK.stream, bytes: 20_010 } }] }],
    ['two snapshots', 'skipped', added(...synced('full'))],
    ['no end', 'skipped', exchanged(isEnd)],
    [
      'an engine that was killed, and its count with it',
      'skipped',
      {
        ...beforeEnd(state('Retrying'), state('Initializing'), ...synced('partial')),
        links: [{ ...LINK, stream: { ...LINK.stream, bytes: 500 } }],
      },
    ],
    [
      'an engine that does not count',
      'skipped',
      { links: [{ ...LINK, stream: { ...LINK.stream, bytes: 0 }, unmeasured: ['streamBytes'] }] },
    ],
  ],
  resync: [
    ['one full sync', 'pass', {}],
    ['a full resync without a fault', 'fail', added(...synced('full'))],
    [
      'a snapshot that was cut and fetched again',
      'pass',
      { events: historyOf(...synced('full').slice(0, 1), ...SYNCED, ...EVIDENCE) },
    ],
    ['a partial one without a fault', 'unknown', added(...synced('partial'))],
    ['one after a fault', 'pass', added(fault('effective'), ...synced('full'))],
    [
      'one that was expected',
      'pass',
      {
        ...added(...synced('full')),
        expect: [{ finding: 'FULL_RESYNC', count: { comparison: '=', value: 1 } }],
      },
    ],
    [
      'a storm after a fault',
      'fail',
      added(fault('effective'), ...Array.from({ length: 21 }, () => synced('full')).flat()),
    ],
    [
      'one that only the source speaks of',
      'fail',
      exchanged(
        isAbout('server', 'source', 'quiet'),
        server('source', 'quiet', { numbers: { sync_full: 2 } }),
      ),
    ],
  ],
  'error-accounting': [
    ['nothing refused', 'pass', {}],
    [
      'a refusal nobody reports',
      'fail',
      exchanged(isAbout('server', 'target', 'quiet'), server('target', 'quiet', { failures: { set: 1 } })),
    ],
    [
      'a refusal that is reported',
      'pass',
      {
        ...exchanged(
          isAbout('server', 'target', 'quiet'),
          server('target', 'quiet', { failures: { set: 1 } }),
        ),
        links: [{ ...LINK, errors: { OOM: 1 } }],
      },
    ],
    [
      'a transaction that was refused as a whole, and is reported once',
      'pass',
      {
        ...exchanged(
          isAbout('server', 'target', 'quiet'),
          server('target', 'quiet', { failures: { set: 5, incr: 3 } }),
        ),
        links: [{ ...LINK, errors: { READONLY: 1 } }],
      },
    ],
    [
      'a refusal whose answer was lost on a disturbed way',
      'pass',
      exchanged(
        (body) => body.kind === 'drained' || isAbout('server', 'target', 'quiet')(body),
        { kind: 'fault', step: 'cut', fault: 'reset-peer', stage: 'requested', where: 'link:main.target' },
        { kind: 'fault', step: 'cut', fault: 'reset-peer', stage: 'effective', where: 'link:main.target' },
        server('target', 'quiet', { failures: { lpush: 3 } }),
      ),
    ],
    [
      'the writes with which a fault proves that it bites',
      'pass',
      exchanged(
        (body) => body.kind === 'drained' || isAbout('server', 'target', 'quiet')(body),
        { kind: 'fault', step: 'oom', fault: 'target-oom', stage: 'requested', where: 'target' },
        { kind: 'fault', step: 'oom', fault: 'target-oom', stage: 'effective', where: 'target' },
        server('target', 'quiet', { failures: { set: 2 } }),
      ),
    ],
    [
      'a refused read, and the payloads a link tries',
      'pass',
      exchanged(
        isAbout('server', 'target', 'quiet'),
        server('target', 'quiet', { failures: { memory: 1, restore: 12 } }),
      ),
    ],
    [
      'a server that was started again',
      'skipped',
      exchanged(
        isAbout('server', 'target'),
        server('target', 'start', { numbers: { uptime_in_seconds: 900 } }),
        server('target', 'quiet', { numbers: { uptime_in_seconds: 3 } }),
      ),
    ],
  ],
  liveness: [
    ['alive', 'pass', {}],
    ['silent for six seconds', 'fail', silence(6000)],
    ['silent for four', 'pass', silence(4000)],
    ['silent in a fault', 'pass', silence(6000, fault('requested'), fault('effective'))],
  ],
  recovery: [
    ['never interrupted', 'skipped', {}],
    ['back at once', 'pass', beforeEnd(fault('effective'), state('Retrying'), state('Synchronizing'))],
    ['not back', 'fail', beforeEnd(fault('effective'), state('Retrying'))],
    ['back after two minutes', 'fail', late(120_000)],
    ['back two minutes later, the fault lasted as long', 'pass', late(120_000, fault('healed'))],
  ],
  'source-impact': [
    ['one fork for one sync', 'pass', {}],
    [
      'a fork nobody asked for',
      'fail',
      exchanged(
        isAbout('server', 'source', 'quiet'),
        server('source', 'quiet', { numbers: { total_forks: 2, sync_full: 1 } }),
      ),
    ],
    [
      'a source that saves itself',
      'pass',
      {
        ...exchanged(
          isAbout('server', 'source', 'quiet'),
          server('source', 'quiet', { numbers: { total_forks: 2, sync_full: 1 } }),
        ),
        selfSaving: ['source'],
      },
    ],
    [
      'an output buffer that ran over',
      'fail',
      exchanged(
        isAbout('server', 'source'),
        ...(['start', 'quiet'] as const).map((moment, index) =>
          server('source', moment, { numbers: { client_output_buffer_limit_disconnections: index } }),
        ),
      ),
    ],
    ['cut off before anybody asked', 'unknown', { ...exchanged(isAbout('server')), ended: false }],
  ],
  'log-patterns': [
    ['nothing', 'pass', {}],
    [
      'an unhandled error',
      'fail',
      added(evidence({ about: 'log-lines', file: 'replicator-source.log', lines: ['Uncaught'] })),
    ],
    [
      'a server that a fault brought down',
      'pass',
      added(
        fault('effective'),
        evidence({ about: 'log-lines', file: 'servers/source/primary/server.log', lines: ['crashed'] }),
      ),
    ],
    ['not looked through', 'unknown', exchanged(isAbout('log-lines'))],
    ['could not be looked through', 'unknown', added(unread('log-lines'))],
  ],
  leaks: [
    ['nothing', 'pass', {}],
    [
      'a connection',
      'fail',
      added(evidence({ about: 'leftovers', instance: 'target', clients: ['redis-sync:main'], keys: [] })),
    ],
    [
      'a key',
      'fail',
      added(evidence({ about: 'leftovers', instance: 'target', clients: [], keys: ['"redis-sync:tmp:1"'] })),
    ],
    ['a file', 'fail', added(evidence({ about: 'remains', processes: [], files: ['segment'] }))],
    ['a process', 'fail', added(evidence({ about: 'remains', processes: ['replicator source'], files: [] }))],
    ['nobody looked', 'unknown', exchanged(isAbout('remains'))],
    ['could not be asked', 'unknown', added(unread('leftovers'))],
    ['a fault took the server away', 'pass', added(fault('effective'), unread('leftovers'))],
  ],
};

/** The link says nothing for so long before its drain. */
function silence(ms: number, ...before: RunEventBody[]): Partial<CheckContext> {
  const events = historyOf(...before, ...SYNCED);
  return {
    events: events.map((event) => (event.kind === 'drained' ? { ...event, ms: event.ms + ms } : event)),
  };
}

/** Interrupted by a fault, and back after so long; `then` just before that. */
function late(ms: number, ...then: RunEventBody[]): Partial<CheckContext> {
  const events = historyOf(
    ...SYNCED,
    fault('requested'),
    fault('effective'),
    state('Retrying'),
    ...then,
    state('Synchronizing'),
  );
  const from = events.findIndex((event) => event.kind === 'link-state' && event.to === 'Retrying');
  return { events: events.map((event, index) => (index > from ? { ...event, ms: event.ms + ms } : event)) };
}

const CASES: Record<string, Case[]> = {
  ...ORACLE_CASES,
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
    ['a retried refusal of a link in sync', 'pass', { links: [{ ...LINK, errors: { OOM: 40, NOPERM: 1 } }] }],
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
  'expected-ledger': [
    ['nothing lost', 'pass', { expect: [{ ledger: 'lost', count: { comparison: '=', value: 0 } }] }],
    [
      'lost on the way',
      'fail',
      {
        ...ledgerWith('target', { missing: [[3, 4]] }),
        expect: [{ ledger: 'lost', count: { comparison: '<', value: 2 } }],
      },
    ],
    [
      'lost by the source itself, in a fault',
      'fail',
      {
        ...LOST_AT_SOURCE,
        expect: [{ ledger: 'lost', count: { comparison: '=', value: 0 } }],
      },
    ],
    [
      'as many as the spec allows',
      'pass',
      {
        ...LOST_AT_SOURCE,
        expect: [{ ledger: 'lost', count: { comparison: '<=', value: 2 } }],
      },
    ],
    ...(['duplicated', 'reordered', 'unexpected'] as const).map((ledger): Case => [
      ledger,
      'fail',
      {
        ...ledgerWith('target', { [ledger]: 1 }),
        expect: [{ ledger, count: { comparison: '=', value: 0 } }],
      },
    ]),
    [
      'nobody kept one',
      'unknown',
      { workload: [], expect: [{ ledger: 'lost', count: { comparison: '=', value: 0 } }] },
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
