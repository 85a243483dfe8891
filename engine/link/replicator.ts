/**
 * Hosts every link that starts at one source shard: one receiver, one log, a lane per target, one heartbeat.
 *
 *   NotStarted ─▶ Initializing ─▶ Synchronizing ⇄ Retrying ─▶ Failed
 *                      └─▶ InitializeFailed         └──────▶ Finished
 *
 * A lane that fails ends alone; the replicator ends when its receiver fails or no lane is left. Knows no IPC: messages go
 * out through `emit`.
 */
import { randomBytes } from 'node:crypto';
import { Lane } from '../apply/lane.ts';
import type { Checkpoint } from '../apply/checkpoint.ts';
import { SourceTimeline } from '../apply/expiry/source-timeline.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { asError, SyncError } from '../errors.ts';
import { ReplicationLog } from '../log/replication-log.ts';
import type { ReplicationPosition } from '../psync/handshake.ts';
import { Receiver } from '../psync/receiver.ts';
import { runHeartbeat } from './heartbeat.ts';
import { ClockOffset } from './clock-offset.ts';
import type { FromReplicator, LinkState, LinkStatus, ReplicatorError } from './messages.ts';
import type { ReplicatorOptions } from './options.ts';
import { SourceGuard } from './source-guard.ts';
import { statusOf } from './link-status.ts';
import { watchSource } from './source-watch.ts';
import { countTargetKeys } from './target-keys.ts';

/** Between two looks at the source's clock, at most. */
const WATCH_INTERVAL_MS = 1000;

type Emit = (message: FromReplicator) => void;

interface HostedLink {
  lane: Lane;
  target: Whereabouts;
  state: LinkState;
  /** Set while the receiver, the target, or both are being waited for: the newest reason. */
  waitingFor: Map<'source' | 'target', string>;
}

export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #emit: Emit;
  readonly #log: ReplicationLog;
  readonly #links: HostedLink[];
  readonly #clock = new ClockOffset();
  readonly #timeline = new SourceTimeline(() => performance.now());
  #watch: Promise<void> | undefined;
  readonly #receiving = new AbortController();
  readonly #applying = new AbortController();
  #receiver: Receiver | undefined;
  #source: Whereabouts;
  #heartbeat: Promise<void> | undefined;
  #stopping = false;

  constructor(options: ReplicatorOptions, emit: Emit) {
    this.#options = options;
    this.#emit = emit;
    this.#source = options.source;
    const { engine, spoolFolder } = options;
    this.#log = new ReplicationLog({
      folder: spoolFolder,
      memoryBytesMax: engine.logMemoryBytes,
      diskBytesMax: engine.logDiskBytes,
    });
    this.#links = options.links.map((link) => this.#host(link.id, link));
  }

  /** Runs until `stop`, or until nothing can go on. Never throws: failures are messages. */
  async run(): Promise<void> {
    const { signal } = this.#applying;
    try {
      await this.#log.removeLeftovers();
      const ready = await this.#prepare(signal);
      if (ready.length === 0) return;
      const lanes = ready.map(({ link }) => this.#runLane(link, signal));
      const receiving = this.#receive(commonPosition(ready.map(({ checkpoint }) => checkpoint)));
      await Promise.all(lanes);
      this.#receiving.abort();
      await receiving;
    } catch (error) {
      for (const link of this.#links) this.#failLink(link, error);
    } finally {
      this.#receiving.abort();
      await this.#heartbeat;
      await this.#watch;
      await this.#log.close();
    }
  }

  /** Applies what was received, then ends. `run` resolves when it is done, however long the target makes it wait. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const { lane } of this.#links) lane.resume();
    this.#receiving.abort();
    // Before the receiver exists there is nothing to drain.
    if (this.#receiver === undefined) this.abort();
  }

  /** Ends at once; what was received and not applied is fetched again by the next start. */
  abort(): void {
    this.#stopping = true;
    this.#receiving.abort();
    this.#applying.abort(
      new SyncError('ABORTED', 'The link was stopped before everything received was applied.', {
        hint: 'Start it again: it goes on where the target is.',
      }),
    );
  }

  pause(id: string): void {
    const link = this.#links.find(({ lane }) => lane.id === id);
    if (link === undefined || link.lane.paused) return;
    link.lane.pause();
    this.#transition(link, 'Suspending', 'paused');
  }

  resume(id: string): void {
    const link = this.#links.find(({ lane }) => lane.id === id);
    if (link === undefined || !link.lane.paused) return;
    link.lane.resume();
    this.#transition(link, this.#stateOf(link), 'resumed');
  }

  /** The source is quiet: once everything is applied, deadlines on the target need not be deferred any more. */
  settle(id: string): void {
    this.#links.find(({ lane }) => lane.id === id)?.lane.settleExpiries();
  }

  /** Where everybody is to be found from now on. Connections to addresses that are still right go on. Never throws. */
  relocate(source: Whereabouts, targets: Readonly<Record<string, Whereabouts>>): void {
    this.#source = source;
    void this.#receiver?.relocate(source, this.#receiving.signal);
    for (const link of this.#links) {
      const target = targets[link.lane.id];
      if (target === undefined || isOver(link.state)) continue;
      link.target = target;
      void link.lane.relocate(target, this.#applying.signal);
    }
  }

  /** A snapshot of every link's counters. Lag samples are handed out once. */
  status(): LinkStatus[] {
    return this.#links.map((link) => statusOf(link, this.#receiver?.position, this.#log));
  }

  #host(id: string, options: ReplicatorOptions['links'][number]): HostedLink {
    const link: HostedLink = {
      state: 'NotStarted',
      target: options.target,
      waitingFor: new Map(),
      lane: new Lane({
        link: options,
        engine: this.#options.engine,
        spoolFolder: this.#options.spoolFolder,
        random: Math.random,
        now: () => performance.now(),
        wallClock: () => Date.now(),
        sourceOffsetMs: () => this.#clock.ms,
        timeline: this.#timeline,
        source: () => this.#source,
        events: {
          snapshotStarted: () => this.#transition(link, 'Initializing', 'snapshot received'),
          synchronized: (mode) => this.#synchronized(link, mode),
          waiting: (error) => this.#wait(link, 'target', error.message),
          working: () => this.#working(link, 'target'),
          finding: (finding) => this.#emit({ kind: 'finding', link: id, ...finding }),
          ackRequested: () => this.#receiver?.acknowledge(),
        },
      }),
    };
    return link;
  }

  /** Connects every target and asks what it has. A link that cannot begin fails alone. */
  async #prepare(signal: AbortSignal): Promise<{ link: HostedLink; checkpoint: Checkpoint | null }[]> {
    for (const link of this.#links) this.#transition(link, 'Initializing', 'started');
    const prepared = await Promise.all(
      this.#links.map(async (link) => {
        try {
          return { link, checkpoint: await link.lane.prepare(signal) };
        } catch (error) {
          this.#failLink(link, error);
          return undefined;
        }
      }),
    );
    return prepared.filter((each) => each !== undefined);
  }

  async #receive(position: ReplicationPosition | null): Promise<void> {
    const { engine } = this.#options;
    const guard = this.#openGuard();
    const receiver = new Receiver({
      source: this.#source,
      log: this.#log,
      position,
      idleTimeoutMs: engine.idleTimeoutMs,
      retryMs: engine.retryMs,
      appliedOffset: () => this.#appliedByAll(),
      admit: (peer, signal) => guard.admit(peer, signal),
      random: Math.random,
      now: () => performance.now(),
      wallClock: () => Date.now(),
      events: {
        syncStarted: (mode, at, cause) => this.#syncStarted(mode, at, cause),
        lost: (error) => {
          for (const link of this.#links) {
            link.lane.counters.retries++;
            this.#wait(link, 'source', error.message);
          }
        },
      },
    });
    this.#receiver = receiver;
    if (this.#stopping) this.#receiving.abort();
    try {
      await receiver.run(this.#receiving.signal);
      this.#log.append({ kind: 'closed', cause: 'stopped' });
    } catch (error) {
      for (const link of this.#links) this.#failLink(link, error);
      this.#applying.abort();
    }
  }

  #openGuard(): SourceGuard {
    const { engine } = this.#options;
    return new SourceGuard({
      emptySource: engine.emptySource ?? 'fail',
      ownKeys: engine.heartbeatMs === 0 ? 0 : 1,
      lastWrite: (before) => this.#lastWrite(before),
      countTargetKeys: (signal) =>
        countTargetKeys(
          this.#links.map(({ lane, target }) => ({ link: lane.id, target })),
          signal,
        ),
      clock: this.#clock,
      onFinding: (finding) => {
        for (const { lane, state } of this.#links)
          if (!isOver(state)) this.#emit({ kind: 'finding', link: lane.id, ...finding });
      },
    });
  }

  /** What a lane has not applied yet may be a write. */
  #lastWrite(before: ReplicationPosition): bigint {
    const offsets = this.#links.map(({ lane }) =>
      lane.appliedOffset >= before.offset ? lane.counters.lastWriteOffset : before.offset,
    );
    return offsets.reduce((newest, offset) => (offset > newest ? offset : newest), -1n);
  }

  async #runLane(link: HostedLink, signal: AbortSignal): Promise<void> {
    const cursor = this.#log.openCursor();
    try {
      await link.lane.run(cursor, signal);
      this.#transition(link, 'Finished', 'stopped');
    } catch (error) {
      this.#failLink(link, error);
    } finally {
      cursor.close();
    }
  }

  #syncStarted(mode: 'full' | 'partial', at: ReplicationPosition, cause: string): void {
    if (mode === 'full') this.#timeline.restart();
    this.#startHeartbeat();
    this.#startWatch();
    for (const link of this.#links) {
      if (isOver(link.state)) continue;
      link.waitingFor.delete('source');
      this.#emit({
        kind: 'sync-started',
        link: link.lane.id,
        mode,
        replid: at.replid,
        offset: String(at.offset),
        cause,
      });
      if (mode === 'partial' && link.state === 'Retrying' && link.waitingFor.size === 0) {
        this.#transition(link, this.#stateOf(link), 'stream continued');
      }
    }
  }

  #synchronized(link: HostedLink, mode: 'full' | 'partial'): void {
    const { counters, id } = link.lane;
    this.#emit({
      kind: 'sync-finished',
      link: id,
      mode,
      keys: mode === 'full' ? counters.snapshotKeys : 0,
      bytes: mode === 'full' ? counters.snapshotBytes : 0,
      durationMs: mode === 'full' ? counters.snapshotDurationMs : 0,
    });
    link.waitingFor.delete('target');
    const to = link.lane.paused ? 'Suspending' : 'Synchronizing';
    // The source may have gone away while its snapshot was applied: then it is still waited for.
    if (link.waitingFor.size === 0)
      this.#transition(link, to, mode === 'full' ? 'full sync finished' : 'continued from checkpoint');
    this.#receiver?.acknowledge();
  }

  #wait(link: HostedLink, what: 'source' | 'target', cause: string): void {
    if (isOver(link.state)) return;
    const isNews = link.waitingFor.get(what) !== cause;
    link.waitingFor.set(what, cause);
    if (link.state === 'Retrying' && isNews)
      this.#emit({ kind: 'log', level: 'warn', message: `${link.lane.id} waits for its ${what}: ${cause}` });
    this.#transition(link, this.#stateOf(link), cause);
  }

  #working(link: HostedLink, what: 'source' | 'target'): void {
    link.waitingFor.delete(what);
    if (link.state !== 'Retrying' || link.waitingFor.size > 0) return;
    this.#transition(link, this.#stateOf(link), `the ${what} works again`);
  }

  /** The state of a link that is not over. One that is paused stays so whatever it waits for besides. */
  #stateOf({ lane, waitingFor }: HostedLink): LinkState {
    if (lane.paused) return 'Suspending';
    if (waitingFor.size > 0) return 'Retrying';
    return lane.streaming ? 'Synchronizing' : 'Initializing';
  }

  #failLink(link: HostedLink, error: unknown): void {
    if (isOver(link.state)) return;
    const failure = describeFailure(error);
    const initializing = link.lane.appliedOffset < 0n;
    this.#transition(link, initializing ? 'InitializeFailed' : 'Failed', failure.message);
    this.#emit({ kind: 'link-failed', link: link.lane.id, error: failure });
  }

  #transition(link: HostedLink, to: LinkState, cause: string): void {
    if (link.state === to) return;
    const from = link.state;
    link.state = to;
    const position = this.#receiver?.position;
    this.#emit({
      kind: 'link-state',
      link: link.lane.id,
      from,
      to,
      cause,
      ...(position ? { replid: position.replid, offset: String(position.offset) } : {}),
    });
  }

  /** The lowest offset over all lanes still running: what the source may forget. */
  #appliedByAll(): bigint {
    let lowest: bigint | undefined;
    for (const { lane, state } of this.#links) {
      if (isOver(state)) continue;
      if (lowest === undefined || lane.appliedOffset < lowest) lowest = lane.appliedOffset;
    }
    return lowest ?? -1n;
  }

  #startWatch(): void {
    const { heartbeatMs } = this.#options.engine;
    this.#watch ??= watchSource(
      {
        source: () => this.#source,
        replid: () => (this.#receiver?.connected === true ? this.#receiver.position?.replid : undefined),
        intervalMs: Math.min(WATCH_INTERVAL_MS, heartbeatMs || WATCH_INTERVAL_MS),
        wallClock: () => Date.now(),
        clock: this.#clock,
        timeline: this.#timeline,
      },
      this.#receiving.signal,
    );
  }

  #startHeartbeat(): void {
    const { engine, links } = this.#options;
    if (engine.heartbeatMs === 0 || this.#heartbeat) return;
    this.#heartbeat = runHeartbeat(
      {
        source: () => this.#source,
        key: `${engine.heartbeatPrefix}:${links[0]?.id ?? ''}:${randomBytes(4).toString('hex')}`,
        intervalMs: engine.heartbeatMs,
        wallClock: () => Date.now(),
        onRefused: (error) => {
          for (const { lane } of this.#links) {
            this.#emit({
              kind: 'finding',
              link: lane.id,
              code: 'LATENCY_UNRELIABLE',
              severity: 'warning',
              message: `The heartbeat cannot be written to the source, so the lag in time is unknown: ${error.message}`,
              evidence: { reply: error.message },
            });
          }
        },
      },
      this.#receiving.signal,
    );
  }
}

function isOver(state: LinkState): boolean {
  return state === 'Failed' || state === 'Finished' || state === 'InitializeFailed';
}

/**
 * The position that every target can continue from, or null: then a full sync for all. Targets of the same history may be at
 * different places (their lanes are applied independently): the stream begins for the one that is furthest behind, and the
 * others leave out what they have.
 */
export function commonPosition(checkpoints: readonly (Checkpoint | null)[]): ReplicationPosition | null {
  let lowest: Checkpoint | undefined;
  for (const checkpoint of checkpoints) {
    if (checkpoint === null || checkpoint.replid !== (lowest ?? checkpoint).replid) return null;
    if (lowest === undefined || checkpoint.offset < lowest.offset) lowest = checkpoint;
  }
  return lowest === undefined ? null : { replid: lowest.replid, offset: lowest.offset };
}

export function describeFailure(error: unknown): ReplicatorError {
  if (error instanceof SyncError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.where === undefined ? {} : { where: error.where }),
    };
  }
  const failure = asError(error);
  return { code: 'INTERNAL', message: failure.stack ?? failure.message };
}
