/** Reads the part of a stored plan that a run is judged by. Unknown data is checked here, once. */
import { Ajv, type ValidateFunction } from 'ajv';
import type { JudgedPlan } from './context.ts';

const text = { type: 'string' };
const rows = (properties: Record<string, object>): object => ({
  type: 'array',
  items: { type: 'object', required: Object.keys(properties), properties },
});

const SCHEMA = {
  type: 'object',
  required: ['links', 'workload', 'timeline', 'expect', 'engine', 'instances'],
  properties: {
    links: rows({ id: text, source: text, target: text }),
    workload: rows({ name: text, into: { type: 'array', items: text }, ratePerSecond: { type: 'number' } }),
    timeline: rows({ id: text, fault: text, optional: { type: 'boolean' } }),
    instances: rows({ name: text }),
    expect: { type: 'array', items: { type: 'object' } },
    engine: {
      type: 'object',
      required: ['heartbeatMs', 'heartbeatPrefix'],
      properties: { heartbeatMs: { type: 'number' }, heartbeatPrefix: text },
    },
  },
};

let compiled: ValidateFunction<JudgedPlan> | undefined;

export function parseJudgedPlan(
  json: string,
): { kind: 'plan'; plan: JudgedPlan } | { kind: 'invalid'; problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return { kind: 'invalid', problem: error instanceof Error ? error.message : String(error) };
  }
  compiled ??= new Ajv().compile<JudgedPlan>(SCHEMA);
  if (compiled(value)) return { kind: 'plan', plan: value };
  const [first] = compiled.errors ?? [];
  return { kind: 'invalid', problem: `${first?.instancePath || '/'} ${first?.message ?? 'is wrong'}` };
}
