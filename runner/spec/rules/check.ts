/** All rules, in the order of the spec's keys. */
import type { SpecDraft } from '../draft.ts';
import { checkDriver } from './driver.ts';
import { flowsOf } from './flows.ts';
import { checkInstances } from './instances.ts';
import { checkJudgement } from './judgement.ts';
import { checkLinks } from './links.ts';
import { checkPolicies } from './policies.ts';
import type { Rule, RuleContext } from './rule.ts';
import { checkScenarios } from './scenarios.ts';
import { checkTimeline } from './timeline.ts';
import { checkTraffic } from './traffic.ts';

const RULES: readonly Rule[] = [
  checkFlow,
  checkInstances,
  checkLinks,
  checkTraffic,
  checkDriver,
  checkPolicies,
  checkTimeline,
  checkScenarios,
  checkJudgement,
];

export interface RuleInput extends Omit<RuleContext, 'instanceNames' | 'flows' | 'areFlowsComplete'> {
  readonly spec: SpecDraft;
  /** As it came from YAML: what is missing in the draft may only be wrong there. */
  readonly data: unknown;
}

export function checkRules({ data, ...input }: RuleInput): void {
  const root = isRecord(data) ? data : {};
  const instances = root['instances'];
  const instanceNames = isRecord(instances) ? Object.keys(instances) : [];
  const all = flowsOf(input.spec, input.registries);
  const flows = all.filter(
    ({ source, target }) => instanceNames.includes(source) && instanceNames.includes(target),
  );
  const links = root['links'];
  const written = Array.isArray(links) ? links.length : 1;
  const areFlowsComplete = flows.length >= written && flows.length === all.length;
  const context: RuleContext = { ...input, instanceNames, flows, areFlowsComplete };
  for (const rule of RULES) rule(context);
}

/** Something must flow. A topology with mistakes in it was reported by the schema. */
function checkFlow({ spec, report }: RuleContext): void {
  if ('topology' in spec || 'links' in spec || Object.keys(spec).length === 0) return;
  report([], 'value', {
    message: 'the spec does not say how data flows',
    expected: 'topology: { kind: one-way, source: NAME, target: NAME }',
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
