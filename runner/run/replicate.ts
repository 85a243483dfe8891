/**
 * `run`: replicates between the spec's existing endpoints until told to stop. Started again it resumes: where each link
 * is, is kept on its target.
 */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SyncError } from '../../engine/errors.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { formatCount } from '../../reports/display.ts';
import { formatBytes, formatDuration } from '../../reports/render/format.ts';
import type { RunOptions } from '../cli/context.ts';
import type { Io } from '../cli/io.ts';
import type { Plan } from '../plan/plan.ts';
import { ProcessLedger } from '../provision/process-ledger.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { provisionAll } from '../provision/registry.ts';
import { History } from './history.ts';
import type { LinkMonitor } from './link-monitor.ts';
import { interruptible } from './interruptible.ts';
import { Links } from './links.ts';
import { Progress } from './progress.ts';
import { createRunFolder } from './run-folder.ts';
import { checkStart, refuseBlocked } from './start-check.ts';

const STATE_INTERVAL_MS = 1000;

export interface ReplicateOptions extends RunOptions {
  /** `synced`: end when every link is in sync and has applied what its source had written by then. */
  until: 'synced' | 'SIGINT';
}

/** Returns 0 after a clean stop. @throws SyncError what stopped a link, or kept it from starting. */
export async function replicateSpec(plan: Plan, io: Io, options: ReplicateOptions): Promise<number> {
  const folder = await createRunFolder(options.out, plan);
  const history = new History(folder.path);
  const progress = new Progress(io);
  history.subscribe((event) => {
    // What ends a link ends the command, which says it then; after Ctrl-C it ends without a word.
    if (event.kind !== 'error' || event.code === 'ABORTED') progress.observe(event);
  });
  history.emit({ kind: 'run-started', spec: plan.spec, seed: plan.seed, version: process.version });
  try {
    await using processes = await ProcessLedger.open(folder.path);
    const instances = await provisionAll(plan.instances, {
      runFolder: folder.path,
      processes,
      baseFolder: dirname(plan.spec),
      env: io.env,
      signal: options.signal,
    });
    const endpointOf = (name: string): Endpoint => endpointIn(instances, name);
    const isTarget = ({ name }: { name: string }): boolean =>
      plan.links.some(({ target }) => target === name);
    refuseBlocked(await checkStart({ plan, instances, mayProbe: isTarget, signal: options.signal }));
    await using links = new Links({
      links: plan.links,
      engine: plan.engine,
      endpointOf,
      runFolder: folder.path,
      emit: history.emit.bind(history),
      phase: () => 'incremental',
      signal: options.signal,
      onProcess: (pid, what, logFile) => void processes.record(pid, { what, group: false, logFile }),
    });
    await links.start();
    const printing = setInterval(() => printStates(links.monitors, io), STATE_INTERVAL_MS);
    try {
      await links.synchronized(options.signal);
      if (options.until === 'synced') await interruptible(options.signal, links.drain(options.signal));
      else await links.failed(options.signal);
    } catch (error) {
      if (!options.signal.aborted) throw error;
    } finally {
      clearInterval(printing);
    }
    await links.stop();
    if (links.failure) throw links.failure;
    printStates(links.monitors, io);
    progress.say(`Stopped. Start it again to go on from here. History: ${folder.shown}`);
    return 0;
  } finally {
    history.close();
    await rm(`${folder.path}/spool`, { recursive: true, force: true });
  }
}

/** One line per link on stdout: phase, offsets, lag. One JSON object per line under --json. */
function printStates(monitors: readonly LinkMonitor[], io: Io): void {
  for (const { plan, state, status } of monitors) {
    if (status === undefined) continue;
    const { appliedOffset, receivedOffset, replid, lagBytes, lagMs, snapshot, stream } = status;
    if (io.json) {
      io.out(
        `${JSON.stringify({ link: plan.id, state, replid, receivedOffset, appliedOffset, lagBytes, lagMs, snapshot, stream })}\n`,
      );
      continue;
    }
    if (io.quiet) continue;
    const lag = `${formatBytes(lagBytes)}${lagMs === null ? '' : `, ${formatDuration(lagMs)}`}`;
    const detail =
      state === 'Initializing'
        ? `${formatCount(snapshot.keys)}${snapshot.expectedKeys > 0 ? ` of ${formatCount(snapshot.expectedKeys)}` : ''} keys`
        : `applied ${appliedOffset} of ${receivedOffset}, lag ${lag}, ${formatCount(stream.commands)} commands`;
    io.out(`${plan.id}  ${state}  ${detail}\n`);
  }
}

function endpointIn(instances: ReadonlyMap<string, ProvisionedInstance>, name: string): Endpoint {
  const instance = instances.get(name);
  if (instance === undefined) throw new SyncError('INTERNAL', `Instance ${name} is not there.`);
  return instance.primary();
}
