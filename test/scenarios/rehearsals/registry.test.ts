/** What every scenario keeps: it names where it comes from, and is a valid spec wherever it fits. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expandPlan } from '../../../runner/plan/expand.ts';
import { scenarioSubject, writeScenarioSpec } from '../../../runner/plan/scenario-spec.ts';
import { parseSpec } from '../../../runner/spec/load.ts';
import type { Spec } from '../../../runner/spec/spec.generated.ts';
import { isFindingCode } from '../../../reports/findings.ts';
import { DECLARED } from '../../../scenarios/rehearsals/declared.ts';
import { describeScenarios } from '../../../scenarios/rehearsals/describe-scenarios.ts';
import { findScenario, SCENARIOS } from '../../../scenarios/rehearsals/registry.ts';

const SPEC: Spec = {
  name: 'pair',
  instances: { left: { config: { maxmemory: '1gb' } }, right: {} },
  topology: { kind: 'one-way', source: 'left', target: 'right' },
};
const PLAN = expandPlan(SPEC, { specPath: 'spec.yaml', sha256: '' });

/** Every row of the catalogue of fault scenarios in the requirements. */
const ROWS =
  `flushall.source flushdb.source evict.destination oom.destination oom.shard failover.source failover.destination
  failover.destination-lossy endpoint.move.source endpoint.move.destination net.cut net.blackhole net.delay net.throttle
  net.halfclose client.kill backlog.overrun outputbuffer.overrun repl.timeout bgsave.fail retry.exhaust scale.source
  scale.destination codis.rebalance spec.change arch.change crossslot.write cluster.down cluster.redirect eval.verbatim publish
  swapdb conditional.stale cluster.multidb commands.sweep foreign.write dst.preloaded conflict.same-key loop.naive expire.stale
  ttl.drift list.resend engine.crash objects.modify pause.long readonly.source acl.revoke password.rotate bind.wrong
  protected.mode tls13.only version.downgrade unknown.command slow.destination busy.script noreplicas load.fullsync clock.skew
  gdc.sibling-write rwsplit.stale-read proxy.restart heartbeat.delete verify.under-write multi.crossslot eval.noscript
  eval.undeclared-key eval.error loop.noop engine.restart pause.reverse tls.mismatch tls.expired rdb.newer proxy.cut`.split(
    /\s+/,
  );

test('docs/scenarios.md is fresh (npm run generate)', () => {
  const path = new URL('../../../docs/scenarios.md', import.meta.url);
  expect(readFileSync(path, 'utf8')).toBe(describeScenarios(SCENARIOS, DECLARED));
});

test('every row of the catalogue is rehearsed, or declared with a reason', () => {
  const rows = new Set([...SCENARIOS, ...DECLARED].flatMap(({ row }) => row.split(' / ')));
  expect(ROWS.filter((row) => !rows.has(row))).toEqual([]);
  expect(DECLARED.filter(({ unavailable }) => !/^[A-Z].*\.$/.test(unavailable))).toEqual([]);
});

test('names are unique and found', () => {
  const names = [...SCENARIOS, ...DECLARED].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const scenario of SCENARIOS) expect(findScenario(scenario.name)).toBe(scenario);
});

describe.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', (name, scenario) => {
  test('says what it is about and where it comes from', () => {
    expect(name).toMatch(/^[a-z][a-z-]*$/);
    expect(scenario.summary).toMatch(/^[A-Z].*\.$/);
    for (const statement of scenario.statements) expect(statement).toMatch(/^S[012]-\d+[a-d]?$/);
    expect(scenario.variants[0]?.name).toBe('default');
    for (const { expects } of scenario.variants) expect(expects).toMatch(/^[A-Z].*\.$/);
  });

  test.each(scenario.variants.map((variant) => [variant.name, variant] as const))(
    '%s: a valid spec that does something, on a pair; or why not',
    (_, variant) => {
      const subject = scenarioSubject(PLAN);
      if (subject === null) throw new Error('a pair has a link');
      const rehearsal = variant.rehearse(subject);
      const problems =
        'unfit' in rehearsal
          ? []
          : problemsOf(writeScenarioSpec(SPEC, { name: `${name}-x`, subject, ...rehearsal }));
      expect(problems).toEqual([]);
      const said = 'unfit' in rehearsal ? rehearsal.unfit : rehearsal.outcome.findings;
      const wrong = typeof said === 'string' ? [] : said.filter((code) => !isFindingCode(code));
      expect(wrong).toEqual([]);
      const steps = 'unfit' in rehearsal ? [rehearsal.unfit] : rehearsal.change.timeline;
      expect(steps.length).toBeGreaterThan(0);
    },
  );
});

function problemsOf(text: string): string[] {
  const parsed = parseSpec('spec.yaml', text);
  return parsed.kind === 'ok' ? [] : parsed.problems.map(({ message }) => message);
}

describe('a scenario over a spec', () => {
  const flush = findScenario('backlog-overrun');
  const subject = scenarioSubject(PLAN);

  test('merges settings of servers, keeps what it does not touch, and expects its findings', () => {
    const rehearsal = flush && subject && flush.variants[0]?.rehearse(subject);
    if (!rehearsal || 'unfit' in rehearsal) throw new Error('it fits a pair');
    const parsed = parseSpec('s.yaml', writeScenarioSpec(SPEC, { name: 'x', subject, ...rehearsal }));
    if (parsed.kind !== 'ok') throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.plan).toMatchObject({
      name: 'pair-x',
      timeline: [{ fault: 'backlog-overflow', where: 'left' }],
      instances: [
        { name: 'left', config: { maxmemory: '1gb', 'repl-backlog-size': '16kb' } },
        { name: 'right' },
      ],
      incrementalMs: 2000,
    });
    expect(parsed.plan.expect).toContainEqual({
      finding: 'FULL_RESYNC',
      count: { comparison: '>=', value: 1 },
    });
  });

  test('waits for the last link, and changes clients where they are', () => {
    const pair: Spec = {
      name: 'two',
      instances: { home: {}, office: {} },
      topology: { kind: 'two-way', source: 'home', target: 'office' },
      workload: [{ into: 'office', prefix: 'o:', rate: '10/s', mix: { set: 1 } }],
      scenarios: ['publish'],
    };
    const about = scenarioSubject(expandPlan(pair, { specPath: 'two.yaml', sha256: '' }));
    expect(about).toMatchObject({
      link: 'forward',
      lastLink: 'reverse',
      isCircle: true,
      isTargetShared: false,
    });
    if (about === null) throw new Error('it has links');
    const text = writeScenarioSpec(pair, {
      name: 'x',
      subject: about,
      change: {
        writers: { rate: '7/s', mix: null },
        timeline: [{ fault: 'kill', where: 'home', when: 'incremental' }],
      },
      outcome: { verdict: ['pass'], link: 'in-sync', findings: [] },
    });
    const changed: unknown = JSON.parse(text);
    expect(changed).toMatchObject({
      timeline: [{ when: { phase: 'incremental', link: 'reverse' }, delay: '300ms' }],
      workload: [{ into: 'office', prefix: 'o:', rate: '7/s' }],
    });
    expect(changed).not.toHaveProperty('workload.0.mix');
    expect(changed).not.toHaveProperty('scenarios');
  });

  test('happens to the link that is named, or to nobody', () => {
    expect(scenarioSubject(PLAN, 'left-to-right')?.target).toBe('right');
    expect(scenarioSubject(PLAN, 'other')).toBeNull();
  });

  test('keeps a text that looks like a variable as it is', () => {
    const spec = { ...SPEC, description: 'costs ${NOTHING}' };
    const parsed = parseSpec(
      's.yaml',
      writeScenarioSpec(spec, {
        name: 'x',
        subject: subject ?? { ...NOBODY },
        change: { timeline: [] },
        outcome: { verdict: ['pass'], link: 'in-sync', findings: [] },
      }),
    );
    expect(parsed).toMatchObject({ kind: 'ok', plan: { description: 'costs ${NOTHING}' } });
  });
});

const NOBODY = {
  topology: '',
  link: '',
  source: '',
  target: '',
  sourceKind: '',
  targetKind: '',
  others: [],
  isTargetShared: false,
  isTargetSource: false,
  isCircle: false,
  lastLink: '',
  keyPrefix: '',
  sourceNode: '',
  ownTls: [],
  sourceVersion: '',
  targetVersion: '',
};
