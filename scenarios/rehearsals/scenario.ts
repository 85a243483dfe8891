/**
 * A scenario is a named rehearsal: what is changed in a spec so that a precaution of the manuals comes true, and what must
 * be found afterwards. It is written in the words of the spec language and applies to any spec that has what it needs; what
 * a spec lacks is found by validating the changed spec, like everything else.
 *
 * Each file tells the statement of the vendor documents it rehearses, and has one variant for each policy worth seeing:
 * `default`, and `vendor` where the services behave otherwise.
 */
import type { DifferenceClass, Verdict } from '../../reports/results.ts';

/** The part of a spec that a scenario happens to: its first link, unless another is named. */
export interface ScenarioSubject {
  topology: string;
  link: string;
  source: string;
  target: string;
  sourceKind: string;
  targetKind: string;
  /** Sources of the other links. */
  others: readonly string[];
  /** Other links have the same target. */
  isTargetShared: boolean;
  /** Another link reads from the target. */
  isTargetSource: boolean;
  /** What the target has goes back to the source, by another link. */
  isCircle: boolean;
  /** The link that is in sync last: the others, or the one itself, start before it. */
  lastLink: string;
  /** How keys begin that a step writes to `sourceNode`: they belong there. */
  keyPrefix: string;
  /** The source; of a cluster, its first shard. */
  sourceNode: string;
  /** The instances of the spec with `tls: true`: their certificates are ours. */
  ownTls: readonly string[];
  /** Wanted versions; '' = whatever is found. */
  sourceVersion: string;
  targetVersion: string;
}

export type SpecPiece = Readonly<Record<string, unknown>>;

/** What is put over the spec. Its own timeline and expectations do not apply. */
export interface ScenarioChange {
  /** Merged into the instance. */
  source?: SpecPiece;
  target?: SpecPiece;
  /** Merged into `engine:`. */
  engine?: SpecPiece;
  /** Instead of the spec's. */
  data?: readonly SpecPiece[];
  workload?: readonly SpecPiece[];
  /** Merged into each dataset and each workload of the spec, which keep their places and prefixes. A key that is null goes. */
  datasets?: SpecPiece;
  writers?: SpecPiece;
  /** Default 2s. */
  incremental?: string;
  /** `when: incremental` is when every link is in sync. */
  timeline: readonly SpecPiece[];
  /** More of what must hold, besides the findings of the outcome. */
  expect?: readonly SpecPiece[];
}

/** What must be seen in the results. An injected fault without its finding is a failure. */
export interface ScenarioOutcome {
  /** Verdicts of the run that are right. */
  verdict: readonly Verdict[];
  /** in-sync: every link is alive at the end; failed: the link gave up, as the policy says. */
  link: 'in-sync' | 'failed';
  /** Codes that must be among the findings. */
  findings: readonly string[];
  /** Differences that must be found, being what the scenario is about. */
  differences?: readonly DifferenceClass[];
  /** Differences that may be found as well. */
  mayDiffer?: readonly DifferenceClass[];
}

export interface Rehearsal {
  change: ScenarioChange;
  outcome: ScenarioOutcome;
}

export interface ScenarioVariant {
  name: string;
  /** What happens under this policy, in one sentence. */
  expects: string;
  /** Why it cannot be rehearsed with this subject, if that is so. */
  rehearse: (subject: ScenarioSubject) => Rehearsal | { unfit: string };
}

export interface Scenario {
  name: string;
  summary: string;
  /** Row of the catalogue of fault scenarios it belongs to. */
  row: string;
  /** Statements of the vendor documents. */
  statements: readonly string[];
  variants: readonly ScenarioVariant[];
}

/** A row that cannot be rehearsed here: declared as such, so that nobody believes it was. */
export interface DeclaredScenario extends Omit<Scenario, 'variants'> {
  unavailable: string;
}

/** Everything goes on and is equal. */
export function survives(...findings: string[]): ScenarioOutcome {
  return { verdict: ['pass'], link: 'in-sync', findings };
}

/** The link stops, and the run says so. */
export function stops(...findings: string[]): ScenarioOutcome {
  return { verdict: ['fail', 'unknown'], link: 'failed', findings };
}

export const ANY_DIFFERENCE: readonly DifferenceClass[] = [
  'MISSING_KEY',
  'EXTRA_KEY',
  'TYPE_MISMATCH',
  'VALUE_MISMATCH',
  'TTL_MISMATCH',
];

/**
 * Everything is copied a second time, and is equal afterwards. In a circle the link stops: a snapshot does not tell which of
 * its values are newer than those of the target's clients. From a target that other links fill too nothing is removed; what is written to
 * a key afterwards that should be gone goes on from its old value.
 */
export function copiedAgain({ isCircle, isTargetShared }: ScenarioSubject): ScenarioOutcome {
  if (isCircle) return { ...stops('FULL_RESYNC'), mayDiffer: ANY_DIFFERENCE };
  if (!isTargetShared) return survives('FULL_RESYNC');
  return {
    verdict: ['pass', 'fail'],
    link: 'in-sync',
    findings: ['FULL_RESYNC'],
    mayDiffer: ['EXTRA_KEY', 'TYPE_MISMATCH', 'VALUE_MISMATCH', 'TTL_MISMATCH'],
  };
}
