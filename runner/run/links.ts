/**
 * All links of a run: one replicator process per source (and per link that the links of a source wait for), started in
 * order, watched and drained. Turns what the replicators say into events of the history.
 */
import { join } from 'node:path';
import { openWhere } from '../../engine/connect/discover.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { Routes } from '../../engine/connect/routes.ts';
import { ERROR_CODES, SyncError } from '../../engine/errors.ts';
import type { FromReplicator, ReplicatorError } from '../../engine/link/messages.ts';
import type { EngineOptions, LinkOptions } from '../../engine/link/options.ts';
import { describeFailure } from '../../engine/link/hosted-link.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { RunEventBody, RunPhase } from '../../reports/events.ts';
import type { EngineControl } from '../../scenarios/faults/subjects.ts';
import type { LinkPlan } from '../plan/plan.ts';
import { isInCircle } from '../plan/writers.ts';
import type { EngineControls, EngineDriver } from './drivers/driver.ts';
import { drainLevels } from './drain-levels.ts';
import { LinkMonitor } from './link-monitor.ts';
import { ReplicatorHandle } from './replicator-handle.ts';

const POLL_MS = 50;
/** Time to end for a replicator all of whose links wait for a server. */
const STOP_WAITING_MS = 2000;
/** After the first round everything is everywhere; the others are for what was decided on the way. */
const CIRCLE_ROUNDS = 3;
/** A drain that does not move for so long is given up. */
const DRAIN_STALL_MS = 60_000;

export interface LinksOptions {
  links: readonly LinkPlan[];
  engine: EngineOptions;
  /** Where an instance may be found; asked again by `relocate`. */
  whereaboutsOf: (instance: string) => Whereabouts;
  /** Other ways to servers, for the replicators of a source; asked again by `relocate`. Default: straight. */
  routesOf?: (source: string) => Routes;
  /** Nobody minds what watching the link's target costs. */
  isDisposable: (link: LinkPlan) => boolean;
  runFolder: string;
  emit: (event: RunEventBody) => void;
  phase: () => RunPhase;
  onProcess: (pid: number, what: string, logFile: string) => void;
  /** Awaited before links are started; what it throws ends the start. */
  beforeStart?: (links: readonly LinkPlan[]) => Promise<void>;
  /** Aborted when the run is to end. */
  signal: AbortSignal;
}

export class Links implements EngineDriver, EngineControls {
  readonly description = null;
  readonly controls = this;
  readonly monitors: readonly LinkMonitor[];
  readonly #options: LinksOptions;
  readonly #handles: ReplicatorHandle[] = [];
  /** Which replicator a link is in, by the link's id. */
  readonly #hosts = new Map<string, ReplicatorHandle>();
  #stopped: Promise<void> | undefined;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.monitors = options.links.map((plan) => new LinkMonitor(plan));
  }

  get logFiles(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#handles.map(({ name }) => [`replicator ${name}`, `replicator-${name}.log`]),
    );
  }

  /** Starts the replicators of all links that wait for no other. @throws SyncError INTERNAL when one does not come up. */
  async start(): Promise<void> {
    await this.#startDue();
  }

  /**
   * Starts what waits for other links as these get in sync, and resolves when every link is Synchronizing.
   *
   * @throws the first failure of a link; the signal's reason; SyncError INTERNAL when a replicator does not come up.
   */
  async synchronized(signal: AbortSignal): Promise<void> {
    while (!this.monitors.every((monitor) => monitor.isSynchronizing)) {
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      await this.#startDue();
      await sleep(POLL_MS);
    }
  }

  /** Links that are not started and wait for nothing any more. */
  async #startDue(): Promise<void> {
    const { links, beforeStart } = this.#options;
    const due = links.filter(({ id, startsAfter }) => {
      const before = this.monitors.find(({ plan }) => plan.id === startsAfter);
      return !this.#hosts.has(id) && (startsAfter === undefined || before?.isSynchronizing === true);
    });
    if (due.length === 0) return;
    await beforeStart?.(due);
    const sources = new Set(due.map(({ source }) => source));
    await Promise.all(
      [...sources].map((source) =>
        this.#startReplicator(
          source,
          due.filter((link) => link.source === source),
        ),
      ),
    );
  }

  /** Resolves never. @throws the first failure of a link; the signal's reason. */
  async failed(signal: AbortSignal): Promise<void> {
    await this.#until(() => false, signal);
  }

  /** The failure of the first link that gave up, if one did. */
  get failure(): SyncError | undefined {
    const failed = this.monitors.find((monitor) => monitor.failure !== undefined);
    if (failed?.failure === undefined) return undefined;
    const { code, message, hint, where } = locate(failed.plan.id, failed.failure);
    return new SyncError(isErrorCode(code) ? code : 'INTERNAL', message, {
      where,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /**
   * Waits until every link has applied what its source has written by now, and no expiry on its target is deferred any
   * more; the writers must have stopped. Hop by hop: what one link applies is what the next one has to read. Emits
   * `drained` per link, also when it was given up: the offsets tell.
   *
   * @returns the links that did not get there.
   */
  async drain(signal: AbortSignal): Promise<string[]> {
    const levels = drainLevels(this.#options.links);
    // What comes round a circle is a write at the next instance, and has to be read there too.
    const rounds = this.#options.links.some(({ incrementalOnly }) => incrementalOnly) ? CIRCLE_ROUNDS : 1;
    const behind = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      behind.clear();
      for (const level of levels) {
        const monitors = this.monitors.filter(({ plan }) => level.includes(plan));
        const drained = await Promise.all(monitors.map((monitor) => this.#drainLink(monitor, signal)));
        for (const [index, { plan }] of monitors.entries()) if (drained[index] !== true) behind.add(plan.id);
      }
    }
    return [...behind];
  }

  /** Tells every replicator where its instances are to be found from now on. Cuts short what it waits for. */
  relocate(): void {
    const { whereaboutsOf, routesOf } = this.#options;
    for (const handle of this.#handles) {
      const own = this.#monitorsOf(handle).map(({ plan }) => plan);
      const [first] = own;
      if (first === undefined) continue;
      if (routesOf !== undefined) handle.tell({ kind: 'routes', routes: routesOf(first.source) });
      const targets = own.map(({ id, target }) => [id, whereaboutsOf(target)] as const);
      handle.tell({
        kind: 'endpoints',
        source: whereaboutsOf(first.source),
        targets: Object.fromEntries(targets),
      });
    }
  }

  /** Stops applying; what comes from the source is kept. False when there is no such link. */
  pause(link: string): boolean {
    return this.#tellLink(link, 'pause');
  }

  /** False when there is no such link. */
  resume(link: string): boolean {
    return this.#tellLink(link, 'resume');
  }

  stateOf(link: string): string {
    return this.monitors.find(({ plan }) => plan.id === link)?.state ?? 'NotStarted';
  }

  /** The replicator that hosts a link, as faults see it: a process that may die and be paused. */
  engineOf(link: string): EngineControl {
    const running = (): ReplicatorHandle | undefined => {
      const handle = this.#hosts.get(link);
      return handle !== undefined && this.#handles.includes(handle) ? handle : undefined;
    };
    return {
      get pid() {
        return running()?.pid;
      },
      kill: async () => {
        const handle = running();
        if (handle !== undefined) await this.#killReplicator(handle);
      },
      restart: async () => {
        const dead = this.#hosts.get(link);
        if (dead === undefined || running() !== undefined || this.#stopped !== undefined) return;
        const plans = this.#monitorsOf(dead).map(({ plan }) => plan);
        const [first] = plans;
        if (first !== undefined) await this.#startReplicator(first.source, plans);
      },
      pause: async () => running()?.freeze(),
      resume: () => running()?.thaw(),
    };
  }

  /** Nobody asked it: what it had not applied yet is lost with it. Its links wait for its successor. */
  async #killReplicator(handle: ReplicatorHandle): Promise<void> {
    this.#handles.splice(this.#handles.indexOf(handle), 1);
    await handle.kill();
    for (const monitor of this.#monitorsOf(handle).filter(({ isOver }) => !isOver)) {
      const { state: from } = monitor;
      monitor.orphaned();
      const link = monitor.plan.id;
      this.#options.emit({ kind: 'link-state', link, from, to: 'Retrying', cause: 'its process was killed' });
    }
  }

  #tellLink(link: string, kind: 'pause' | 'resume'): boolean {
    const handle = this.#hosts.get(link);
    handle?.tell({ kind, link });
    return handle !== undefined;
  }

  /** Applies what was received and ends the processes. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.all(this.#handles.map((handle) => this.#stopHandle(handle))).then(
      () => undefined,
    );
    return this.#stopped;
  }

  /** What waits for a server that is away has nothing to finish. */
  #stopHandle(handle: ReplicatorHandle): Promise<void> {
    const own = this.#monitorsOf(handle);
    return own.every((monitor) => monitor.state === 'Retrying')
      ? handle.stop(STOP_WAITING_MS)
      : handle.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #monitorsOf(handle: ReplicatorHandle): LinkMonitor[] {
    return this.monitors.filter(({ plan }) => this.#hosts.get(plan.id) === handle);
  }

  async #startReplicator(source: string, links: readonly LinkPlan[]): Promise<void> {
    const { engine, whereaboutsOf, routesOf, runFolder, onProcess } = this.#options;
    const name = this.#nameOf(source, links);
    const logFile = join(runFolder, `replicator-${name}.log`);
    const monitors = this.monitors.filter(({ plan }) => links.includes(plan));
    const handle = await ReplicatorHandle.start({
      name,
      logFile,
      options: {
        source: whereaboutsOf(source),
        links: links.map((link) => this.#linkOptions(link)),
        engine,
        spoolFolder: join(runFolder, 'spool', name),
        ...(routesOf === undefined ? {} : { routes: routesOf(source) }),
      },
      onStarted: (pid) => onProcess(pid, `replicator ${name}`, logFile),
      onMessage: (message) => this.#onMessage(monitors, message),
      onDied: (error) => this.#onDied(monitors, error),
    });
    this.#handles.push(handle);
    for (const { id } of links) this.#hosts.set(id, handle);
  }

  /** The source's, unless links of it that do not wait have a replicator of their own. */
  #linkOptions(link: LinkPlan): LinkOptions {
    const { links, whereaboutsOf, isDisposable } = this.#options;
    const { id, source, target, incrementalOnly } = link;
    return {
      id,
      target: whereaboutsOf(target),
      disposable: isDisposable(link),
      ...(incrementalOnly ? { incrementalOnly } : {}),
      ...(isInCircle(links, link) ? { origins: { source, target } } : {}),
    };
  }

  #nameOf(source: string, links: readonly LinkPlan[]): string {
    const all = this.#options.links.filter((link) => link.source === source);
    const [first] = links;
    const isApart = all.some(({ startsAfter }) => startsAfter !== first?.startsAfter);
    return isApart && first?.startsAfter !== undefined ? `${source}-after-${first.startsAfter}` : source;
  }

  #onMessage(monitors: readonly LinkMonitor[], message: FromReplicator): void {
    for (const monitor of monitors) monitor.observe(message);
    const { emit } = this.#options;
    switch (message.kind) {
      case 'link-state':
      case 'sync-started':
      case 'sync-finished':
        emit(message);
        return;
      case 'finding':
        emit({
          kind: 'finding',
          code: message.code,
          message: message.message,
          link: message.link,
          severity: message.severity,
          evidence: message.evidence,
        });
        return;
      case 'link-failed':
        emit({ kind: 'error', ...locate(message.link, message.error) });
        return;
      case 'status':
        for (const status of message.links) this.#emitProgress(status.link);
        return;
      case 'ready':
      case 'log':
      case 'stopped':
        return;
    }
  }

  #emitProgress(link: string): void {
    const status = this.monitors.find((monitor) => monitor.plan.id === link)?.status;
    if (status === undefined) return;
    this.#options.emit({
      kind: 'progress',
      link,
      phase: status.snapshot.done ? this.#options.phase() : 'full-sync',
      keys: status.snapshot.keys,
      bytes: status.snapshot.bytes,
      expectedKeys: status.snapshot.expectedKeys,
      lagBytes: status.lagBytes,
      lagMs: status.lagMs,
    });
  }

  #onDied(monitors: readonly LinkMonitor[], error: SyncError): void {
    const lost = monitors.filter((monitor) => !monitor.hasFailed);
    // A signal to the whole group ends it too; then its links are finished, and nobody needs it any more.
    const wasAsked = this.#options.signal.aborted && lost.every((monitor) => monitor.isOver);
    if (lost.length === 0 || wasAsked) return;
    const failure = describeFailure(error);
    this.#options.emit({ kind: 'error', ...failure });
    for (const monitor of lost) {
      const from = monitor.state;
      monitor.died(failure);
      const link = monitor.plan.id;
      this.#options.emit({ kind: 'link-state', link, from, to: 'Failed', cause: failure.message });
    }
  }

  async #drainLink(monitor: LinkMonitor, signal: AbortSignal): Promise<boolean> {
    const { whereaboutsOf, emit } = this.#options;
    const began = performance.now();
    const wanted = await readOffset(whereaboutsOf(monitor.plan.source));
    let last = '';
    let movedAt = began;
    while (!isDrained(monitor, wanted) && !monitor.isOver && !signal.aborted) {
      if (monitor.appliedOffset >= wanted) this.#handleOf(monitor)?.settle(monitor.plan.id);
      await this.#handleOf(monitor)?.status();
      const now = `${monitor.appliedOffset} ${monitor.status?.deferred}`;
      if (now !== last) {
        last = now;
        movedAt = performance.now();
      }
      if (performance.now() - movedAt > DRAIN_STALL_MS) break;
      if (!isDrained(monitor, wanted)) await sleep(POLL_MS);
    }
    emit({
      kind: 'drained',
      link: monitor.plan.id,
      sourceOffset: String(wanted),
      // What came after the question (pings, heartbeats) is applied too; equal is what matters.
      appliedOffset: String(monitor.appliedOffset > wanted ? wanted : monitor.appliedOffset),
      durationMs: Math.round(performance.now() - began),
    });
    return monitor.appliedOffset >= wanted;
  }

  #handleOf(monitor: LinkMonitor): ReplicatorHandle | undefined {
    return this.#hosts.get(monitor.plan.id);
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      await sleep(POLL_MS);
    }
  }
}

/** Everything is applied, with the deadlines that the source has set. */
function isDrained({ appliedOffset, status }: LinkMonitor, wanted: bigint): boolean {
  return appliedOffset >= wanted && (status?.deferred ?? 0) === 0;
}

/** The source's own replication offset now. */
async function readOffset(source: Whereabouts): Promise<bigint> {
  await using connection = await openWhere(source, { name: 'redis-sync' });
  const offset = parseInfo(await connection.call('INFO', 'replication'))['master_repl_offset'];
  if (offset === undefined) {
    throw new SyncError('PROTOCOL', 'The source does not tell its replication offset.', {
      hint: 'INFO replication must be allowed.',
    });
  }
  return BigInt(offset);
}

/** The error with its link in front of where it was. */
function locate(link: string, error: ReplicatorError): ReplicatorError & { where: string } {
  return { ...error, where: error.where === undefined ? `link ${link}` : `link ${link}, ${error.where}` };
}

function isErrorCode(code: string): code is SyncError['code'] {
  return Object.hasOwn(ERROR_CODES, code);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
