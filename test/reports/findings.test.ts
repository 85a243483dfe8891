import { describe, expect, test } from 'vitest';
import { collectFindings } from '../../reports/derived-findings.ts';
import type { RunEvent, RunEventBody } from '../../reports/events.ts';
import { FINDINGS, FINDING_CODES, bySeverity, findingKind, newFinding } from '../../reports/findings.ts';
import { DIFFERENCES, EQUAL, LINK } from './sample-runs.ts';

function historyOf(...bodies: RunEventBody[]): RunEvent[] {
  return bodies.map((body, index) => ({
    ...body,
    seq: index + 1,
    at: '2024-06-11T00:00:00.000Z',
    ms: index * 10,
  }));
}

const SYNC: RunEventBody = {
  kind: 'sync-started',
  link: 'main',
  mode: 'full',
  replid: 'r',
  offset: '1',
  cause: 'the backlog was outrun',
};
const codes = (sources: Partial<Parameters<typeof collectFindings>[0]>): string[] =>
  collectFindings({ events: [], links: [], comparison: null, ...sources }).map((finding) => finding.code);

describe('the catalogue', () => {
  test('has every code the requirements name', () => {
    const named =
      'COUNT_MISMATCH EXPIRED_GAP MISSING_KEY EXTRA_KEY TYPE_MISMATCH VALUE_MISMATCH TTL_MISMATCH LIST_DUPLICATED KEY_OVERLAP KEY_NOT_OWNED CONFLICT LOOP_ECHO HEARTBEAT_LEAK HEARTBEAT_LEFTOVER FLUSH EVICTION OOM CROSSSLOT UNSUPPORTED_COMMAND SCRIPT_UNVERIFIED FULL_RESYNC ENDPOINT_CHANGED TOPOLOGY_CHANGED CONFIG_DRIFT FOREIGN_WRITE NOT_DURABLE LAG LATENCY_UNRELIABLE OUT_OF_SCOPE DECLARED_ONLY';
    const own = [
      'APPLY_ERROR',
      'EXPIRY_LATE',
      'EXPIRY_AT_RISK',
      'CLOCK_SKEW',
      'IMPORT_MODE',
      'EXISTING_KEYS',
      'SOURCE_REGRESSED',
      'SPEC_CHANGED',
      'HEAL_FAILED',
      'SNAPSHOT_DISCARDED',
    ];
    expect(FINDING_CODES).toEqual([...named.split(' '), ...own]);
  });

  test.each(Object.entries(FINDINGS))('%s says what it means and what to do', (code, kind) => {
    expect(kind.meaning).toMatch(/^[A-Z].*\.$/);
    expect(kind.advice).toMatch(/^[A-Z].*\.$/);
    expect(findingKind(code)).toBe(kind);
  });

  test('does not know what is not in it', () => {
    expect(findingKind('NO_SUCH')).toBeNull();
    expect(findingKind('toString')).toBeNull();
  });
});

test('bySeverity puts the worst first and keeps the order otherwise', () => {
  const sorted = bySeverity([
    newFinding('EXPIRED_GAP', 'a'),
    newFinding('LAG', 'b'),
    newFinding('OOM', 'c'),
    newFinding('FLUSH', 'd'),
  ]);
  expect(sorted.map((finding) => finding.message)).toEqual(['c', 'd', 'b', 'a']);
});

describe('collectFindings', () => {
  test('of a good run: only the explained gap', () => {
    expect(codes({ links: [LINK], comparison: EQUAL, events: historyOf(SYNC) })).toEqual(['EXPIRED_GAP']);
  });

  test('the second full sync of a link is a resync, the first is not', () => {
    const findings = collectFindings({
      events: historyOf(SYNC, { ...SYNC, link: 'other' }, SYNC),
      links: [],
      comparison: null,
    });
    expect(findings).toMatchObject([{ code: 'FULL_RESYNC', subject: { link: 'main' } }]);
    expect(findings[0]?.message).toContain('the backlog was outrun');
  });

  test('what the engine reported is not derived again, and repetitions are counted', () => {
    const reported: RunEventBody = {
      kind: 'finding',
      code: 'FULL_RESYNC',
      message: 'said by the engine',
      link: 'main',
    };
    const findings = collectFindings({
      events: historyOf(SYNC, SYNC, reported, reported),
      links: [],
      comparison: null,
    });
    expect(findings).toMatchObject([
      { code: 'FULL_RESYNC', message: 'said by the engine', count: 2, severity: 'warning' },
    ]);
  });

  test('keeps a code it does not know', () => {
    const findings = collectFindings({
      events: historyOf({ kind: 'finding', code: 'NEW', message: 'm' }),
      links: [],
      comparison: null,
    });
    expect(findings).toMatchObject([{ code: 'NEW', severity: 'warning' }]);
  });

  test('refusals that have a name', () => {
    expect(codes({ links: [{ ...LINK, errors: { OOM: 3, CROSSSLOT: 1, WRONGTYPE: 2 } }] })).toEqual([
      'OOM',
      'CROSSSLOT',
    ]);
  });

  test('keys without expiry that differ in number are a mismatch, not a gap', () => {
    const counts = [
      { link: 'main', database: 3, sourceKeys: 10, targetKeys: 10, sourceExpires: 5, targetExpires: 4 },
    ];
    const findings = collectFindings({ events: [], links: [], comparison: { ...EQUAL, counts } });
    expect(findings).toMatchObject([
      { code: 'COUNT_MISMATCH', count: 1, subject: { link: 'main', database: 3 } },
    ]);
    expect(findings[0]?.message).toBe(
      'Database 3 has 5 keys without expiry on the source and 6 keys on the target.',
    );
  });

  test('one finding per class of difference, with its number and an example', () => {
    const comparison = {
      ...EQUAL,
      counts: [],
      differences: DIFFERENCES,
      totals: { ...EQUAL.totals, VALUE_MISMATCH: 41 },
    };
    expect(collectFindings({ events: [], links: [], comparison })).toMatchObject([
      {
        code: 'VALUE_MISMATCH',
        count: 41,
        subject: { link: 'main' },
        evidence: { first: { key: '"user:17"' } },
      },
    ]);
  });
});
