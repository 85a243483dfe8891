/**
 * What `import … from 'redis-sync'` gives: load a spec, expand it to a plan, rehearse it, and the shapes of plans, histories and
 * results.
 * Everything else is inside and may change.
 */
export { loadSpec, parseSpec } from './spec/load.ts';
export type { LoadOptions, LoadOutcome } from './spec/load.ts';
export { expandPlan } from './plan/expand.ts';
export type { ExpandOptions } from './plan/expand.ts';
export { describePlan } from './plan/describe.ts';
export { verifyPlan, verifySpecs } from './run/verify.ts';
export type { Verification } from './run/verify.ts';
export { createIo } from './cli/io.ts';
export type { Io, OutputStream } from './cli/io.ts';
export type { RunOptions } from './cli/context.ts';
export { formatProblem, formatProblems } from './spec/problem.ts';
export type { Problem } from './spec/problem.ts';
export type { Spec } from './spec/spec.generated.ts';
export type { ExpectPlan, InstancePlan, LinkPlan, Plan } from './plan/plan.ts';
export type { StepPlan, TriggerPlan } from '../scenarios/timeline/step.ts';
export type { RunEvent, RunEventBody, RunPhase, LinkState } from '../reports/events.ts';
export type {
  CheckResult,
  Comparison,
  Difference,
  DifferenceClass,
  Finding,
  Results,
  Severity,
  Verdict,
} from '../reports/results.ts';
export { RESULTS_SCHEMA_VERSION } from '../reports/results.ts';
export { SyncError, ERROR_CODES } from '../engine/errors.ts';
export type { ErrorCode } from '../engine/errors.ts';
