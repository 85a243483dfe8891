/**
 * Listens to a target's own replication stream, as one more replica that keeps nothing: a snapshot is received and thrown
 * away, of the commands only the outlines are looked at.
 *
 *   INFO ─▶ PSYNC from where the target is at this moment ─┬─ CONTINUE    it has a backlog: no snapshot, no fork
 *                                                          └─ FULLRESYNC  one fork, once
 *   connection lost ─▶ PSYNC from the last byte; what cannot be continued is a gap, and begins anew
 *
 * Whoever listens is counted by the target among its replicas. So it announces no port (nobody can promote it), and where the
 * target has real replicas it acknowledges nothing, so that nobody's WAIT takes it for one of them. (Elsewhere it acknowledges
 * what it read: a SHUTDOWN waits for replicas that are behind.)
 */
import type { Socket } from 'node:net';
import { loadingLinks } from '../apply/target-contents.ts';
import { Connection } from '../connect/connection.ts';
import { openWhere } from '../connect/discover.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import type { Endpoint } from '../connect/endpoint.ts';
import { asError, SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';
import { openReplicaSession, type ReplicationPosition, type ReplicaSession } from '../psync/handshake.ts';
import { SnapshotFramer } from '../psync/snapshot-framer.ts';
import { CommandOutline, type Outline } from '../resp/command-outline.ts';
import { encodeCommand } from '../resp/encode.ts';
import { parseInfo, textOf } from '../resp/reply-text.ts';
import { readSample, sampleTarget, type TargetSample } from './target-sample.ts';

/** The links whose full sync runs on a target, as of an offset of its stream: one that has ended before says so in the stream. */
export interface LoadingLinks {
  links: readonly string[];
  offset: bigint;
}

export interface TargetTapOptions {
  /** Asked before every connection: the target may have moved. */
  target: () => Whereabouts;
  idleTimeoutMs: number;
  /** The target has replicas that could be promoted. */
  hasReplicas: () => boolean;
  /** What is told from now on begins here, with what the target said about itself at that moment (or just before). */
  onBegin: (sample: TargetSample, loading: LoadingLinks) => void;
  /** A command, with the target's offset behind it. */
  onCommand: (outline: Outline, offset: bigint) => void;
  /** Everything up to this offset was told. */
  onProgress: (offset: bigint) => void;
  /** What follows does not join what was told before. */
  onGap: () => void;
  /** The target does not let us listen, or listening would do harm; called at most once, and the end. */
  onRefused: (error: Error) => void;
}

const ACK_INTERVAL_MS = 1000;
const RETRY_MS = 1000;
const TIMEOUT_MS = 5000;
const SLOT_BYTES_MAX = 64 * 1024;
const NONE: LoadingLinks = { links: [], offset: -1n };

export class TargetTap {
  readonly #options: TargetTapOptions;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  /** Up to where everything was received; undefined before the stream has begun, and after a gap. */
  #position: ReplicationPosition | undefined;
  #outline: CommandOutline | undefined;

  constructor(options: TargetTapOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The target's offset up to which commands were told; -1 while none were. */
  get offset(): bigint {
    return this.#position?.offset ?? -1n;
  }

  /** Never throws. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (thrown) {
        const error = asError(thrown);
        const isFinal = error instanceof SyncError && !error.retryable && error.code !== 'PROTOCOL';
        if (isFinal && !signal.aborted) return this.#options.onRefused(error);
      }
      await delay(RETRY_MS, signal);
    }
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { endpoint, sample } = await this.#look(signal);
    const { replid, offset } = sample;
    // Before 4.0 a server does not tell its history: then it is a snapshot.
    const here = replid === '' ? null : { replid, offset };
    const session = await openReplicaSession(endpoint, this.#position ?? here, {
      connectTimeoutMs: TIMEOUT_MS,
      idleTimeoutMs: this.#options.idleTimeoutMs,
      signal,
    });
    const { socket, answer } = session;
    const acks = setInterval(() => this.#acknowledge(socket), ACK_INTERVAL_MS);
    try {
      const asked = this.#position;
      const begins = answer.kind === 'full' || asked === undefined;
      // Asked behind the place where the stream begins: what ends later says so in it.
      const loading = begins ? await this.#findLoading(endpoint, signal) : NONE;
      if (answer.kind === 'full') this.#begin(answer, sample, loading);
      else if (asked === undefined) this.#begin({ replid: answer.replid, offset }, sample, loading);
      else this.#position = { replid: answer.replid, offset: asked.offset };
      await this.#listen(session, signal);
    } finally {
      clearInterval(acks);
      socket.destroy();
    }
  }

  /** Where the target is, and whether it may be listened to. */
  async #look(signal: AbortSignal): Promise<{ endpoint: Endpoint; sample: TargetSample }> {
    await using connection = await openWhere(this.#options.target(), {
      name: 'redis-sync:tap',
      replyTimeoutMs: TIMEOUT_MS,
      signal,
    });
    const setting = await connection.tryCall('CONFIG', 'GET', 'min-replicas-to-write');
    const least = Array.isArray(setting) ? Number(textOf(setting[1])) : 0;
    if (least > 0) {
      throw new SyncError(
        'PERMISSION',
        `min-replicas-to-write is ${least}: the target would count the listener as one of them`,
      );
    }
    return { endpoint: connection.endpoint, sample: await sampleTarget(connection) };
  }

  async #findLoading(endpoint: Endpoint, signal: AbortSignal): Promise<LoadingLinks> {
    await using connection = await Connection.open(endpoint, {
      name: 'redis-sync:tap',
      replyTimeoutMs: TIMEOUT_MS,
      signal,
    });
    const links = await loadingLinks(connection);
    return { links, offset: readSample(parseInfo(await connection.call('INFO', 'replication'))).offset };
  }

  #begin({ replid, offset }: ReplicationPosition, sample: TargetSample, loading: LoadingLinks): void {
    if (this.#position !== undefined) this.#options.onGap();
    this.#position = { replid, offset };
    this.#options.onBegin(sample, loading);
    const base = offset;
    this.#outline = new CommandOutline(
      (outline) => this.#options.onCommand(outline, base + BigInt(outline.end)),
      // Of a key that is cut nobody could tell the slot.
      sample.steady === undefined ? {} : { wordBytes: SLOT_BYTES_MAX },
    );
  }

  /** Takes the stream until the connection ends. */
  #listen({ socket, answer, rest }: ReplicaSession, signal: AbortSignal): Promise<void> {
    let inSnapshot = answer.kind === 'full';
    const framer = new SnapshotFramer({
      begin: () => undefined,
      bytes: () => undefined,
      end: () => {
        inSnapshot = false;
        this.#acknowledge(socket);
      },
    });
    return new Promise((resolve, reject) => {
      const finish = (error?: unknown): void => {
        clearTimeout(idle);
        signal.removeEventListener('abort', onAbort);
        socket.removeAllListeners('data').removeAllListeners('close').destroy();
        if (error === undefined) resolve();
        else reject(asError(error));
      };
      const onAbort = (): void => finish();
      const idle = setTimeout(() => finish(), this.#options.idleTimeoutMs);
      const take = (chunk: Buffer): void => {
        idle.refresh();
        try {
          const stream = inSnapshot ? framer.push(chunk) : chunk;
          if (stream.length > 0) this.#take(stream);
        } catch (error) {
          // Whatever this was, it cannot be continued.
          this.#position = undefined;
          this.#options.onGap();
          finish(error);
        }
      };
      if (signal.aborted || socket.destroyed) return finish();
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('data', take);
      socket.on('close', () => {
        // Half a snapshot is no place to continue from.
        if (inSnapshot) this.#position = undefined;
        finish();
      });
      take(rest);
      socket.resume();
    });
  }

  #take(stream: Buffer): void {
    const position = this.#position;
    if (position === undefined || this.#outline === undefined) return;
    this.#outline.push(stream);
    this.#position = { replid: position.replid, offset: position.offset + BigInt(stream.length) };
    this.#options.onProgress(this.#position.offset);
  }

  #acknowledge(socket: Socket): void {
    if (socket.destroyed) return;
    const offset = this.#options.hasReplicas() ? 0n : this.offset;
    socket.write(encodeCommand(['REPLCONF', 'ACK', offset < 0n ? 0n : offset]));
  }
}
