/**
 * Tells in a source's stream a DEL that is its own expiry of a key: the key's deadline, seen in the same stream, has come. Where
 * links go in circles such a DEL stays where it is: the other side has the same deadline, or the key was renewed there, and then
 * this DEL would take it away from its owner.
 *
 * Bounded: of more keys with a deadline than fit the oldest are forgotten, and their DEL goes on like a client's.
 */
import { findKeys } from '../../keys/key-positions.ts';
import type { CommandFrame } from '../../resp/command-framer.ts';
import { placeDeadlines } from '../expiry/deadline-words.ts';
import { StreamExpiry, wordsOf } from '../expiry/stream-expiry.ts';
import { NameTable } from '../translate/name-table.ts';
import type { Treatment } from '../treatments.ts';

const DEADLINES_MAX = 50_000;
/** Of the source's clock, as we know it. */
const TOLERANCE_MS = 100;

/** Commands that leave a key's deadline as it is. */
const keeping = new NameTable<true>();
for (const name of (
  'INCR DECR INCRBY DECRBY APPEND SETRANGE SETBIT BITFIELD PFADD HSET HMSET HSETNX HDEL HINCRBY LPUSH RPUSH LPUSHX RPUSHX ' +
  'LPOP RPOP LSET LREM LTRIM LINSERT SADD SREM ZADD ZREM ZINCRBY ZPOPMIN ZPOPMAX XADD XDEL XTRIM XACK XCLAIM'
).split(' '))
  keeping.set(name, true);

export class OwnExpiries {
  readonly #sourceNowMs: () => number;
  readonly #deadlines = new Map<string, number>();
  readonly #positions: number[] = [];

  constructor(sourceNowMs: () => number) {
    this.#sourceNowMs = sourceNowMs;
  }

  /** Every command of the stream that is data, whoever wrote it. True when it is the source's own expiry of a key. */
  observe(frame: CommandFrame, treatment: Treatment, database: number): boolean {
    const isExpiry = treatment === 'delete' && frame.argc === 2 && this.#isOver(frame, database);
    if (StreamExpiry.concerns(treatment) && this.#remember(frame, database)) return false;
    this.#forget(frame, database);
    return isExpiry;
  }

  #isOver(frame: CommandFrame, database: number): boolean {
    const deadlineMs = this.#deadlines.get(idOf(frame, 1, database));
    return deadlineMs !== undefined && deadlineMs <= this.#sourceNowMs() + TOLERANCE_MS;
  }

  #remember(frame: CommandFrame, database: number): boolean {
    let hasDeadline = false;
    placeDeadlines(wordsOf(frame), (key, field, deadlineMs) => {
      if (field !== undefined) return deadlineMs;
      hasDeadline = true;
      const id = `${database}:${key.toString('latin1')}`;
      this.#deadlines.delete(id);
      this.#deadlines.set(id, deadlineMs);
      return deadlineMs;
    });
    const [oldest] = this.#deadlines.keys();
    if (this.#deadlines.size > DEADLINES_MAX && oldest !== undefined) this.#deadlines.delete(oldest);
    return hasDeadline;
  }

  #forget(frame: CommandFrame, database: number): void {
    const { buffer, argStart, argEnd, argc } = frame;
    if (this.#deadlines.size === 0 || keeping.get(buffer, argStart[0]!, argEnd[0]!)) return;
    const positions = this.#positions;
    positions.length = 0;
    // What is not known may have touched anything.
    if (!findKeys(frame, positions) || argc === 1) return this.#deadlines.clear();
    for (const position of positions) this.#deadlines.delete(idOf(frame, position, database));
  }
}

function idOf({ buffer, argStart, argEnd }: CommandFrame, position: number, database: number): string {
  return `${database}:${buffer.toString('latin1', argStart[position], argEnd[position])}`;
}
