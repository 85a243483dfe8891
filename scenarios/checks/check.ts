/**
 * What a check is: a pure function from what was recorded to a verdict. It must never read a server, a clock or a
 * file, so that a run can be judged again later. What it cannot tell is `unknown`, never `pass`; what does not apply to
 * this run is `skipped`. It may throw: that is `unknown` too.
 */
import type { RunEvent } from '../../reports/events.ts';
import type {
  CheckResult,
  Comparison,
  Finding,
  LinkResult,
  Results,
  WorkloadResult,
} from '../../reports/results.ts';
import type { Expectation } from './expectation.ts';

export interface CheckContext {
  /** The whole event history. */
  events: readonly RunEvent[];
  /** Empty when nothing was replicated (`compare`). */
  links: readonly LinkResult[];
  comparison: Comparison | null;
  /** All findings of the run, see `collectFindings`. */
  findings: readonly Finding[];
  /** One per planned workload, also when it never started. */
  workload: readonly WorkloadResult[];
  /** The planned timeline. */
  steps: readonly PlannedStep[];
  expect: readonly Expectation[];
  /** null: no heartbeat was written. `keysOnTargets`: keys with the prefix found there; null: nobody looked. */
  heartbeat: { prefix: string; keysOnTargets: number | null } | null;
  /** The failure that ended the run early, if one did. */
  error: Results['error'];
  /** The run came to its end: healed, compared, links stopped. False: its history was cut off. */
  ended: boolean;
  /** Instances that fork by themselves: existing ones may, others do when their configuration says so. */
  selfSaving: readonly string[];
}

export interface PlannedStep {
  id: string;
  fault: string;
  optional: boolean;
  /** Which loss of data the fault may explain. */
  dataLoss: 'none' | 'source' | 'target';
}

export interface CheckDefinition {
  name: string;
  /** What must hold, in one sentence. */
  summary: string;
  /** Usually one result; one per line of `expect:` for the checks made for those; none when there is no such line. */
  judge(context: CheckContext): CheckResult[];
}

/** A result, short to write. The summary becomes a sentence if it is none (messages of others often lack the stop). */
export function result(
  check: string,
  verdict: CheckResult['verdict'],
  summary: string,
  counts: Record<string, number> = {},
): CheckResult {
  return { check, verdict, summary: /[.!?]$/.test(summary) ? summary : `${summary}.`, counts };
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
