/** `compare`: full-data comparison of two live endpoints. Reads only. */
import { dirname } from 'node:path';
import type { Comparison, Results } from '../../reports/results.ts';
import type { RunOptions } from '../cli/context.ts';
import type { Io } from '../cli/io.ts';
import { comparisonsOf } from '../plan/comparisons.ts';
import type { Plan } from '../plan/plan.ts';
import { ProcessLedger } from '../provision/process-ledger.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { provisionAll } from '../provision/registry.ts';
import { runComparisons, describeCompared, describeComparing } from './comparison.ts';
import { recordFailure } from './failure.ts';
import { History } from './history.ts';
import { instanceNamed, primariesOf } from './locate.ts';
import { Phases } from './phases.ts';
import { Progress } from './progress.ts';
import { printReport } from './print-report.ts';
import { recordOutcome } from './record-outcome.ts';
import { writeReports } from './report-files.ts';
import { buildResults, describeInstances } from './results.ts';
import { createRunFolder } from './run-folder.ts';

/** Compares, reports, and returns the verdict's exit code. The endpoints are never written to. */
export async function compareInstances(spec: Plan, io: Io, options: RunOptions): Promise<number> {
  // A comparison has no timeline: nothing is to be judged but the data.
  const plan: Plan = { ...spec, timeline: [], workload: [] };
  const folder = await createRunFolder(options.out, plan);
  const history = new History(folder.path);
  const progress = new Progress(io);
  history.subscribe((event) => progress.observe(event));
  const startedAt = new Date();
  history.emit({ kind: 'run-started', spec: plan.spec, seed: plan.seed, version: process.version });
  progress.say(io.errColors.bold(`Comparing ${describePairs(plan)}`));
  const phases = new Phases(history);
  let instances: ReadonlyMap<string, ProvisionedInstance> = new Map();
  let comparison: Comparison | null = null;
  let error: Results['error'] = null;
  await using processes = await ProcessLedger.open(folder.path);
  try {
    await phases.run('precheck', async () => {
      instances = await provisionAll(plan.instances, {
        runFolder: folder.path,
        processes,
        baseFolder: dirname(plan.spec),
        env: io.env,
        signal: options.signal,
      });
      return describeInstances(instances);
    });
    await phases.run('verify', async () => {
      comparison = await runComparisons({
        comparisons: comparisonsOf(plan.links),
        endpointsOf: (name) => primariesOf(instanceNamed(instances, name), options.signal),
        compare: plan.compare,
        heartbeatPrefix: plan.engine.heartbeatPrefix,
        signal: options.signal,
        onProgress: (link, now) => progress.show(describeComparing(link, now)),
      });
      return describeCompared(comparison);
    });
  } catch (thrown) {
    error = recordFailure(thrown, history, options.signal);
  }
  const outcome = {
    instances,
    phases,
    engine: null,
    logFiles: {},
    links: [],
    precheck: [],
    workload: [],
    comparison,
    heartbeatKeysOnTargets: null,
    error,
  };
  recordOutcome(history, outcome);
  const draft = buildResults({
    plan,
    folder,
    events: history.events,
    outcome,
    startedAt,
    endedAt: new Date(),
    keep: false,
  });
  const { verdict, summary, exitCode } = draft;
  history.emit({ kind: 'verdict', verdict, summary, exitCode });
  const results = await writeReports(folder.path, draft, history.events, plan.report.formats);
  history.close();
  progress.clear();
  if (io.json) io.out(`${JSON.stringify(results, null, 2)}\n`);
  else printReport(results, history.events, io);
  return results.exitCode;
}

function describePairs({ links, instances }: Plan): string {
  const urlOf = (name: string): string => instances.find((instance) => instance.name === name)?.url ?? name;
  return links.map(({ source, target }) => `${urlOf(source)} with ${urlOf(target)}`).join(', ');
}
