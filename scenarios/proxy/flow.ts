/**
 * One direction of one connection through a gate. Without toxics and watches a chunk goes straight on, with backpressure; with
 * them it is cut, changed, dropped, or kept until it is due. Order is always kept.
 *
 *   from ──chunk──▶ watch (may hold) ──▶ toxics ──▶ queue of what is not due yet ──▶ to
 */
import type { Socket } from 'node:net';
import { isDropping, type Stream, type Toxic, type ToxicEffect } from './toxic.ts';

/** Kept back in one direction before the sender is made to wait. */
const QUEUE_BYTES_MAX = 4 * 1024 * 1024;

/** What a flow needs of the gate it goes through. */
export interface FlowHost {
  toxics(stream: Stream): readonly Toxic[];
  effectOf(toxic: Toxic): ToxicEffect;
  /** Bytes this flow may still carry before a watch holds it; Infinity when none does. */
  bytesUntilWatch(stream: Stream, carried: number): number;
  /** It has come to the place of a watch; `goOn` is called when it is released. */
  reached(stream: Stream, carried: number, goOn: () => void): void;
  count(stream: Stream, bytes: number): void;
  /** Once only toxics: true for the first who asks, `times` times. */
  claim(toxic: Toxic, times: number): boolean;
  /** No other connection has carried more in this direction: it is the one that the data goes through. */
  isBusiest(stream: Stream, carried: number): boolean;
}

interface Piece {
  bytes: Buffer;
  dueMs: number;
}

export class Flow {
  /** Bytes were lost here: the connection must not go on. */
  tainted = false;
  readonly stream: Stream;
  readonly #host: FlowHost;
  readonly #from: Socket;
  readonly #to: Socket | undefined;
  /** Ends the connection here. */
  readonly #cut: () => void;
  /** Bytes seen by each toxic on this connection. */
  readonly #seen = new Map<string, number>();
  readonly #done = new Set<string>();
  #queue: Piece[] = [];
  #queuedBytes = 0;
  #lastDueMs = 0;
  #carried = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;
  #held: Buffer[] | undefined;
  #isOver = false;
  #onEmpty: (() => void) | undefined;

  constructor(host: FlowHost, stream: Stream, from: Socket, to: Socket | undefined, cut: () => void) {
    this.#host = host;
    this.stream = stream;
    this.#from = from;
    this.#to = to;
    this.#cut = cut;
    to?.on('drain', () => this.#onDrain());
  }

  /** Bytes that have come so far. */
  get carried(): number {
    return this.#carried;
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#held !== undefined) {
      this.#held.push(chunk);
      return;
    }
    const free = this.#host.bytesUntilWatch(this.stream, this.#carried);
    if (chunk.length < free) return this.#pass(chunk);
    this.#pass(chunk.subarray(0, free));
    this.#held = [chunk.subarray(free)];
    this.#from.pause();
    this.#host.reached(this.stream, this.#carried, () => this.#goOn());
  }

  /** Calls back once nothing is kept back any more. */
  whenEmpty(then: () => void): void {
    if (this.#queue.length === 0 && this.#held === undefined) then();
    else this.#onEmpty = then;
  }

  /** Nothing more passes, what is kept back is forgotten. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#queue = [];
    this.#held = undefined;
  }

  #goOn(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const chunk of held) this.push(chunk);
    this.#balance();
    this.#tellEmpty();
  }

  #pass(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#carried += chunk.length;
    this.#host.count(this.stream, chunk.length);
    const toxics = this.#host.toxics(this.stream);
    if (toxics.length === 0 && this.#queue.length === 0) return this.#write(chunk);
    this.#treat(chunk, toxics);
  }

  #treat(chunk: Buffer, toxics: readonly Toxic[]): void {
    let bytes = chunk;
    let pieces = [chunk];
    let delayMs = 0;
    let bytesPerMs = Infinity;
    let gapMs = 0;
    let isLast = false;
    for (const toxic of toxics) {
      const effect = this.#effect(toxic);
      if (isDropping(toxic)) {
        effect.droppedBytes += bytes.length;
        this.tainted = true;
        return;
      }
      switch (toxic.kind) {
        case 'latency':
          effect.bytes += bytes.length;
          delayMs += Math.max(0, toxic.latencyMs + (Math.random() * 2 - 1) * toxic.jitterMs);
          break;
        case 'bandwidth':
          effect.bytes += bytes.length;
          bytesPerMs = Math.min(bytesPerMs, toxic.bytesPerSecond / 1000);
          break;
        case 'slicer':
          effect.bytes += bytes.length;
          pieces = slice(bytes, toxic.bytes);
          gapMs = Math.max(gapMs, toxic.delayMs);
          break;
        case 'limit-data': {
          const seen = this.#see(toxic, bytes.length);
          const left = Math.max(0, toxic.bytes - seen);
          if (bytes.length <= left) break;
          effect.droppedBytes += bytes.length - left;
          bytes = bytes.subarray(0, left);
          pieces = [bytes];
          isLast = true;
          break;
        }
        case 'corrupt':
          bytes = this.#corrupt(toxic, bytes, effect);
          pieces = [bytes];
          break;
        case 'lose-bytes':
          bytes = this.#lose(toxic, bytes, effect);
          pieces = [bytes];
          break;
        default:
          break;
      }
      if (isLast) break;
    }
    for (const piece of pieces) this.#enqueue(piece, { delayMs, bytesPerMs, gapMs });
    if (isLast) this.whenEmpty(() => this.#cut());
  }

  #corrupt(toxic: Toxic & { kind: 'corrupt' }, bytes: Buffer, effect: ToxicEffect): Buffer {
    const at = toxic.afterBytes - this.#see(toxic, bytes.length);
    if (at < 0 || at >= bytes.length || this.#done.has(toxic.name) || !this.#host.claim(toxic, toxic.times))
      return bytes;
    this.#done.add(toxic.name);
    effect.bytes++;
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    return changed;
  }

  #lose(toxic: Toxic & { kind: 'lose-bytes' }, bytes: Buffer, effect: ToxicEffect): Buffer {
    const seen = this.#see(toxic, bytes.length);
    const from = Math.max(0, toxic.afterBytes - seen);
    const to = toxic.afterBytes + toxic.bytes - seen;
    if (from >= bytes.length || to <= 0) return bytes;
    // The hole is on one connection: whoever began it goes on with it.
    if (!this.#done.has(toxic.name)) {
      if (!this.#host.isBusiest(this.stream, this.#carried) || !this.#host.claim(toxic, 1)) return bytes;
    }
    this.#done.add(toxic.name);
    effect.droppedBytes += Math.min(to, bytes.length) - from;
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(Math.min(to, bytes.length))]);
  }

  /** Bytes that the toxic had seen on this connection before these. */
  #see(toxic: Toxic, bytes: number): number {
    const before = this.#seen.get(toxic.name) ?? 0;
    this.#seen.set(toxic.name, before + bytes);
    return before;
  }

  #effect(toxic: Toxic): ToxicEffect {
    const effect = this.#host.effectOf(toxic);
    if (!this.#seen.has(toxic.name)) {
      effect.connections++;
      this.#seen.set(toxic.name, 0);
    }
    return effect;
  }

  #enqueue(bytes: Buffer, pace: { delayMs: number; bytesPerMs: number; gapMs: number }): void {
    if (bytes.length === 0) return;
    const now = performance.now();
    const sendMs = pace.bytesPerMs === Infinity ? 0 : bytes.length / pace.bytesPerMs;
    const paced = this.#lastDueMs + pace.gapMs + sendMs;
    const dueMs = Math.max(now + pace.delayMs + sendMs, Math.max(paced, this.#lastDueMs));
    this.#lastDueMs = dueMs;
    this.#queue.push({ bytes, dueMs });
    this.#queuedBytes += bytes.length;
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    while (!this.#isBlocked) {
      const head = this.#queue[0];
      if (head === undefined || head.dueMs > now) break;
      this.#queue.shift();
      this.#queuedBytes -= head.bytes.length;
      this.#write(head.bytes);
    }
    const next = this.#queue[0];
    if (next !== undefined && !this.#isBlocked)
      this.#timer = setTimeout(() => this.#pump(), Math.max(0, next.dueMs - now));
    this.#balance();
    this.#tellEmpty();
  }

  #write(bytes: Buffer): void {
    if (this.#to === undefined || this.#to.destroyed) return;
    this.#isBlocked = !this.#to.write(bytes);
    if (this.#isBlocked) this.#from.pause();
  }

  #onDrain(): void {
    this.#isBlocked = false;
    if (this.#isOver) return;
    if (this.#queue.length > 0) this.#pump();
    else this.#balance();
  }

  #balance(): void {
    if (this.#isOver) return;
    if (this.#held !== undefined || this.#isBlocked || this.#queuedBytes > QUEUE_BYTES_MAX)
      this.#from.pause();
    else if (this.#from.isPaused()) this.#from.resume();
  }

  #tellEmpty(): void {
    if (this.#onEmpty === undefined || this.#queue.length > 0 || this.#held !== undefined) return;
    const then = this.#onEmpty;
    this.#onEmpty = undefined;
    then();
  }
}

function slice(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}
