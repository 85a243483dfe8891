/** Which findings explain which differences, and which must not. */
import { describe, expect, test } from 'vitest';
import { linkCauses } from '../../reports/causes.ts';
import { collectFindings } from '../../reports/derived-findings.ts';
import type { RunEvent } from '../../reports/events.ts';
import { newFinding, type FindingCode } from '../../reports/findings.ts';
import type { Comparison, DifferenceClass, Finding } from '../../reports/results.ts';
import { DIFFERENCES, EQUAL } from './sample-runs.ts';

const [EXAMPLE] = DIFFERENCES;

function comparisonOf(...differences: [name: DifferenceClass, database: number, key: string][]): Comparison {
  if (EXAMPLE === undefined) throw new Error('no example');
  return {
    ...EQUAL,
    differences: differences.map(([name, database, key]) => ({
      ...EXAMPLE,
      class: name,
      link: 'main',
      database,
      key: `"${key}"`,
      keyBase64: Buffer.from(key).toString('base64'),
    })),
  };
}

function finding(code: FindingCode, evidence: Record<string, unknown> = {}, link = 'main'): Finding {
  return newFinding(code, `${code} happened.`, { subject: { link }, evidence });
}

/** Codes of the causes of a difference found in database 3 under the key `k`. */
function causesOf(difference: DifferenceClass, ...others: Finding[]): string[] {
  const findings = [...others, newFinding(difference, 'differs')];
  const linked = linkCauses(findings, comparisonOf([difference, 3, 'k']));
  return (linked.at(-1)?.causes ?? []).map(({ code }) => code);
}

const sample = (key: string, database = 3) => ({
  key: `"${key}"`,
  keyBase64: Buffer.from(key).toString('base64'),
  database,
});

function flush(database: number): Finding {
  return finding('FLUSH', { command: 'FLUSHDB', policy: 'ignore', database });
}

function foreign(key: string, complete: boolean, database?: number): Finding {
  return finding('FOREIGN_WRITE', { samples: [sample(key, database)], complete });
}

describe('a difference names its causes', () => {
  test('keys left behind by a flush that did not reach the target', () => {
    expect(causesOf('EXTRA_KEY', finding('FLUSH', { command: 'FLUSHALL', policy: 'ignore' }))).toEqual([
      'FLUSH',
    ]);
    expect(causesOf('EXTRA_KEY', finding('FLUSH', { command: 'FLUSHALL', policy: 'fail' }))).toEqual([
      'FLUSH',
    ]);
    expect(causesOf('EXTRA_KEY', finding('FLUSH', { command: 'FLUSHALL', policy: 'propagate' }))).toEqual([]);
    expect(causesOf('MISSING_KEY', finding('FLUSH', { command: 'FLUSHALL', policy: 'ignore' }))).toEqual([]);
  });

  test('a FLUSHDB only in its own database', () => {
    expect(causesOf('EXTRA_KEY', flush(3))).toEqual(['FLUSH']);
    expect(causesOf('EXTRA_KEY', flush(0))).toEqual([]);
  });

  test('an eviction explains what is missing, not what is too much', () => {
    expect(causesOf('MISSING_KEY', finding('EVICTION'))).toEqual(['EVICTION']);
    expect(causesOf('EXTRA_KEY', finding('EVICTION'))).toEqual([]);
  });

  test('data that was there before explains what is too much where it was merged', () => {
    expect(causesOf('EXTRA_KEY', finding('EXISTING_KEYS', { policy: 'merge' }))).toEqual(['EXISTING_KEYS']);
    expect(causesOf('EXTRA_KEY', finding('EXISTING_KEYS', { policy: 'overwrite' }))).toEqual([]);
  });

  test('a full sync explains what is too much where it did not reconcile', () => {
    expect(causesOf('EXTRA_KEY', finding('FULL_RESYNC', { reconciled: false }))).toEqual(['FULL_RESYNC']);
    expect(causesOf('EXTRA_KEY', finding('FULL_RESYNC', { reconciled: true }))).toEqual([]);
  });

  test('what names all its keys explains only these', () => {
    expect(causesOf('VALUE_MISMATCH', foreign('k', true))).toEqual(['FOREIGN_WRITE']);
    expect(causesOf('VALUE_MISMATCH', foreign('other', true))).toEqual([]);
    expect(causesOf('VALUE_MISMATCH', foreign('k', true, 0))).toEqual([]);
    expect(causesOf('VALUE_MISMATCH', foreign('other', false))).toEqual(['FOREIGN_WRITE']);
  });

  test('of another link never', () => {
    expect(causesOf('MISSING_KEY', finding('EVICTION', {}, 'other'))).toEqual([]);
  });

  test('several at once', () => {
    expect(causesOf('MISSING_KEY', finding('EVICTION'), finding('OOM'), finding('NOT_DURABLE'))).toEqual([
      'EVICTION',
      'NOT_DURABLE',
    ]);
  });
});

describe('a script that came as text', () => {
  const run = finding('SCRIPT_UNVERIFIED', { sha: 's', samples: [sample('k'), sample('other')] });

  test('says what the comparison found under its declared keys', () => {
    expect(linkCauses([run], comparisonOf(['VALUE_MISMATCH', 3, 'k']))[0]?.evidence).toMatchObject({
      recheck: '1 of 2 declared keys differ',
    });
    expect(linkCauses([run], comparisonOf(['VALUE_MISMATCH', 0, 'k']))[0]?.evidence).toMatchObject({
      recheck: '2 declared keys compared again: equal',
    });
  });

  test('says nothing when nothing was compared, or it declared none', () => {
    expect(linkCauses([run], null)).toEqual([run]);
    const undeclared = finding('SCRIPT_UNVERIFIED', { sha: 's' });
    expect(linkCauses([undeclared], comparisonOf())).toEqual([undeclared]);
  });
});

test('a fact that is told again as it grows is one finding with its last number and places', () => {
  const events = [1, 2, 4].map((count): RunEvent => ({
    kind: 'finding',
    code: 'EVICTION',
    link: 'main',
    message: 'It evicts.',
    evidence: { count, samples: [count] },
    seq: count,
    at: '2024-06-11T00:00:00.000Z',
    ms: count,
  }));
  expect(collectFindings({ events, links: [], comparison: null })).toMatchObject([
    { code: 'EVICTION', count: 4, evidence: { count: 4, samples: [4] } },
  ]);
});
