/**
 * Reads one source shard as a replica and writes what it says into the replication log; reconnects and continues.
 *
 *   connect ──FULLRESYNC──▶ snapshot ──▶ stream ──┐
 *      ▲  └────CONTINUE──────────────────▶ stream │ connection lost: back off, PSYNC from the last byte received
 *      └───────────────────────────────────────────┘
 *
 * Where the source is, is found out anew for every attempt (engine/connect/discovery.ts).
 *
 * Invariant: the log holds every stream byte up to `receivedOffset` exactly once. The position asked for after a break
 * is the last byte *received* (the log has it all), the offset acknowledged is the last one *applied*.
 */
import { strict as assert } from 'node:assert';
import type { Socket } from 'node:net';
import { discoveryOf } from '../connect/discover.ts';
import type { Discovery, Whereabouts } from '../connect/discovery.ts';
import { describeEndpoint, type Endpoint } from '../connect/endpoint.ts';
import { isWorthWaiting, lastWord, Patience, type Circumstances } from '../connect/patience.ts';
import { asError, SyncError } from '../errors.ts';
import type { ReplicationLog } from '../log/replication-log.ts';
import { encodeCommand } from '../resp/encode.ts';
import { Backoff } from './backoff.ts';
import { countReadGarbage } from './read-garbage.ts';
import {
  openReplicaSession,
  type PsyncAnswer,
  type ReplicationPosition,
  type ReplicaSession,
} from './handshake.ts';
import { SnapshotFramer } from './snapshot-framer.ts';

const ACK_INTERVAL_MS = 1000;
const CONNECT_TIMEOUT_MS = 5000;

export interface ReceiverEvents {
  /** Full or partial resynchronisation begins. `offset` is where the stream will begin (exclusive). */
  syncStarted(mode: 'full' | 'partial', position: ReplicationPosition, cause: string): void;
  /** The connection is gone; another attempt follows after `waitMs`. */
  lost(error: Error, waitMs: number, attempt: number): void;
  /** Bytes of the stream have come. */
  received?: ((chunk: Buffer) => void) | undefined;
}

/** A source that has answered PSYNC. */
export interface SourcePeer {
  endpoint: Endpoint;
  /** The address behind the endpoint's name, as the socket has it. */
  address: string;
  answer: PsyncAnswer;
  /** Where we were in the stream of this source, or undefined when this is the first full sync. */
  before: ReplicationPosition | undefined;
}

export interface ReceiverOptions {
  source: Whereabouts;
  log: ReplicationLog;
  /** Where to continue, or null for a full sync. */
  position: ReplicationPosition | null;
  idleTimeoutMs: number;
  retryMs: number;
  /** The offset every lane has applied; acknowledged to the source. Below 0 while there is none. */
  appliedOffset: () => bigint;
  events: ReceiverEvents;
  /**
   * Looks at a source that has answered PSYNC, before anything of its answer is used. Throws when it must not be followed.
   */
  admit?: (peer: SourcePeer, signal: AbortSignal) => Promise<void>;
  random: () => number;
  now: () => number;
  /** Stamps what arrives, for expiries that count from when a command was executed. */
  wallClock?: () => number;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #backoff: Backoff;
  readonly #patience = new Patience();
  #discovery: Discovery;
  /** Where the last attempt went. */
  #endpoint: Endpoint | undefined;
  /** Ends the session that moves bytes. */
  #interrupt: ((error: SyncError) => void) | undefined;
  #hasWorked = false;
  #position: ReplicationPosition | null;
  #socket: Socket | undefined;
  /** A snapshot is being received: after a break it has to start over. */
  #inSnapshot = false;
  /** Why the full sync that is running had to be one. */
  #fullSyncCause = '';
  /** The newest place in the source's history of which the log was told; also while a new snapshot has made it void. */
  #reached: ReplicationPosition | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#discovery = discoveryOf(options.source);
    this.#position = options.position;
    this.#reached = options.position ?? undefined;
    this.#backoff = new Backoff({
      firstMs: 10,
      capMs: 5000,
      budgetMs: options.retryMs,
      random: options.random,
      now: options.now,
    });
  }

  /** The source sends to us. */
  get connected(): boolean {
    return this.#socket !== undefined;
  }

  get inSnapshot(): boolean {
    return this.#inSnapshot;
  }

  get position(): ReplicationPosition | null {
    return this.#position;
  }

  /**
   * The source is to be found elsewhere from now on, or with another login. A session with an address that is no longer
   * meant is ended; one that is still right goes on.
   */
  async relocate(source: Whereabouts, signal: AbortSignal): Promise<void> {
    this.#discovery = discoveryOf(source);
    const before = this.#endpoint;
    const now = await this.#discovery.locate(this.#locateOptions(signal)).catch(() => undefined);
    const isSame = before && now && describeEndpoint(before) === describeEndpoint(now);
    if (isSame && this.#socket !== undefined) return;
    const message = `The source is at ${this.#discovery.describe()} now.`;
    this.#interrupt?.(new SyncError('CONNECT', message, { where: this.#where(), retryable: true }));
    this.#patience.interrupt();
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
        const waitMs = isWorthWaiting(failure, this.#circumstances()) ? this.#backoff.next() : undefined;
        if (waitMs === undefined) throw lastWord(failure, this.#circumstances());
        cause = failure.message;
        this.#options.events.lost(failure, waitMs, this.#backoff.attempt);
        await this.#patience.pause(failure, waitMs, this.#circumstances(), signal);
      }
    }
  }

  #circumstances(): Circumstances {
    return { hasWorked: this.#hasWorked, passwordFile: this.#endpoint?.passwordFile };
  }

  #locateOptions(signal: AbortSignal): { replid?: string; signal: AbortSignal } {
    return { signal, ...(this.#position ? { replid: this.#position.replid } : {}) };
  }

  async #session(cause: string, signal: AbortSignal): Promise<void> {
    const { idleTimeoutMs } = this.#options;
    const discovery = this.#discovery;
    const endpoint = await discovery.locate(this.#locateOptions(signal));
    this.#endpoint = endpoint;
    const session = await openReplicaSession(endpoint, this.#position, {
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs,
      signal,
    });
    let acks: NodeJS.Timeout | undefined;
    try {
      await this.#admit(session, endpoint, signal);
      if (signal.aborted) return;
      if (discovery !== this.#discovery) throw this.#outdated();
      discovery.confirm(endpoint);
      this.#hasWorked = true;
      this.#socket = session.socket;
      acks = setInterval(() => this.acknowledge(), ACK_INTERVAL_MS);
      this.#begin(session, cause);
      await this.#pump(session, signal);
    } finally {
      clearInterval(acks);
      this.#socket = undefined;
      session.socket.destroy();
    }
  }

  async #admit({ socket, answer }: ReplicaSession, endpoint: Endpoint, signal: AbortSignal): Promise<void> {
    if (answer.kind === 'continue' && this.#position === null)
      throw new SyncError('PROTOCOL', 'The source continues a stream that was never started.');
    const address = socket.remoteAddress ?? endpoint.host;
    await this.#options.admit?.({ endpoint, address, answer, before: this.#reached }, signal);
  }

  #outdated(): SyncError {
    const message = 'The address of the source was changed while we connected to it.';
    return new SyncError('CONNECT', message, { where: this.#where(), retryable: true });
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
    assert(asked);
    this.#position = { replid: answer.replid, offset: asked.offset };
    this.#reached = this.#position;
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
        this.#interrupt = undefined;
        signal.removeEventListener('abort', onAbort);
        socket.removeAllListeners('data').removeAllListeners('close').destroy();
        if (error === undefined) resolve();
        else reject(asError(error));
      };
      const onAbort = (): void => finish();
      this.#interrupt = finish;
      const idle = setTimeout(() => {
        // While we read nothing ourselves, nobody can tell whether the source is silent.
        if (socket.isPaused()) idle.refresh();
        else finish(this.#silent());
      }, this.#options.idleTimeoutMs);
      const take = (chunk: Buffer): void => {
        countReadGarbage(chunk.length);
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
      // It may have gone while we looked at it, and closes only once.
      if (socket.destroyed) return finish(this.#closed());
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
        this.#reached = position;
        this.acknowledge();
      },
    });
  }

  #appendStream(chunk: Buffer): void {
    const position = this.#at();
    this.#options.log.append({ kind: 'bytes', chunk, atMs: this.#options.wallClock?.() });
    this.#options.events.received?.(chunk);
    this.#position = { replid: position.replid, offset: position.offset + BigInt(chunk.length) };
    this.#reached = this.#position;
    this.#backoff.reset();
  }

  /** A session has begun, so there is a position. */
  #at(): ReplicationPosition {
    assert(this.#position);
    return this.#position;
  }

  /** The address of the attempt, for messages. */
  #where(): string {
    return this.#endpoint === undefined ? this.#discovery.describe() : describeEndpoint(this.#endpoint);
  }

  #wordFailure(error: unknown): SyncError {
    if (error instanceof SyncError) return error;
    return new SyncError('CONNECT', `The connection to the source failed: ${asError(error).message}.`, {
      where: this.#where(),
      retryable: true,
      cause: error,
    });
  }

  #silent(): SyncError {
    return new SyncError(
      'CONNECT',
      `The source has sent nothing for ${this.#options.idleTimeoutMs / 1000} s.`,
      {
        where: this.#where(),
        retryable: true,
        hint: 'A source pings its replicas every 10 s: it is stopped, or the network drops packets.',
      },
    );
  }

  #closed(): SyncError {
    const during = this.#inSnapshot ? 'during the snapshot' : 'during the stream';
    return new SyncError('CONNECT', `The source closed the connection ${during}.`, {
      where: this.#where(),
      retryable: true,
      hint: 'See the log of the source: it restarted, its replica output buffer overflowed, or repl-timeout passed.',
    });
  }
}
