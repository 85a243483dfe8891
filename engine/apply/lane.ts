/**
 * One link's way from the replication log to its target.
 *
 *   snapshot-start ─▶ SNAPSHOT ─snapshot-end─▶ checkpoint ─▶ STREAM ◀─ stream-start (reconnected: goes on seamlessly)
 *                        └─ snapshot-aborted ─▶ IDLE, until the next snapshot-start
 *
 * The lane reads its own cursor, so a slow target holds up nobody else. It owns the checkpoint of its link.
 */
import { asError, SyncError } from '../errors.ts';
import type { LogItem } from '../log/item.ts';
import type { LogCursor } from '../log/log-cursor.ts';
import type { EngineOptions, LinkOptions } from '../link/options.ts';
import { textOf } from '../resp/reply-text.ts';
import { checkpointKey, encodeCheckpoint, readCheckpoint, type Checkpoint } from './checkpoint.ts';
import { newCounters, type LinkCounters } from './counters.ts';
import type { LinkFinding } from './finding.ts';
import { SnapshotApplier } from './snapshot-applier.ts';
import { StreamApplier } from './stream-applier.ts';
import { Target } from './target.ts';

export interface LaneEvents {
  /** The snapshot is on the target, checkpoint written: the link is in sync. */
  synchronized(mode: 'full' | 'partial'): void;
  snapshotStarted(): void;
  /** The target does not take what we send; another try follows after `waitMs`. */
  waiting(error: Error, waitMs: number): void;
  working(): void;
  finding(finding: LinkFinding): void;
  /** The source asked where we are (REPLCONF GETACK). */
  ackRequested(): void;
}

export interface LaneOptions {
  link: LinkOptions;
  engine: EngineOptions;
  events: LaneEvents;
  random: () => number;
  now: () => number;
  wallClock: () => number;
}

export class Lane {
  readonly id: string;
  readonly counters: LinkCounters = newCounters();
  readonly #options: LaneOptions;
  readonly #target: Target;
  #snapshot: SnapshotApplier | undefined;
  #snapshotPosition: { replid: string; offset: bigint } | undefined;
  #stream: StreamApplier | undefined;
  #checkpoint: Checkpoint | undefined;
  #resume: (() => void) | undefined;
  #paused: Promise<void> | undefined;

  constructor(options: LaneOptions) {
    this.id = options.link.id;
    this.#options = options;
    const { engine, link, events, random, now } = options;
    this.#target = new Target({
      endpoint: link.target,
      name: `redis-sync:${link.id}`,
      replyTimeoutMs: engine.idleTimeoutMs,
      retryMs: engine.retryMs,
      random,
      now,
      onWaiting: (error, waitMs) => {
        this.counters.retries++;
        events.waiting(error, waitMs);
      },
      onWorking: () => events.working(),
    });
  }

  /** Source offset up to which everything is on the target; -1 while nothing is. */
  get appliedOffset(): bigint {
    return this.#stream?.appliedOffset ?? this.#checkpoint?.offset ?? -1n;
  }

  /** The snapshot is applied (or was not needed): commands flow. */
  get streaming(): boolean {
    return this.#stream !== undefined;
  }

  get paused(): boolean {
    return this.#paused !== undefined;
  }

  /** Connects, looks whether the target can be written to, reads where this link was. @throws SyncError. */
  async prepare(signal: AbortSignal): Promise<Checkpoint | null> {
    const connection = await this.#target.connect(signal);
    const role = await connection.tryCall('ROLE');
    if (Array.isArray(role) && textOf(role[0]) === 'slave') {
      throw new SyncError(
        'TARGET_NOT_WRITABLE',
        `The target is a replica of ${textOf(role[1])}:${textOf(role[2])}.`,
        {
          where: this.#target.describe(),
          hint: 'Point the link to the primary.',
        },
      );
    }
    const checkpoint = await readCheckpoint(connection, this.id);
    if (checkpoint !== null) this.#checkpoint = checkpoint;
    return checkpoint;
  }

  /** Stop applying; reading from the source goes on into the log. */
  pause(): void {
    this.#paused ??= new Promise((resolve) => (this.#resume = resolve));
  }

  resume(): void {
    this.#resume?.();
    this.#paused = undefined;
  }

  /**
   * Applies until the log says `closed` (then everything complete is applied) or the signal aborts.
   *
   * @throws SyncError what stops the link.
   */
  async run(cursor: LogCursor, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        if (this.#paused) await this.#paused;
        const item = cursor.tryNext() ?? (await cursor.next(signal));
        if (item.kind === 'closed') break;
        await this.#take(item, signal);
      }
      if (this.#snapshot) throw stoppedHalfWay();
      await this.#stream?.drain();
    } catch (error) {
      if (!signal.aborted) throw asError(error);
    } finally {
      await this.#target.close();
    }
  }

  async #take(item: Exclude<LogItem, { kind: 'closed' }>, signal: AbortSignal): Promise<void> {
    switch (item.kind) {
      case 'bytes':
        return this.#snapshot ? this.#snapshot.push(item.chunk) : this.#stream?.push(item.chunk);
      case 'snapshot-start':
        return this.#beginSnapshot(item.replid, item.offset, signal);
      case 'snapshot-end':
        return this.#endSnapshot(signal);
      case 'snapshot-aborted':
        this.#snapshot = undefined;
        return undefined;
      case 'stream-start':
        return this.#beginStream(item.replid, item.offset, signal);
    }
  }

  async #beginSnapshot(replid: string, offset: bigint, signal: AbortSignal): Promise<void> {
    await this.#stream?.drain();
    this.#stream = undefined;
    const { engine, events, now } = this.#options;
    const { counters } = this;
    Object.assign(counters, {
      snapshotKeys: 0,
      snapshotBytes: 0,
      snapshotExpectedKeys: 0,
      snapshotDone: false,
    });
    counters.snapshotStartedMs = now();
    this.#snapshotPosition = { replid, offset };
    this.#snapshot = new SnapshotApplier({
      target: this.#target,
      counters,
      heartbeatPrefix: engine.heartbeatPrefix,
      onFinding: (finding) => events.finding(finding),
      signal,
    });
    events.snapshotStarted();
    await this.#target.connect(signal);
  }

  async #endSnapshot(signal: AbortSignal): Promise<void> {
    const { counters } = this;
    const position = this.#snapshotPosition;
    if (this.#snapshot === undefined || position === undefined) return;
    await this.#snapshot.finish();
    this.#snapshot = undefined;
    const checkpoint: Checkpoint = { ...position, database: 0, path: position.replid };
    await this.#writeCheckpoint(checkpoint, signal);
    this.#checkpoint = checkpoint;
    counters.snapshotDurationMs = this.#options.now() - counters.snapshotStartedMs;
    counters.snapshotDone = true;
    counters.fullResyncs++;
    this.#options.events.synchronized('full');
  }

  async #writeCheckpoint(checkpoint: Checkpoint, signal: AbortSignal): Promise<void> {
    const bytes = encodeCheckpoint(checkpointKey(this.id), checkpoint);
    for (;;) {
      try {
        const connection = await this.#target.connect(signal);
        await connection.call('SELECT', 0);
        const [reply] = await connection.pipelineRaw(bytes, 1);
        if (typeof reply === 'number') return;
        throw new SyncError('APPLY_REFUSED', `The target refused the checkpoint: ${textOf(reply)}`, {
          where: this.#target.describe(),
          retryable: true,
        });
      } catch (error) {
        await this.#target.wait(asError(error), signal);
      }
    }
  }

  #beginStream(replid: string, offset: bigint, signal: AbortSignal): undefined {
    if (this.#stream !== undefined) {
      // Reconnected: the bytes join where they stopped.
      this.#stream.adoptReplid(replid);
      this.counters.partialResyncs++;
      return;
    }
    const checkpoint = this.#checkpoint;
    if (checkpoint === undefined || checkpoint.offset !== offset) {
      throw new SyncError(
        'INTERNAL',
        `Link ${this.id} is at ${checkpoint?.offset ?? 'no'} offset, but the stream begins at ${offset}.`,
      );
    }
    const { engine, events, wallClock, link } = this.#options;
    const resumed = !this.counters.snapshotDone;
    this.#stream = new StreamApplier({
      link: link.id,
      target: this.#target,
      engine,
      counters: this.counters,
      start: { ...checkpoint, replid },
      onAckRequested: () => events.ackRequested(),
      onApplied: () => undefined,
      onFinding: (finding) => events.finding(finding),
      wallClock,
      signal,
    });
    if (!resumed) return;
    this.counters.partialResyncs++;
    events.synchronized('partial');
  }
}

function stoppedHalfWay(): SyncError {
  return new SyncError(
    'ABORTED',
    'The link was stopped in the middle of the full sync: the target is incomplete.',
    {
      hint: 'Empty the target (FLUSHALL) and start again: the full sync begins anew.',
    },
  );
}
