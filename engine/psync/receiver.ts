/**
 * Reads one source shard as a replica and writes what it says into the replication log; reconnects and continues.
 *
 *   connect ──FULLRESYNC──▶ snapshot ──▶ stream ──┐
 *      ▲  └────CONTINUE──────────────────▶ stream │ connection lost: back off, PSYNC from the last byte received
 *      └───────────────────────────────────────────┘
 *
 * Invariant: the log holds every stream byte up to `receivedOffset` exactly once. The position asked for after a break
 * is the last byte *received* (the log has it all), the offset acknowledged is the last one *applied*.
 */
import { strict as assert } from 'node:assert';
import type { Socket } from 'node:net';
import { describeEndpoint, type Endpoint } from '../connect/endpoint.ts';
import { asError, SyncError } from '../errors.ts';
import type { ReplicationLog } from '../log/replication-log.ts';
import { encodeCommand } from '../resp/encode.ts';
import { Backoff, delay } from './backoff.ts';
import { openReplicaSession, type ReplicationPosition, type ReplicaSession } from './handshake.ts';
import { SnapshotFramer } from './snapshot-framer.ts';

const ACK_INTERVAL_MS = 1000;
const CONNECT_TIMEOUT_MS = 5000;

export interface ReceiverEvents {
  /** Full or partial resynchronisation begins. `offset` is where the stream will begin (exclusive). */
  syncStarted(mode: 'full' | 'partial', position: ReplicationPosition, cause: string): void;
  /** The connection is gone; another attempt follows after `waitMs`. */
  lost(error: Error, waitMs: number, attempt: number): void;
}

export interface ReceiverOptions {
  source: Endpoint;
  log: ReplicationLog;
  /** Where to continue, or null for a full sync. */
  position: ReplicationPosition | null;
  idleTimeoutMs: number;
  retryMs: number;
  /** The offset every lane has applied; acknowledged to the source. Below 0 while there is none. */
  appliedOffset: () => bigint;
  events: ReceiverEvents;
  random: () => number;
  now: () => number;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #backoff: Backoff;
  #position: ReplicationPosition | null;
  #socket: Socket | undefined;
  /** A snapshot is being received: after a break it has to start over. */
  #inSnapshot = false;
  /** Why the full sync that is running had to be one. */
  #fullSyncCause = '';

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#backoff = new Backoff({
      firstMs: 50,
      capMs: 5000,
      budgetMs: options.retryMs,
      random: options.random,
      now: options.now,
    });
  }

  get position(): ReplicationPosition | null {
    return this.#position;
  }

  /** Tell the source now what is applied; for REPLCONF GETACK and at the end of a drain. */
  acknowledge(): void {
    if (this.#socket === undefined || this.#inSnapshot) return;
    const applied = this.#options.appliedOffset();
    this.#socket.write(encodeCommand(['REPLCONF', 'ACK', applied < 0n ? 0n : applied]));
  }

  /**
   * Runs until the signal aborts (returns) or nothing helps any more.
   *
   * @throws SyncError the last failure, when it is not retryable or the retry budget is spent; LOG_FULL.
   */
  async run(signal: AbortSignal): Promise<void> {
    let cause = 'first start';
    while (!signal.aborted) {
      try {
        await this.#session(cause, signal);
      } catch (error) {
        if (signal.aborted) return;
        const failure = this.#wordFailure(error);
        if (this.#inSnapshot) {
          this.#inSnapshot = false;
          this.#position = null;
          this.#options.log.append({ kind: 'snapshot-aborted', cause: failure.message });
        }
        const waitMs = failure.retryable ? this.#backoff.next() : undefined;
        if (waitMs === undefined) throw failure;
        cause = failure.message;
        this.#options.events.lost(failure, waitMs, this.#backoff.attempt);
        await delay(waitMs, signal);
      }
    }
  }

  async #session(cause: string, signal: AbortSignal): Promise<void> {
    const { source, idleTimeoutMs } = this.#options;
    const session = await openReplicaSession(source, this.#position, {
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs,
      signal,
    });
    this.#socket = session.socket;
    const acks = setInterval(() => this.acknowledge(), ACK_INTERVAL_MS);
    try {
      this.#begin(session, cause);
      await this.#pump(session, signal);
    } finally {
      clearInterval(acks);
      this.#socket = undefined;
      session.socket.destroy();
    }
  }

  #begin(session: ReplicaSession, cause: string): void {
    const { answer } = session;
    const asked = this.#position;
    if (answer.kind === 'full') {
      this.#position = { replid: answer.replid, offset: answer.offset };
      const why =
        asked === null
          ? cause
          : `the source could not continue from ${asked.replid}:${asked.offset} (${cause})`;
      this.#inSnapshot = true;
      this.#fullSyncCause = why;
      this.#options.events.syncStarted('full', this.#position, why);
      return;
    }
    if (asked === null)
      throw new SyncError('PROTOCOL', 'The source continues a stream that was never started.');
    this.#position = { replid: answer.replid, offset: asked.offset };
    this.#options.events.syncStarted('partial', this.#position, cause);
    this.#options.log.append({ kind: 'stream-start', ...this.#position });
  }

  /** Moves bytes from the socket into the log until the connection ends. Always ends by throwing, except on abort. */
  #pump(session: ReplicaSession, signal: AbortSignal): Promise<void> {
    const { socket } = session;
    const framer = this.#inSnapshot ? this.#openFramer() : undefined;
    return new Promise((resolve, reject) => {
      const finish = (error?: unknown): void => {
        clearTimeout(idle);
        signal.removeEventListener('abort', onAbort);
        socket.removeAllListeners('data').removeAllListeners('close').destroy();
        if (error === undefined) resolve();
        else reject(asError(error));
      };
      const onAbort = (): void => finish();
      const idle = setTimeout(() => {
        // While we read nothing ourselves, nobody can tell whether the source is silent.
        if (socket.isPaused()) idle.refresh();
        else finish(this.#silent());
      }, this.#options.idleTimeoutMs);
      const take = (chunk: Buffer): void => {
        idle.refresh();
        try {
          const rest = framer === undefined || framer.done ? chunk : framer.push(chunk);
          if (rest.length > 0) this.#appendStream(rest);
          const room = this.#options.log.room();
          if (room === undefined) return void socket.resume();
          socket.pause();
          room.then(() => socket.resume(), finish);
        } catch (error) {
          finish(error);
        }
      };
      if (signal.aborted) return finish();
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('data', take);
      socket.on('close', () => finish(this.#closed()));
      take(session.rest);
    });
  }

  #openFramer(): SnapshotFramer {
    const { log } = this.#options;
    const position = this.#at();
    return new SnapshotFramer({
      begin: ({ sizeBytes }) =>
        log.append({ kind: 'snapshot-start', ...position, sizeBytes, cause: this.#fullSyncCause }),
      bytes: (chunk) => log.append({ kind: 'bytes', chunk }),
      end: () => {
        this.#inSnapshot = false;
        this.#backoff.reset();
        log.append({ kind: 'snapshot-end' });
        log.append({ kind: 'stream-start', ...position });
        this.acknowledge();
      },
    });
  }

  #appendStream(chunk: Buffer): void {
    const position = this.#at();
    this.#options.log.append({ kind: 'bytes', chunk });
    this.#position = { replid: position.replid, offset: position.offset + BigInt(chunk.length) };
    this.#backoff.reset();
  }

  /** A session has begun, so there is a position. */
  #at(): ReplicationPosition {
    assert(this.#position);
    return this.#position;
  }

  #wordFailure(error: unknown): SyncError {
    if (error instanceof SyncError) return error;
    return new SyncError('CONNECT', `The connection to the source failed: ${asError(error).message}.`, {
      where: describeEndpoint(this.#options.source),
      retryable: true,
      cause: error,
    });
  }

  #silent(): SyncError {
    return new SyncError(
      'CONNECT',
      `The source has sent nothing for ${this.#options.idleTimeoutMs / 1000} s.`,
      {
        where: describeEndpoint(this.#options.source),
        retryable: true,
        hint: 'A source pings its replicas every 10 s: it is stopped, or the network drops packets.',
      },
    );
  }

  #closed(): SyncError {
    const during = this.#inSnapshot ? 'during the snapshot' : 'during the stream';
    return new SyncError('CONNECT', `The source closed the connection ${during}.`, {
      where: describeEndpoint(this.#options.source),
      retryable: true,
      hint: 'See the log of the source: it restarted, its replica output buffer overflowed, or repl-timeout passed.',
    });
  }
}
