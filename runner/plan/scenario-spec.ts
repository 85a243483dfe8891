/** Puts a scenario over a spec: the text of a spec that rehearses it. Pure. */
import type {
  ScenarioChange,
  ScenarioOutcome,
  ScenarioSubject,
} from '../../scenarios/rehearsals/scenario.ts';
import type { Spec } from '../spec/spec.generated.ts';
import type { Plan } from './plan.ts';

const DEFAULT_INCREMENTAL = '2s';

/** A link of a plan, by default the first, and who is at its ends. Null when there is no such link. */
export function scenarioSubject(
  { links, instances, topology }: Plan,
  linkId?: string,
): ScenarioSubject | null {
  const link = linkId === undefined ? links[0] : links.find(({ id }) => id === linkId);
  const source = instances.find(({ name }) => name === link?.source);
  const target = instances.find(({ name }) => name === link?.target);
  if (link === undefined || source === undefined || target === undefined) return null;
  return {
    topology: topology.kind,
    link: link.id,
    source: source.name,
    target: target.name,
    sourceKind: source.kind,
    others: [...new Set(links.map((each) => each.source))].filter((name) => name !== source.name),
    targetKind: target.kind,
    sourceVersion: source.version,
    targetVersion: target.version,
  };
}

export interface ScenarioSpec {
  /** Appended to the spec's name. */
  name: string;
  subject: ScenarioSubject;
  change: ScenarioChange;
  outcome: ScenarioOutcome;
}

/**
 * The spec, as JSON (which is YAML), with the scenario's instances, engine, data, workload, timeline and expectations. The
 * findings of the outcome are expected, so that they do not count against the run.
 */
export function writeScenarioSpec(spec: Spec, { name, subject, change, outcome }: ScenarioSpec): string {
  const { source, target, engine, data, workload, incremental, timeline, expect = [] } = change;
  const named = new Set(expect.map((line) => line['finding']));
  const findings = outcome.findings
    .filter((code) => !named.has(code))
    .map((code) => ({ finding: code, count: '>= 1' }));
  const { scenarios: _, ...kept } = spec;
  const changed = {
    ...kept,
    name: `${spec.name}-${name}`.slice(0, 64),
    instances: {
      ...spec.instances,
      [subject.source]: mergeInstance(spec.instances[subject.source], source),
      [subject.target]: mergeInstance(spec.instances[subject.target], target),
    },
    ...(engine === undefined ? {} : { engine: { ...spec.engine, ...engine } }),
    ...(data === undefined ? {} : { data }),
    ...(workload === undefined ? {} : { workload }),
    incremental: incremental ?? DEFAULT_INCREMENTAL,
    timeline,
    expect: [...findings, ...expect],
  };
  return JSON.stringify(changed, (key, value: unknown) => escaped(key, value));
}

/** What is there stays; `config` is merged, and replicas are not taken away. */
function mergeInstance(
  instance: Spec['instances'][string] | undefined,
  change: Readonly<Record<string, unknown>> | undefined,
): object {
  const merged = { ...instance, ...change };
  const replicas = Math.max(instance?.replicas ?? 0, Number(change?.['replicas'] ?? 0));
  const config = { ...instance?.config, ...(isRecord(change?.['config']) ? change['config'] : {}) };
  return {
    ...merged,
    ...(replicas > 0 ? { replicas } : {}),
    ...(Object.keys(config).length > 0 ? { config } : {}),
  };
}

/** A text that happens to contain `${` was taken literally; only a password is a reference. */
function escaped(key: string, value: unknown): unknown {
  return typeof value === 'string' && key !== 'password' ? value.replaceAll('${', () => '$${') : value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
