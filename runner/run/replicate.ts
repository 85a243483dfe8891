/**
 * `run`: replicates between the spec's existing endpoints until told to stop. Started again it resumes: where each link
 * is, is kept on its target.
 */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SyncError } from '../../engine/errors.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { RunEventBody } from '../../reports/events.ts';
import type { RunOptions } from '../cli/context.ts';
import type { Io } from '../cli/io.ts';
import { isDisposableTarget } from '../plan/disposable-targets.ts';
import type { Plan } from '../plan/plan.ts';
import { ProcessLedger } from '../provision/process-ledger.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { provisionAll } from '../provision/registry.ts';
import { History } from './history.ts';
import { interruptible } from './interruptible.ts';
import { LinkStates } from './link-states.ts';
import { Links } from './links.ts';
import { whereaboutsOf } from './locate.ts';
import { Progress } from './progress.ts';
import { Reloader } from './reload.ts';
import { createRunFolder } from './run-folder.ts';
import { checkStart, refuseBlocked } from './start-check.ts';
import { StatusServer, type StatusServerOptions } from './status-server.ts';

/** Of a replication that runs for months, how far it was is kept this often. */
const PROGRESS_INTERVAL_MS = 10_000;

export interface ReplicateOptions extends RunOptions {
  /** `synced`: end when every link is in sync and has applied what its source had written by then. */
  until: 'synced' | 'SIGINT';
  /** Serve metrics and status there. */
  metrics?: StatusServerOptions;
  /** Hands over what reads the spec again when it is asked to (SIGHUP). */
  onReload?: (reload: () => void) => void;
}

/** Returns 0 after a clean stop. @throws SyncError what stopped a link, or kept it from starting. */
export async function replicateSpec(plan: Plan, io: Io, options: ReplicateOptions): Promise<number> {
  const folder = await createRunFolder(options.out, plan);
  const history = new History(folder.path, { retain: false });
  const progress = new Progress(io, { states: true });
  history.subscribe((event) => {
    // What ends a link ends the command, which says it then; after Ctrl-C it ends without a word.
    const isSaidLater = event.kind === 'error' && event.code !== 'ABORTED';
    if (event.kind !== 'progress' && !isSaidLater) progress.observe(event);
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
    const places = new Map([...instances.values()].map((each) => [each.name, whereaboutsOf(each)]));
    const isTarget = ({ name }: { name: string }): boolean =>
      plan.links.some(({ target }) => target === name);
    refuseBlocked(await checkStart({ plan, instances, mayProbe: isTarget, signal: options.signal }));
    await using links = new Links({
      links: plan.links,
      engine: plan.engine,
      whereaboutsOf: (name) => placeIn(places, name),
      isDisposable: (link) => isDisposableTarget(plan, link),
      runFolder: folder.path,
      emit: thinOut(history),
      phase: () => 'incremental',
      signal: options.signal,
      onProcess: (pid, what, logFile) => void processes.record(pid, { what, group: false, logFile }),
    });
    progress.say(io.errColors.bold(`Replicating ${describeLinks(plan, instances)}`));
    if (options.until === 'SIGINT')
      progress.say(
        'Ctrl-C stops it; started again it goes on from there. SIGHUP reads addresses and logins again.',
      );
    await using server = options.metrics && (await StatusServer.open(options.metrics, links));
    if (server) progress.say(`Metrics: ${server.url}/metrics`);
    // Before the links run: a SIGHUP that comes at once must find somebody.
    using reloader = new Reloader({
      plan,
      env: io.env,
      places,
      relocate: () => links.relocate(),
      emit: history.emit.bind(history),
      say: (text) => progress.say(text),
    });
    options.onReload?.(() => void reloader.reload());
    await links.start();
    using states = new LinkStates(links.monitors, io, progress);
    try {
      await links.synchronized(options.signal);
      if (options.until === 'synced') await drain(links, options.signal);
      else await links.failed(options.signal);
    } catch (error) {
      if (!options.signal.aborted) throw error;
    }
    await links.stop();
    states.printLast();
    if (links.failure) throw links.failure;
    progress.say(`Stopped. Start it again to go on from here. History: ${folder.shown}`);
    return 0;
  } finally {
    history.close();
    await rm(`${folder.path}/spool`, { recursive: true, force: true });
  }
}

/** @throws SyncError TIMEOUT when a target does not catch up. */
async function drain(links: Links, signal: AbortSignal): Promise<void> {
  const behind = await interruptible(signal, links.drain(signal));
  if (behind.length === 0 || signal.aborted || links.failure) return;
  throw new SyncError('TIMEOUT', `${behind.join(', ')} did not catch up with the source.`, {
    hint: 'The target applies nothing any more: look at its log and at that of the replicator. Start again to go on.',
  });
}

/** Emits everything but most of the progress. */
function thinOut(history: History): (event: RunEventBody) => void {
  const last = new Map<string, number>();
  return (event) => {
    if (event.kind === 'progress') {
      const since = history.elapsedMs - (last.get(event.link) ?? -Infinity);
      if (since < PROGRESS_INTERVAL_MS) return;
      last.set(event.link, history.elapsedMs);
    }
    history.emit(event);
  };
}

function describeLinks({ links }: Plan, instances: ReadonlyMap<string, ProvisionedInstance>): string {
  const describe = (name: string): string => `${name} (${instances.get(name)?.nodes[0]?.address ?? '?'})`;
  return links.map(({ source, target }) => `${describe(source)} → ${describe(target)}`).join(', ');
}

function placeIn(places: ReadonlyMap<string, Whereabouts>, name: string): Whereabouts {
  const place = places.get(name);
  if (place === undefined) throw new SyncError('INTERNAL', `Instance ${name} is not there.`);
  return place;
}
