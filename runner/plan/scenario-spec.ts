/** Puts a scenario over a spec: the text of a spec that rehearses it. Pure. */
import type {
  ScenarioChange,
  ScenarioOutcome,
  ScenarioSubject,
  SpecPiece,
} from '../../scenarios/rehearsals/scenario.ts';
import type { Spec } from '../spec/spec.generated.ts';
import type { LinkPlan, Plan } from './plan.ts';

/** A hash tag of the first shard of any cluster (slot 64) and of the first group of a Codis (slot 10). */
const FIRST_TAG = 'r60k';

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
  const behind = links.filter((each) => each.startsAfter !== undefined);
  return {
    topology: topology.kind,
    link: link.id,
    source: source.name,
    target: target.name,
    sourceKind: source.kind,
    others: [...new Set(links.map((each) => each.source))].filter((name) => name !== source.name),
    targetKind: target.kind,
    isTargetShared: links.some((each) => each !== link && each.target === link.target),
    isTargetSource: links.some((each) => each.source === link.target),
    isCircle: leadsBack(links, link),
    lastLink: behind.at(-1)?.id ?? link.id,
    keyPrefix: `${link.owns?.[0]?.replace(/[*?[].*$/, '') ?? ''}{${FIRST_TAG}}`,
    sourceNode: source.kind === 'cluster' ? `${source.name}.shard(0)` : source.name,
    ownTls: instances.filter(({ ownTls }) => ownTls === true).map(({ name }) => name),
    sourceVersion: source.version,
    targetVersion: target.version,
  };
}

/** Is there a way from the link's target to its source? */
function leadsBack(links: readonly LinkPlan[], { source, target }: LinkPlan): boolean {
  const reached = new Set([target]);
  for (const _ of links) for (const link of links) if (reached.has(link.source)) reached.add(link.target);
  return reached.has(source);
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
  const { source, target, engine, incremental, timeline, expect = [] } = change;
  const data = change.data ?? merged(spec.data, change.datasets);
  const workload = change.workload ?? merged(spec.workload, change.writers);
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
    timeline: timeline.map((step) => startingLate(step, spec, subject)),
    expect: [...findings, ...expect],
  };
  return JSON.stringify(changed, (key, value: unknown) => escaped(key, value));
}

/** Each piece with what is put over it; undefined when nothing is said. */
function merged(
  pieces: readonly object[] | undefined,
  change: SpecPiece | undefined,
): readonly object[] | undefined {
  if (change === undefined) return undefined;
  return (pieces ?? [{}]).map((piece) =>
    Object.fromEntries(Object.entries({ ...piece, ...change }).filter(([, value]) => value !== null)),
  );
}

/** `when: incremental` means the first link that gets there; a scenario is about links that work already. */
function startingLate(step: SpecPiece, spec: Spec, { lastLink }: ScenarioSubject): SpecPiece {
  if (step['when'] !== 'incremental' || isOneLink(spec)) return step;
  return { delay: '300ms', ...step, when: { phase: 'incremental', link: lastLink } };
}

function isOneLink({ topology, links }: Spec): boolean {
  return topology === undefined ? links?.length === 1 : topology.kind === 'one-way';
}

/** What is there stays; `config` is merged, and replicas are not taken away. */
function mergeInstance(
  instance: Spec['instances'][string] | undefined,
  change: Readonly<Record<string, unknown>> | undefined,
): object {
  const together = { ...instance, ...change };
  const replicas = Math.max(instance?.replicas ?? 0, Number(change?.['replicas'] ?? 0));
  const config = { ...instance?.config, ...(isRecord(change?.['config']) ? change['config'] : {}) };
  return {
    ...together,
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
