/**
 * Hosts every link that starts at one source shard: a lane per target, fed by one receiver and one log, one heartbeat.
 *
 *   NotStarted ─▶ Initializing ─▶ Synchronizing ⇄ Retrying ─▶ Failed
 *                      └─▶ InitializeFailed         └──────▶ Finished
 *
 * A link that fails ends alone; the replicator ends when none is left. A link that comes late, or cannot continue where the
 * others can, has a feed of its own until it has caught up. Knows no IPC: messages go out through `emit`.
 */
import { randomBytes } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import type { Checkpoint } from '../apply/checkpoint.ts';
import { SourceTimeline } from '../apply/expiry/source-timeline.ts';
import type { ClusterShard, Whereabouts } from '../connect/discovery.ts';
import { ReplicationLog } from '../log/replication-log.ts';
import type { ReplicationPosition } from '../psync/handshake.ts';
import { ClockOffset } from './clock-offset.ts';
import { mayDelete } from '../apply/slot-look.ts';
import { ConflictDesks } from './conflict/conflict-desks.ts';
import { abortedError, Feed } from './feed.ts';
import { planFeeds } from './feed-plan.ts';
import { Gathering } from './gathering.ts';
import { runHeartbeat } from './heartbeat.ts';
import { HostedLink } from './hosted-link.ts';
import { statusOf } from './link-status.ts';
import type { FromReplicator, LinkStatus } from './messages.ts';
import type { LinkOptions, ReplicatorOptions } from './options.ts';
import { delay } from '../psync/backoff.ts';
import { readBacklog } from './source-facts.ts';
import { SourceSlots } from './source-slots.ts';
import { watchSource } from './source-watch.ts';

/** Between two looks at the source's clock, at most. */
const WATCH_INTERVAL_MS = 1000;
/** Between two looks at the slots of a source that is one shard of a cluster. */
const SLOTS_INTERVAL_MS = 500;
/** How often it is tried to bring two feeds together. */
const UNITE_INTERVAL_MS = 100;

interface Ready {
  link: HostedLink;
  checkpoint: Checkpoint | null;
}

export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #emit: (message: FromReplicator) => void;
  readonly #desks: ConflictDesks;
  readonly #links: HostedLink[] = [];
  /** The first one is that which the others go over to. */
  readonly #feeds: Feed[] = [];
  #feedCount = 0;
  readonly #gathering = new Gathering<Ready>((ready) => this.#beginFeeds(ready));
  readonly #clock = new ClockOffset();
  readonly #timeline = new SourceTimeline(() => performance.now());
  #timelineReplid: string | undefined;
  /** Everything that has to end before we do. */
  readonly #running = new Set<Promise<void>>();
  /** Ends what asks the source. */
  readonly #asking = new AbortController();
  readonly #applying = new AbortController();
  #source: Whereabouts;
  #heartbeat: Promise<void> | undefined;
  #watch: Promise<void> | undefined;
  #uniting: NodeJS.Timeout | undefined;
  /** Of a source that is one shard of a cluster. */
  readonly #slots: SourceSlots | undefined;
  /** Ends when nothing is applied any more. */
  readonly #watchingSlots = new AbortController();
  #stopping = false;

  /** @param desks where the directions of a pair meet; shared by the replicators of one process. */
  constructor(
    options: ReplicatorOptions,
    emit: (message: FromReplicator) => void,
    desks: ConflictDesks = new ConflictDesks(),
  ) {
    this.#options = options;
    this.#desks = desks;
    this.#emit = emit;
    this.#source = options.source;
    this.#slots = this.#openSlots();
    for (const link of options.links) this.#host(link);
  }

  /** Runs until `stop`, or until nothing can go on. Never throws: failures are messages. */
  async run(): Promise<void> {
    const { spoolFolder } = this.#options;
    const watching = this.#slots?.watch(this.#watchingSlots.signal);
    try {
      await this.#removeLeftovers();
      for (const link of this.#links) this.#start(link);
      while (this.#running.size > 0) await Promise.all(this.#running);
    } catch (error) {
      for (const link of this.#links) link.fail(error);
    } finally {
      clearInterval(this.#uniting);
      this.#asking.abort();
      this.#watchingSlots.abort();
      await watching;
      await this.#heartbeat;
      await this.#watch;
      await rmdir(spoolFolder).catch(() => undefined);
    }
  }

  /** One more link of the same source, while the others go on. */
  join(options: LinkOptions): void {
    if (this.#stopping || this.#links.some(({ id }) => id === options.id)) return;
    this.#start(this.#host(options));
  }

  /** Applies what was received, then ends. `run` resolves when it is done, however long the target makes it wait. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const { lane } of this.#links) lane.resume();
    for (const feed of this.#feeds) feed.stop();
    this.#asking.abort();
    this.#gathering.hurry();
    // Who has not begun to read has nothing to drain.
    for (const link of this.#links) if (link.feed === undefined) link.ending.abort(abortedError());
  }

  /** Ends at once; what was received and not applied is fetched again by the next start. */
  abort(): void {
    this.stop();
    this.#applying.abort(abortedError());
  }

  pause(id: string): void {
    this.#find(id)?.pause();
  }

  resume(id: string): void {
    this.#find(id)?.resume();
  }

  /** The source is quiet: once everything is applied, deadlines on the target need not be deferred any more. */
  settle(id: string): void {
    this.#find(id)?.lane.settleExpiries();
  }

  /** Where everybody is to be found from now on. Connections to addresses that are still right go on. Never throws. */
  relocate(
    source: Whereabouts,
    targets: Readonly<Record<string, Whereabouts>>,
    peers: Readonly<Record<string, Whereabouts>> = {},
  ): void {
    this.#source = source;
    for (const feed of this.#feeds) feed.relocate(source);
    for (const link of this.#links) {
      link.peers = link.peers.map((peer) => ({ ...peer, source: peers[peer.link] ?? peer.source }));
      const target = targets[link.id];
      if (target === undefined || link.isOver) continue;
      link.target = target;
      void link.lane.relocate(target, this.#applying.signal);
    }
  }

  /** It hosts one of these links. */
  hosts(ids: readonly string[]): boolean {
    return this.#links.some(({ id }) => ids.includes(id));
  }

  /** A snapshot of every link's counters. Lag samples are handed out once. */
  status(): LinkStatus[] {
    return this.#links.map((link) => statusOf(link, link.feed));
  }

  #find(id: string): HostedLink | undefined {
    return this.#links.find((link) => link.id === id);
  }

  #host(link: LinkOptions): HostedLink {
    const { engine, spoolFolder } = this.#options;
    const hosted = new HostedLink(
      {
        link,
        engine,
        spoolFolder,
        random: Math.random,
        now: () => performance.now(),
        wallClock: () => Date.now(),
        sourceOffsetMs: () => this.#clock.ms,
        timeline: this.#timeline,
        source: () => this.#source,
        sourceSlots: this.#slots,
      },
      this.#emit,
      this.#desks,
    );
    this.#links.push(hosted);
    return hosted;
  }

  #start(link: HostedLink): void {
    this.#gathering.expect();
    this.#track(this.#runLink(link));
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Connects the target, asks what it has, and applies until the end. A link that cannot begin fails alone. */
  async #runLink(link: HostedLink): Promise<void> {
    const signal = AbortSignal.any([this.#applying.signal, link.ending.signal]);
    link.transition('Initializing', 'started');
    try {
      const checkpoint = await this.#prepare(link, signal);
      await this.#gathering.join({ link, checkpoint });
      signal.throwIfAborted();
      if (link.reader === undefined) throw abortedError();
      await link.apply(link.reader, signal);
      link.transition('Finished', 'stopped');
    } catch (error) {
      link.fail(error);
    } finally {
      link.reader?.close();
      link.feed?.remove(link);
      await link.seat?.leave();
    }
  }

  async #prepare(link: HostedLink, signal: AbortSignal): Promise<Checkpoint | null> {
    try {
      return await link.lane.prepare(signal);
    } catch (error) {
      this.#gathering.leave();
      throw error;
    }
  }

  async #beginFeeds(ready: Ready[]): Promise<void> {
    const places = new Set(ready.map(({ checkpoint }) => checkpoint?.offset));
    const backlog = places.size > 1 ? await readBacklog(this.#source, this.#asking.signal) : undefined;
    if (this.#stopping) return;
    for (const { position, links } of planFeeds(ready, backlog)) this.#beginFeed(position, links);
  }

  #beginFeed(position: ReplicationPosition | null, links: readonly HostedLink[]): void {
    const { engine, spoolFolder } = this.#options;
    const feed = new Feed({
      number: ++this.#feedCount,
      position,
      source: this.#source,
      engine,
      spoolFolder,
      clock: this.#clock,
      onSyncStarted: (mode, at) => this.#syncStarted(mode, at),
      onReceived: this.#lookWhenDeleted(),
    });
    this.#feeds.push(feed);
    for (const link of links) feed.add(link);
    this.#track(this.#runFeed(feed));
    if (this.#feeds.length > 1) this.#uniting ??= setInterval(() => this.#unite(), UNITE_INTERVAL_MS);
  }

  /** In a circle a slot that has left the source shard and comes back must have been seen to be away. */
  #lookWhenDeleted(): ((chunk: Buffer) => void) | undefined {
    const slots = this.#slots;
    if (slots === undefined || this.#options.links.every(({ origins }) => origins === undefined))
      return undefined;
    return (chunk) => {
      if (mayDelete(chunk)) slots.glance(this.#watchingSlots.signal);
    };
  }

  async #runFeed(feed: Feed): Promise<void> {
    await feed.run();
    this.#feeds.splice(this.#feeds.indexOf(feed), 1);
  }

  /** One connection to the source is enough for all that are in its stream. */
  #unite(): void {
    const [first, ...others] = this.#feeds.filter(({ over }) => !over);
    if (first === undefined || this.#stopping) return;
    for (const feed of others) for (const link of feed.links) first.adopt(link, feed);
    if (this.#feeds.length > 1) return;
    clearInterval(this.#uniting);
    this.#uniting = undefined;
  }

  #syncStarted(mode: 'full' | 'partial', at: ReplicationPosition): void {
    if (mode === 'full' && at.replid !== this.#timelineReplid) this.#timeline.restart();
    this.#timelineReplid = at.replid;
    this.#startHeartbeat();
    this.#startWatch();
  }

  #openSlots(): SourceSlots | undefined {
    const { source } = this.#options;
    if (!isShard(source)) return undefined;
    return new SourceSlots({
      source: () => (isShard(this.#source) ? this.#source : source),
      intervalMs: SLOTS_INTERVAL_MS,
      wallClock: () => Date.now(),
      onChanged: (change) => {
        for (const link of this.#links) link.sourceMoved(change);
      },
      onGone: () => this.#track(this.#endGoneShard()),
    });
  }

  /** Others have the slots of the source shard: its links end when what has left is right on the targets. */
  async #endGoneShard(): Promise<void> {
    const { signal } = this.#watchingSlots;
    const live = (): HostedLink[] => this.#links.filter(({ isOver }) => !isOver);
    for (const { lane } of live()) lane.settleExpiries();
    while (!this.#stopping && live().some(({ lane }) => lane.unsettled > 0 || lane.paused))
      await delay(SLOTS_INTERVAL_MS, signal);
    if (this.#stopping) return;
    for (const link of live()) link.sourceGone();
    this.stop();
  }

  /** What a process that was killed has left there. */
  #removeLeftovers(): Promise<void> {
    const log = new ReplicationLog({
      folder: this.#options.spoolFolder,
      memoryBytesMax: 0,
      diskBytesMax: 0,
    });
    return log.removeLeftovers();
  }

  #startWatch(): void {
    const { heartbeatMs } = this.#options.engine;
    this.#watch ??= watchSource(
      {
        source: () => this.#source,
        replid: () => this.#feeds.find(({ connected }) => connected)?.position?.replid,
        intervalMs: Math.min(WATCH_INTERVAL_MS, heartbeatMs || WATCH_INTERVAL_MS),
        wallClock: () => Date.now(),
        clock: this.#clock,
        timeline: this.#timeline,
      },
      this.#asking.signal,
    );
  }

  #startHeartbeat(): void {
    const { engine, links } = this.#options;
    if (engine.heartbeatMs === 0 || this.#heartbeat) return;
    this.#heartbeat = runHeartbeat(
      {
        source: () => this.#source,
        key: `${engine.heartbeatPrefix}:${links[0]?.id ?? ''}:${randomBytes(4).toString('hex')}`,
        inOwnSlot: this.#slots !== undefined,
        intervalMs: engine.heartbeatMs,
        wallClock: () => Date.now(),
        onRefused: (error) => {
          for (const link of this.#links) {
            link.report({
              code: 'LATENCY_UNRELIABLE',
              severity: 'warning',
              message: `The heartbeat cannot be written to the source, so the lag in time is unknown: ${error.message}`,
              evidence: { reply: error.message },
            });
          }
        },
      },
      this.#asking.signal,
    );
  }
}

function isShard(source: Whereabouts): source is ClusterShard {
  return 'kind' in source && source.kind === 'cluster-shard';
}
