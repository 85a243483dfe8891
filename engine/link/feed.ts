/**
 * One PSYNC of a source: the receiver, the log it fills, and the links that read that log. All of a replicator's links share
 * one; a link that comes late, or is too far behind, has its own until it has caught up, and then goes over.
 *
 *   feed 1   receiver ─▶ log ─▶ lane a, lane b            ┐ same stream, same history: at an offset that both have,
 *   feed 2   receiver ─▶ log ─▶ lane c (full sync …) ─────┘ lane c reads on in the log of feed 1, and feed 2 ends
 */
import { SyncError } from '../errors.ts';
import type { LinkFinding } from '../apply/finding.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { MovableReader } from '../log/movable-reader.ts';
import { ReplicationLog } from '../log/replication-log.ts';
import type { ReplicationPosition } from '../psync/handshake.ts';
import { Receiver } from '../psync/receiver.ts';
import type { ClockOffset } from './clock-offset.ts';
import type { HostedLink } from './hosted-link.ts';
import type { EngineOptions } from './options.ts';
import { SourceGuard } from './source-guard.ts';
import { countTargetKeys } from './target-keys.ts';

const LATER_SHARE = 4;

export interface FeedOptions {
  /** Tells the files of its log from those of others. */
  number: number;
  /** Where to begin; null: with a full sync. */
  position: ReplicationPosition | null;
  source: Whereabouts;
  engine: EngineOptions;
  spoolFolder: string;
  clock: ClockOffset;
  onSyncStarted: (mode: 'full' | 'partial', at: ReplicationPosition) => void;
  /** Bytes of the stream have come. */
  onReceived?: ((chunk: Buffer) => void) | undefined;
}

export class Feed {
  readonly log: ReplicationLog;
  readonly links = new Set<HostedLink>();
  readonly #options: FeedOptions;
  readonly #receiver: Receiver;
  readonly #receiving = new AbortController();
  /** Readers on their way here. */
  readonly #expected = new Set<MovableReader>();
  #over = false;
  #left: (() => void) | undefined;

  constructor(options: FeedOptions) {
    const { engine, spoolFolder, number } = options;
    this.#options = options;
    this.log = new ReplicationLog({
      folder: spoolFolder,
      // Those after the first one are there for a while only, and all of them together must stay small.
      memoryBytesMax: number === 1 ? engine.logMemoryBytes : engine.logMemoryBytes / LATER_SHARE,
      diskBytesMax: engine.logDiskBytes,
      number,
    });
    const guard = this.#openGuard();
    this.#receiver = new Receiver({
      source: options.source,
      log: this.log,
      position: options.position,
      idleTimeoutMs: engine.idleTimeoutMs,
      retryMs: engine.retryMs,
      appliedOffset: () => this.#appliedByAll(),
      admit: (peer, signal) => guard.admit(peer, signal),
      random: Math.random,
      now: () => performance.now(),
      wallClock: () => Date.now(),
      events: {
        received: options.onReceived,
        syncStarted: (mode, at, cause) => {
          options.onSyncStarted(mode, at);
          for (const link of this.#live) link.syncStarted(mode, at, cause);
        },
        lost: (error) => {
          for (const link of this.#live) {
            link.lane.counters.retries++;
            link.wait('source', error.message);
          }
        },
      },
    });
  }

  get position(): ReplicationPosition | null | undefined {
    return this.#receiver.position;
  }

  /** The source sends to us. */
  get connected(): boolean {
    return this.#receiver.connected;
  }

  get over(): boolean {
    return this.#over;
  }

  acknowledge(): void {
    this.#receiver.acknowledge();
  }

  relocate(source: Whereabouts): void {
    void this.#receiver.relocate(source, this.#receiving.signal);
  }

  /** A link reads this log, from what comes next. */
  add(link: HostedLink): void {
    const cursor = this.log.openCursor((error) => link.ending.abort(error));
    link.reader = new MovableReader(cursor);
    this.#attach(link);
  }

  /** No link reads it any more: it ends when it has no other. */
  remove(link: HostedLink): void {
    this.links.delete(link);
    if (this.links.size > 0) return;
    this.stop();
    this.#left?.();
  }

  /** Takes over a link that reads the log of another feed, as soon as it is where this one is now. Asked again and again. */
  adopt(link: HostedLink, from: Feed): void {
    const [here, there] = [this.position, from.position];
    const read = link.reader?.offset;
    if (!here || !there || !this.#canHandOver || !from.#canHandOver || here.replid !== there.replid) return;
    if (link.reader === undefined || link.reader.moving || read === undefined || read > here.offset) return;
    const { reader } = link;
    const cursor = this.log.openCursor((error) => link.ending.abort(error));
    this.#expected.add(reader);
    reader.moveTo(cursor, here.offset, () => {
      this.#expected.delete(reader);
      this.#attach(link);
      link.sourceIsThere();
      from.remove(link);
    });
  }

  /** Receives until stopped, or until nobody reads; resolves when its links have ended. Never throws: a failure is theirs. */
  async run(): Promise<void> {
    try {
      await this.#receiver.run(this.#receiving.signal);
      this.#end();
      this.log.append({ kind: 'closed', cause: 'stopped' });
    } catch (error) {
      this.#end();
      for (const link of this.links) {
        link.fail(error);
        link.ending.abort(error);
      }
    }
    if (this.links.size > 0) await new Promise<void>((resolve) => (this.#left = resolve));
    await this.log.close();
  }

  stop(): void {
    this.#receiving.abort();
  }

  /** Links on their way here stay where they are. */
  #end(): void {
    this.#over = true;
    for (const reader of this.#expected) reader.cancelMove();
  }

  #attach(link: HostedLink): void {
    this.links.add(link);
    link.feed = this;
  }

  get #live(): HostedLink[] {
    return [...this.links].filter(({ isOver }) => !isOver);
  }

  get #canHandOver(): boolean {
    return this.connected && !this.#over && !this.#receiver.inSnapshot;
  }

  #openGuard(): SourceGuard {
    const { engine, clock } = this.#options;
    return new SourceGuard({
      emptySource: engine.emptySource ?? 'fail',
      ownKeys: engine.heartbeatMs === 0 ? 0 : 1,
      lastWrite: (before) => this.#lastWrite(before),
      countTargetKeys: (signal) =>
        countTargetKeys(
          [...this.links].map(({ id, target }) => ({ link: id, target })),
          signal,
          this.#options.source,
        ),
      clock,
      onFinding: (finding: LinkFinding) => {
        for (const link of this.#live) link.report(finding);
      },
    });
  }

  /** What a lane has not applied yet may be a write. */
  #lastWrite(before: ReplicationPosition): bigint {
    const offsets = [...this.links].map(({ lane }) =>
      lane.appliedOffset >= before.offset ? lane.counters.lastWriteOffset : before.offset,
    );
    return offsets.reduce((newest, offset) => (offset > newest ? offset : newest), -1n);
  }

  /** The lowest offset over all links still running, where asked for of what is durable: what the source may forget. */
  #appliedByAll(): bigint {
    let lowest: bigint | undefined;
    for (const { safeOffset } of this.#live)
      if (lowest === undefined || safeOffset < lowest) lowest = safeOffset;
    return lowest ?? -1n;
  }
}

/** What the links of a feed that was ended from outside are told. */
export function abortedError(): SyncError {
  return new SyncError('ABORTED', 'The link was stopped before everything received was applied.', {
    hint: 'Start it again: it goes on where the target is.',
  });
}
