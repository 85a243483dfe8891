/**
 * What the command stream says about expiries: deadlines to be deferred, and keys that go or move with one. Sans-IO.
 *
 * An envelope may have to wait (the target is down), and what was not near when it was filled is near when it is sent: then
 * it is looked at again.
 */
import { CommandFramer, type CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommand, type Argument } from '../../resp/encode.ts';
import { checkpointKey, encodeCheckpoint } from '../checkpoint.ts';
import type { Envelope } from '../envelope.ts';
import type { Treatment } from '../treatments.ts';
import { placeDeadlines } from './deadline-words.ts';
import type { ExpiryKeeper } from './expiry-keeper.ts';

/** Of the guard that must be left when an envelope is sent: it covers the envelope's own way. */
const LEFT_SHARE = 0.5;

/** Of an envelope, by the target's clock. */
export interface WrittenDeadlines {
  /** The nearest of those written as they were. */
  nearestMs: number;
  /** When the first of its deadlines was looked at. */
  sinceMs: number;
}

const NONE: WrittenDeadlines = { nearestMs: Infinity, sinceMs: Infinity };

export class StreamExpiry {
  readonly #keeper: ExpiryKeeper;
  readonly #guardMs: number;
  /** Of the envelope that is being filled. */
  #written: WrittenDeadlines = { ...NONE };

  constructor(keeper: ExpiryKeeper, guardMs: number) {
    this.#keeper = keeper;
    this.#guardMs = guardMs;
  }

  /** The chunk that comes next waited so long in the log. */
  waited(agoMs: number): void {
    this.#keeper.waited(agoMs);
  }

  /** A command with this treatment may have something to say. */
  static concerns(treatment: Treatment): boolean {
    return treatment === 'set' || treatment === 'expire' || treatment === 'restore' || treatment === 'fields';
  }

  /** The command with its deadlines deferred, or null when it stays as it is. `offset`: its end in the stream. */
  defer(words: readonly Argument[], database: number, offset: bigint): Argument[] | null {
    const written = this.#written;
    return placeDeadlines(words, (key, field, deadlineMs) => {
      if (written.sinceMs === Infinity) written.sinceMs = this.#keeper.targetNowMs();
      const placedMs = this.#keeper.deadline(database, key, field, deadlineMs, Number(offset));
      if (placedMs === deadlineMs && deadlineMs < written.nearestMs) written.nearestMs = deadlineMs;
      return placedMs;
    });
  }

  /** The same for commands that are encoded already. */
  deferEncoded(bytes: Buffer, database: number, offset: bigint): Buffer {
    const pieces: Buffer[] = [];
    const framer = new CommandFramer((frame) => {
      const deferred = this.defer(wordsOf(frame), database, offset);
      pieces.push(
        deferred === null ? frame.buffer.subarray(frame.start, frame.end) : encodeCommand(deferred),
      );
    });
    framer.push(bytes);
    return Buffer.concat(pieces);
  }

  /** Keys that go or move. */
  observe(frame: CommandFrame, treatment: Treatment, database: number, offset: bigint): void {
    if (this.#keeper.count === 0) return;
    switch (treatment) {
      case 'delete':
        for (let index = 1; index < frame.argc; index++) this.#keeper.forget(database, word(frame, index));
        return;
      case 'rename':
      case 'renamenx':
        return this.#move(frame, database, database, word(frame, 2), offset);
      case 'copy':
        return this.#move(frame, database, databaseOption(frame) ?? database, word(frame, 2), offset);
      case 'move':
        return this.#move(frame, database, Number(word(frame, 2).toString('latin1')), word(frame, 1), offset);
      default:
        return;
    }
  }

  swapped(): void {
    this.#keeper.swapped();
  }

  flushed(): void {
    this.#keeper.flushed();
  }

  /** An envelope is full: what was written in it. `goesOn`: the next one begins with commands that were looked at already. */
  take(goesOn: boolean): WrittenDeadlines {
    const written = this.#written;
    this.#written = goesOn ? { ...written } : { ...NONE };
    return written;
  }

  /** For the checkpoint. */
  get mark(): number | undefined {
    return this.#keeper.mark;
  }

  /** What was filled into it as not near has become so. */
  isOverdue({ deadlines }: Envelope): boolean {
    if (deadlines.nearestMs === Infinity || this.#keeper.defersNothing) return false;
    return deadlines.nearestMs < this.#keeper.targetNowMs() + this.#guardMs * LEFT_SHARE;
  }

  /** The same envelope with what is near now deferred. Its `release` is that of the old one. */
  renew(envelope: Envelope, link: string): Envelope {
    this.#keeper.fellBehind();
    const { deadlines, checkpoint: before } = envelope;
    // What was deferred already is later than that.
    const newestMs = deadlines.sinceMs + this.#keeper.graceMs / 2;
    let nearestMs = Infinity;
    const pieces: Buffer[] = [];
    let database = 0;
    const checkpoints: number[] = [];
    const framer = new CommandFramer((frame) => {
      const words = wordsOf(frame);
      const name = words[0]?.toString('latin1').toUpperCase();
      if (name === 'SELECT') database = Number(words[1]?.toString('latin1'));
      // A shorter one says only where what follows comes from.
      if (name === 'HSET' && words.length > 4 && words[1]?.toString() === checkpointKey(link))
        checkpoints.push(pieces.length);
      const deferred = placeDeadlines(words, (key, field, deadlineMs) => {
        if (deadlineMs >= newestMs) return deadlineMs;
        const placedMs = this.#keeper.place(deadlineMs);
        if (placedMs === deadlineMs) nearestMs = Math.min(nearestMs, deadlineMs);
        else this.#keeper.rememberOlder({ database, key, field, deadlineMs, offset: Number(before.offset) });
        return placedMs;
      });
      pieces.push(
        deferred === null
          ? Buffer.from(frame.buffer.subarray(frame.start, frame.end))
          : encodeCommand(deferred),
      );
    });
    framer.push(envelope.bytes);
    const checkpoint = { ...before, graceMs: this.#keeper.mark };
    for (const index of checkpoints) pieces[index] = encodeCheckpoint(checkpointKey(link), checkpoint);
    return { ...envelope, checkpoint, bytes: Buffer.concat(pieces), deadlines: { ...deadlines, nearestMs } };
  }

  #move(frame: CommandFrame, from: number, to: number, toKey: Buffer, offset: bigint): void {
    this.#keeper.moved({ database: from, key: word(frame, 1) }, { database: to, key: toKey }, Number(offset));
  }
}

export function wordsOf(frame: CommandFrame): Buffer[] {
  return Array.from({ length: frame.argc }, (_, index) => word(frame, index));
}

function word({ buffer, argc, argStart, argEnd }: CommandFrame, index: number): Buffer {
  return index < argc ? buffer.subarray(argStart[index], argEnd[index]) : buffer.subarray(0, 0);
}

/** COPY key to DB n. */
function databaseOption(frame: CommandFrame): number | undefined {
  for (let index = 3; index + 1 < frame.argc; index++)
    if (word(frame, index).toString('latin1').toUpperCase() === 'DB')
      return Number(word(frame, index + 1).toString('latin1'));
  return undefined;
}
