/** From what a run collected to its results document: findings, judgement, everything the report shows. Pure. */
import type { RunEvent } from '../../reports/events.ts';
import { faultsOf } from '../../reports/history.ts';
import { RESULTS_SCHEMA_VERSION, type InstanceResult, type Results } from '../../reports/results.ts';
import { contextOf } from '../../scenarios/checks/context.ts';
import { judge } from '../../scenarios/checks/judge.ts';
import type { Plan } from '../plan/plan.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { packageVersion } from '../cli/package-files.ts';
import type { RehearsalOutcome } from './rehearsal.ts';
import type { RunFolder } from './run-folder.ts';

export interface ResultsInput {
  plan: Plan;
  folder: RunFolder;
  /** With the outcome in it: see recordOutcome. */
  events: readonly RunEvent[];
  outcome: RehearsalOutcome;
  startedAt: Date;
  endedAt: Date;
  keep: boolean;
}

export function buildResults(input: ResultsInput): Results {
  const { plan, folder, events, outcome, startedAt, endedAt, keep } = input;
  const { links, comparison, workload, error, precheck } = outcome;
  const context = contextOf(plan, events);
  const judgement = judge(context);
  return {
    schemaVersion: RESULTS_SCHEMA_VERSION,
    tool: { name: 'redis-sync', version: packageVersion(), node: process.version },
    run: {
      id: folder.id,
      name: plan.name,
      spec: plan.spec,
      specSha256: plan.specSha256,
      seed: plan.seed,
      ...(plan.chaos === undefined ? {} : { chaos: plan.chaos }),
      startedAt: startedAt.toISOString(),
      endedAt: endedAt.toISOString(),
      durationMs: endedAt.getTime() - startedAt.getTime(),
      folder: folder.shown,
      ...(keep ? { kept: true } : {}),
    },
    ...judgement,
    instances: instanceResults(plan, outcome.instances),
    ...(outcome.engine === null ? {} : { engine: outcome.engine }),
    links,
    precheck,
    phases: outcome.phases.results,
    workload,
    comparison,
    findings: [...context.findings],
    faults: faultsOf(events),
    error,
    files: filesOf(outcome),
  };
}

/** One line: `source: redis 7.0.15, target: valkey 8.0.1`. */
export function describeInstances(instances: ReadonlyMap<string, ProvisionedInstance>): string {
  return [...instances.values()]
    .map(({ name, server, version }) => `${name}: ${`${server} ${version}`.trim() || 'unknown'}`)
    .join(', ');
}

function instanceResults(plan: Plan, instances: ReadonlyMap<string, ProvisionedInstance>): InstanceResult[] {
  return plan.instances.map(({ name, kind, url }) => {
    const instance = instances.get(name);
    const endpoint = instance?.primary();
    return {
      instance: name,
      kind,
      server: instance?.server ?? '',
      version: instance?.version ?? '',
      addresses: instance?.nodes.map((node) => node.address) ?? [],
      provisioned: url === undefined,
      ...(endpoint?.tls === undefined ? {} : { tls: true }),
      ...(endpoint?.username === undefined ? {} : { username: endpoint.username }),
    };
  });
}

/** Only of what was started: an existing server has its log elsewhere. */
function filesOf({ instances, logFiles }: RehearsalOutcome): Record<string, string> {
  const servers = [...instances.values()].some(({ provisioned }) => provisioned);
  return { ...(servers ? { 'server logs': 'servers' } : {}), ...logFiles };
}
