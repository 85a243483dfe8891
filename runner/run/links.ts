/**
 * All links of a run: one replicator process per source (and per link that the links of a source wait for), started in
 * order, watched and drained. Turns what the replicators say into events of the history.
 */
import { join } from 'node:path';
import { describeShards } from '../../engine/connect/cluster-shard.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { Routes } from '../../engine/connect/routes.ts';
import { asError, ERROR_CODES, SyncError } from '../../engine/errors.ts';
import type { FromReplicator, ReplicatorError } from '../../engine/link/messages.ts';
import type { EngineOptions, ReplicatorOptions } from '../../engine/link/options.ts';
import { describeFailure } from '../../engine/link/hosted-link.ts';
import type { RunEventBody, RunPhase } from '../../reports/events.ts';
import type { EngineControl, EngineEnd } from '../../scenarios/faults/subjects.ts';
import type { LinkPlan } from '../plan/plan.ts';
import { linksOfCircle } from '../plan/circles.ts';
import { isInCircle } from '../plan/writers.ts';
import type { EngineControls, EngineDriver } from './drivers/driver.ts';
import { drainLevels } from './drain-levels.ts';
import { drainedPart, drainParts, totalOf } from './link-drain.ts';
import { hostedCircle, linkOptions, replicatorName, type LinkSurroundings } from './link-options.ts';
import { LinkMonitor } from './link-monitor.ts';
import { isPartOf, partId } from './link-parts.ts';
import { ReplicatorHandle } from './replicator-handle.ts';
import { idIn, numberShards, shardOf, type SourceShard } from './source-shard.ts';

const POLL_MS = 50;
/** Time to end for a replicator all of whose links wait for a server. */
const STOP_WAITING_MS = 2000;
/** After the first round everything is everywhere; the others are for what was decided on the way. */
const CIRCLE_ROUNDS = 3;

export interface LinksOptions extends LinkSurroundings {
  engine: EngineOptions;
  /** Other ways to servers, for the replicators of a source; asked again by `relocate`. Default: straight. */
  routesOf?: (source: string) => Routes;
  /** Instead of the replicator; see ReplicatorHandleOptions. */
  engineCommand?: readonly string[];
  emit: (event: RunEventBody) => void;
  phase: () => RunPhase;
  onProcess: (pid: number, what: string, logFile: string) => void;
  /** Awaited before links are started; what it throws ends the start. */
  beforeStart?: (links: readonly LinkPlan[]) => Promise<void>;
  /** Aborted when the run is to end. */
  signal: AbortSignal;
}

/** A replicator process, and what of its source it reads. */
interface Host {
  handle: ReplicatorHandle;
  /** Number of the shard of its source; undefined when that is no cluster. */
  shard: SourceShard | undefined;
}

export class Links implements EngineDriver, EngineControls {
  readonly description = null;
  readonly controls = this;
  readonly monitors: readonly LinkMonitor[];
  readonly #options: LinksOptions;
  readonly #handles: ReplicatorHandle[] = [];
  /** Of every replicator there ever was. */
  readonly #names = new Set<string>();
  /** Which replicators a link is in, by the link's id: several when its source is a cluster. */
  readonly #hosts = new Map<string, Host[]>();
  /** Replicators that are coming up, and the links that will be in them. */
  readonly #starting = new Set<{ links: readonly LinkPlan[]; done: Promise<void> }>();
  /** Sources whose new shards are being looked for. */
  readonly #adopting = new Set<string>();
  #stopped: Promise<void> | undefined;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.monitors = options.links.map((plan) => new LinkMonitor(plan));
  }

  get logFiles(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#names].map((name) => [`replicator ${name}`, `replicator-${name}.log`]),
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
    while (!this.monitors.every(({ hasBeenInSync }) => hasBeenInSync)) {
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
    const sources = [...new Set(due.map(({ source }) => source))];
    const start = (source: string): Promise<void> =>
      this.#startSource(
        source,
        due.filter((link) => link.source === source),
      );
    // The links of a circle go into the process of the first.
    const inCircles = sources.filter((source) =>
      due.some((link) => link.source === source && isInCircle(links, link)),
    );
    const one = async (): Promise<void> => {
      for (const source of inCircles) await start(source);
    };
    await Promise.all([
      one(),
      ...sources.filter((source) => !inCircles.includes(source)).map((source) => start(source)),
    ]);
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
      const plans = this.#monitorsOf(handle).map(({ plan }) => plan);
      const sources = sourcesOf(plans);
      // A server is reached by one way from one process: that of the first forward link.
      const routes = sources.toReversed().map((source) => routesOf?.(source) ?? {});
      if (routesOf !== undefined) handle.tell({ kind: 'routes', routes: Object.assign({}, ...routes) });
      for (const source of sources) {
        const own = plans.filter((plan) => plan.source === source);
        const host = this.#hosts.get(own[0]?.id ?? '')?.find((each) => each.handle === handle);
        const targets = own.map(({ id, target }) => [idIn(id, host?.shard), whereaboutsOf(target)] as const);
        handle.tell({
          kind: 'endpoints',
          source: shardOf(whereaboutsOf(source), host?.shard),
          targets: Object.fromEntries(targets),
          peers: Object.fromEntries(this.#options.links.map((link) => [link.id, whereaboutsOf(link.source)])),
        });
      }
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
    const hosts = (): Host[] => this.#hosts.get(link) ?? [];
    const running = (): ReplicatorHandle[] =>
      hosts()
        .map(({ handle }) => handle)
        .filter((handle) => this.#handles.includes(handle));
    return {
      get pid() {
        return running()[0]?.pid;
      },
      kill: async () => {
        // Of those that are coming up some would be missed.
        await this.#started(link);
        for (const handle of running()) await this.#killReplicator(handle);
      },
      stop: async () => {
        await this.#started(link);
        return this.#stopReplicators(link, running());
      },
      restart: async () => {
        const [dead] = hosts();
        if (dead === undefined || running().length > 0 || this.#stopped !== undefined) return;
        const plans = this.#monitorsOf(dead.handle).map(({ plan }) => plan);
        // Of a circle the forward links first: the others go into the process of the first.
        for (const source of sourcesOf(plans))
          await this.#startSource(
            source,
            plans.filter((plan) => plan.source === source),
          );
      },
      pause: async () => void (await Promise.all(running().map((handle) => handle.freeze()))),
      resume: () => {
        for (const handle of running()) handle.thaw();
      },
    };
  }

  /** Nobody asked it: what it had not applied yet is lost with it. Its links wait for its successor. */
  async #killReplicator(handle: ReplicatorHandle): Promise<void> {
    this.#handles.splice(this.#handles.indexOf(handle), 1);
    await handle.kill();
    const left = this.#monitorsOf(handle).filter(({ isOver }) => !isOver);
    for (const monitor of left) this.#orphan(monitor, 'its process was killed');
  }

  /** All of a link, in order: what they have received is applied. Their links wait for the successors. */
  async #stopReplicators(link: string, handles: readonly ReplicatorHandle[]): Promise<EngineEnd> {
    for (const handle of handles) this.#handles.splice(this.#handles.indexOf(handle), 1);
    const ends = await Promise.all(handles.map((handle) => handle.stop()));
    const left = new Set(handles.flatMap((handle) => this.#monitorsOf(handle)));
    const own = this.monitors.find(({ plan }) => plan.id === link);
    const appliedOffset = String(own?.appliedOffset ?? -1n);
    for (const monitor of left) if (!monitor.hasFailed) this.#orphan(monitor, 'its process was stopped');
    return {
      pids: handles.flatMap(({ pid }) => pid ?? []),
      inOrder: ends.length > 0 && ends.every(Boolean),
      appliedOffset,
    };
  }

  #orphan(monitor: LinkMonitor, cause: string): void {
    const { state: from } = monitor;
    monitor.orphaned();
    this.#options.emit({ kind: 'link-state', link: monitor.plan.id, from, to: 'Retrying', cause });
  }

  #tellLink(link: string, kind: 'pause' | 'resume'): boolean {
    const hosts = this.#hosts.get(link) ?? [];
    for (const { handle, shard } of hosts) handle.tell({ kind, link: idIn(link, shard) });
    return hosts.length > 0;
  }

  /** Applies what was received and ends the processes. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.all(this.#handles.map((handle) => this.#stopHandle(handle))).then(
      () => undefined,
    );
    return this.#stopped;
  }

  /** What waits for a server that is away has nothing to finish. */
  async #stopHandle(handle: ReplicatorHandle): Promise<void> {
    const own = this.#monitorsOf(handle);
    const isWaiting = own.every((monitor) => monitor.state === 'Retrying');
    await (isWaiting ? handle.stop(STOP_WAITING_MS) : handle.stop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #monitorsOf(handle: ReplicatorHandle): LinkMonitor[] {
    return this.monitors.filter(({ plan }) =>
      this.#hosts.get(plan.id)?.some((host) => host.handle === handle),
    );
  }

  /** Resolves when no replicator of the link is coming up any more. */
  async #started(link: string): Promise<void> {
    const own = [...this.#starting].filter(({ links }) => links.some(({ id }) => id === link));
    await Promise.allSettled(own.map(({ done }) => done));
  }

  async #track(links: readonly LinkPlan[], done: Promise<void>): Promise<void> {
    const starting = { links, done };
    this.#starting.add(starting);
    try {
      await done;
    } finally {
      this.#starting.delete(starting);
    }
  }

  /** One replicator, or one per shard of a cluster. @throws SyncError INTERNAL, CONNECT. */
  #startSource(source: string, links: readonly LinkPlan[]): Promise<void> {
    return this.#track(links, this.#launchSource(source, links));
  }

  async #launchSource(source: string, links: readonly LinkPlan[]): Promise<void> {
    const whereabouts = this.#options.whereaboutsOf(source);
    const before = (this.#hosts.get(links[0]?.id ?? '') ?? []).flatMap(({ shard }) => shard ?? []);
    for (const { id } of links) this.#hosts.set(id, []);
    if (!('kind' in whereabouts) || whereabouts.kind !== 'cluster')
      return this.#startReplicator(source, links, whereabouts, undefined);
    const shards = numberShards(
      await describeShards(whereabouts.seeds, { signal: this.#options.signal }),
      before,
    );
    const numbers = shards.map(({ number }) => number);
    for (const monitor of this.monitors.filter(({ plan }) => links.includes(plan)))
      monitor.consistOf(numbers.map((number) => partId(monitor.plan.id, number)));
    // None of them is new while they come up.
    this.#adopting.add(source);
    await Promise.all(
      shards.map((shard) => this.#startReplicator(source, links, shard.whereabouts, shard)),
    ).finally(() => this.#adopting.delete(source));
  }

  /** Slots have moved at a source: a shard that is new gets a replicator of its own. */
  #adoptShards(monitors: readonly LinkMonitor[]): void {
    const plans = monitors.map(({ plan }) => plan);
    const [first] = plans;
    if (first === undefined || this.#adopting.has(first.source) || this.#stopped !== undefined) return;
    this.#adopting.add(first.source);
    void this.#track(plans, this.#startNewShards(first.source, plans))
      .catch((error: unknown) => {
        const message = `A new shard of ${first.source} could not be followed: ${asError(error).message}`;
        this.#options.emit({ kind: 'error', code: 'CONNECT', message, where: `link ${first.id}` });
      })
      .finally(() => this.#adopting.delete(first.source));
  }

  async #startNewShards(source: string, links: readonly LinkPlan[]): Promise<void> {
    const where = this.#options.whereaboutsOf(source);
    if (!('kind' in where) || where.kind !== 'cluster') return;
    const hosts = this.#hosts.get(links[0]?.id ?? '') ?? [];
    // A node whose shard was given up may have slots of its own again.
    const first = this.monitors.find(({ plan }) => plan === links[0]);
    const live = first === undefined ? hosts : this.#liveHosts(first);
    const known = new Set(live.flatMap(({ shard }) => shard?.whereabouts.members ?? []));
    const shards = await describeShards(where.seeds, { signal: this.#options.signal });
    const added = shards.filter(({ members }) => !members.some((member) => known.has(member)));
    for (const [index, shard] of added.entries()) {
      const number = hosts.length + index;
      for (const monitor of this.monitors.filter(({ plan }) => links.includes(plan)))
        monitor.consistOf([partId(monitor.plan.id, number)]);
      await this.#startReplicator(source, links, shard, { number, whereabouts: shard });
    }
  }

  async #startReplicator(
    source: string,
    links: readonly LinkPlan[],
    whereabouts: Whereabouts,
    shard: Host['shard'],
  ): Promise<void> {
    const { engine, routesOf, runFolder, onProcess, engineCommand } = this.#options;
    const name = replicatorName(this.#options.links, links, shard);
    const logFile = join(runFolder, `replicator-${name}.log`);
    const options: ReplicatorOptions = {
      source: whereabouts,
      links: links.map((link) => linkOptions(link, shard, this.#options)),
      engine,
      spoolFolder: join(runFolder, 'spool', name),
      ...(routesOf === undefined ? {} : { routes: routesOf(source) }),
    };
    const partner = shard === undefined ? this.#partnerHost(links) : undefined;
    if (partner !== undefined) {
      this.#addHost(links, { handle: partner, shard });
      return partner.host(options);
    }
    // Other links of a circle may come to be in it too: what it says is for whoever is in it then.
    const first = this.monitors.filter(({ plan }) => links.includes(plan));
    let started: ReplicatorHandle | undefined;
    const monitors = (): LinkMonitor[] => (started === undefined ? first : this.#monitorsOf(started));
    const handle = await ReplicatorHandle.start({
      name,
      logFile,
      options,
      ...(engineCommand === undefined ? {} : { command: engineCommand }),
      onStarted: (pid) => onProcess(pid, `replicator ${name}`, logFile),
      onMessage: (message) => this.#onMessage(monitors(), message),
      onDied: (error) => this.#onDied(started, monitors(), error),
    });
    this.#handles.push(handle);
    this.#names.add(name);
    this.#addHost(links, { handle, shard });
    started = handle;
  }

  #addHost(links: readonly LinkPlan[], host: Host): void {
    for (const { id } of links) this.#hosts.set(id, [...(this.#hosts.get(id) ?? []), host]);
  }

  /** The running process of another link of a circle: conflicts are only seen where all are. */
  #partnerHost(links: readonly LinkPlan[]): ReplicatorHandle | undefined {
    const all = this.#options.links;
    for (const link of links) {
      const circle = hostedCircle(all, link, this.#options.whereaboutsOf) ?? [];
      const partners = linksOfCircle(all, circle).filter(({ id }) => id !== link.id);
      const running = partners
        .flatMap(({ id }) => this.#hosts.get(id) ?? [])
        .find(({ handle, shard }) => shard === undefined && this.#handles.includes(handle));
      if (running !== undefined) return running.handle;
    }
    return undefined;
  }

  #onMessage(monitors: readonly LinkMonitor[], message: FromReplicator): void {
    const told = monitors.flatMap((monitor) => monitor.observe(message) ?? []);
    // What every monitor passes on is told once.
    for (const each of new Set(told)) this.#tell(each, monitors);
  }

  #tell(message: FromReplicator, monitors: readonly LinkMonitor[]): void {
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
          link: monitors.find(({ plan }) => isPartOf(plan.id, message.link))?.plan.id ?? message.link,
          severity: message.severity,
          evidence: message.evidence,
        });
        return;
      case 'link-failed':
        emit({ kind: 'error', ...locate(message.link, message.error) });
        return;
      case 'status':
        for (const monitor of monitors) this.#emitProgress(monitor);
        // Slots that wait for their new owner: it may be a shard that nobody reads yet.
        if (message.links.some(({ unsettled = 0 }) => unsettled > 0)) this.#adoptShards(monitors);
        return;
      case 'ready':
      case 'log':
      case 'stopped':
        return;
    }
  }

  #emitProgress({ plan, status }: LinkMonitor): void {
    if (status === undefined) return;
    this.#options.emit({
      kind: 'progress',
      link: plan.id,
      phase: status.snapshot.done ? this.#options.phase() : 'full-sync',
      keys: status.snapshot.keys,
      bytes: status.snapshot.bytes,
      expectedKeys: status.snapshot.expectedKeys,
      lagBytes: status.lagBytes,
      lagMs: status.lagMs,
    });
  }

  #onDied(handle: ReplicatorHandle | undefined, monitors: readonly LinkMonitor[], error: SyncError): void {
    // Of a shard that is no more: it has said so, and done what there was to do.
    if (handle !== undefined && this.#isShardOver(handle)) {
      this.#handles.splice(this.#handles.indexOf(handle), 1);
      return;
    }
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

  /** Every link has ended in order there, and goes on in the replicators of other shards. */
  #isShardOver(handle: ReplicatorHandle): boolean {
    const parts = this.monitors.flatMap((monitor) =>
      (this.#hosts.get(monitor.plan.id) ?? [])
        .filter((host) => host.handle === handle)
        .map((host) => ({ monitor, host })),
    );
    return parts.every(({ monitor, host }) => !this.#liveHosts(monitor).includes(host));
  }

  /** Without those of source shards that are no more. */
  #liveHosts(monitor: LinkMonitor): Host[] {
    const { id } = monitor.plan;
    const hosts = this.#hosts.get(id) ?? [];
    return hosts.filter(({ shard }) => shard === undefined || !monitor.isFinished(idIn(id, shard)));
  }

  async #drainLink(monitor: LinkMonitor, signal: AbortSignal): Promise<boolean> {
    const { emit } = this.#options;
    const began = performance.now();
    const parts = await Promise.all(
      this.#liveHosts(monitor).map(({ handle, shard }) =>
        drainedPart(monitor, handle, { shard, source: this.#options.whereaboutsOf(monitor.plan.source) }),
      ),
    );
    await drainParts(parts, () => monitor.isOver || signal.aborted);
    // What came after the question (pings, heartbeats) is applied too; equal is what matters.
    const reached = parts.map(({ applied, wanted }) => (applied() > wanted() ? wanted() : applied()));
    emit({
      kind: 'drained',
      link: monitor.plan.id,
      sourceOffset: String(totalOf(parts.map(({ wanted }) => wanted()))),
      appliedOffset: String(totalOf(reached)),
      durationMs: Math.round(performance.now() - began),
    });
    return parts.length > 0 && parts.every(({ applied, wanted }) => applied() >= wanted());
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      await sleep(POLL_MS);
    }
  }
}

/** Of links, each once; of a circle those of the forward links first. */
function sourcesOf(plans: readonly LinkPlan[]): string[] {
  const forwardFirst = plans.toSorted(
    (a, b) => Number(a.incrementalOnly === true) - Number(b.incrementalOnly === true),
  );
  return [...new Set(forwardFirst.map(({ source }) => source))];
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
