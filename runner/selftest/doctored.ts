/**
 * Histories of the control run with one thing in them that no engine of ours can do by itself: a harness that ended early, a
 * comparison that did not see what was there, a cluster.
 */
import type { Evidence } from '../../reports/evidence.ts';
import type { RunEvent } from '../../reports/events.ts';
import type { Comparison } from '../../reports/results.ts';

export type Doctoring = (events: readonly RunEvent[]) => RunEvent[];

function changing(change: (evidence: Evidence) => Evidence): Doctoring {
  return (events) =>
    events.map((event) =>
      event.kind === 'evidence' ? { ...event, evidence: change(event.evidence) } : event,
    );
}

function comparing(change: (comparison: Comparison) => Comparison): Doctoring {
  return changing((evidence) =>
    evidence.about === 'comparison' && evidence.comparison !== null
      ? { ...evidence, comparison: change(evidence.comparison) }
      : evidence,
  );
}

/** The runner died between the last look and the verdict. */
export const cutOff: Doctoring = (events) =>
  events
    .filter((event) => event.kind !== 'verdict')
    .map((event) => {
      // Everything is recorded but that it ended.
      if (event.kind !== 'evidence' || event.evidence.about !== 'outcome') return event;
      return { ...event, kind: 'workload', name: 'writers', stage: 'stopped' };
    });

/** A key that the counters of the servers show and the comparison never saw. */
export const blindComparison = comparing((comparison) => ({
  ...comparison,
  counts: comparison.counts.map((row, index) =>
    index === 0 ? { ...row, targetKeys: row.targetKeys + 1 } : row,
  ),
}));

/** The rows of a link that are somebody else's. */
export const comparesAnotherLink = comparing((comparison) => ({
  ...comparison,
  counts: comparison.counts.map((row) => ({ ...row, link: 'another' })),
  types: comparison.types.map((row) => ({ ...row, link: 'another' })),
  differences: [],
  parts: [],
}));

/** Clients so few that nobody need have kept a ledger of them, where the spec asks for its figures. */
export const forgetsLedger: Doctoring = (events) =>
  changing((evidence) =>
    evidence.about === 'workload'
      ? { ...evidence, result: { ...evidence.result, sent: 100, ok: 100, failed: 0, unknown: 0 } }
      : evidence,
  )(events.filter((event) => event.kind !== 'evidence' || event.evidence.about !== 'ledger'));

/** A node of a cluster with a key in a slot that is another's. */
export const misplacesKey: Doctoring = (events) => {
  const last = events.at(-1);
  if (last === undefined) return [];
  const evidence: Evidence = {
    about: 'slots',
    instance: 'target',
    node: 'primary',
    keys: 10,
    misplaced: 1,
    samples: ['"stray"'],
  };
  return [...events, { ...last, kind: 'evidence', evidence }];
};
