/** One step of the timeline as the plan has it. */
import { parseDuration, parseMoment, parseProgress, parseReading } from '../spec/quantities.ts';
import type { Step } from '../spec/spec.generated.ts';
import type { StepPlan, TriggerPlan } from '../../scenarios/timeline/step.ts';
import { durationOr, read, sizeOr } from './written.ts';

/** The id of a step that got none. */
export function defaultStepId(position: number): string {
  return `step-${position + 1}`;
}

export function expandStep(step: Step, position: number): StepPlan {
  const plan: StepPlan = {
    id: step.id ?? defaultStepId(position),
    fault: step.fault,
    with: { ...step.with },
    trigger: expandTrigger(step),
    optional: step.optional ?? false,
  };
  if (step.where !== undefined) plan.where = step.where;
  if (step.for !== undefined) plan.forMs = read(step.for, parseDuration);
  if (step.every !== undefined) plan.everyMs = read(step.every, parseDuration);
  if (step.times !== undefined) plan.times = step.times;
  return plan;
}

function expandTrigger(step: Step): TriggerPlan {
  const trigger: TriggerPlan = { delayMs: durationOr(step.delay, 0) };
  if (step.at !== undefined) trigger.atMs = read(step.at, parseDuration);
  if (step.after !== undefined) trigger.after = step.after;
  if (step.when !== undefined) trigger.when = expandCondition(step.when);
  return trigger;
}

function expandCondition(when: NonNullable<Step['when']>): NonNullable<TriggerPlan['when']> {
  if (typeof when === 'string') return read(when, parseMoment);
  if ('proxy' in when) return { ...when, bytes: sizeOr(when.bytes, 0) };
  if ('metric' in when) {
    const { for: hold, is, ...condition } = when;
    return { ...condition, is: read(is, parseReading), forMs: durationOr(hold, 0) };
  }
  const { progress, ...condition } = when;
  return progress === undefined ? condition : { ...condition, progress: read(progress, parseProgress) };
}
