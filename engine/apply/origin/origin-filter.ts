/**
 * Tells in a source's stream what clients wrote from what links applied, and what of that is to go on. Sans-IO.
 *
 *   MULTI · HSET redis-sync:link:<id> … path <p> … · commands · EXEC      applied by a link; begins with its checkpoint
 *   MULTI · HSET redis-sync:loading:<id> path <p> · commands · EXEC       the same in a full sync
 *   … · HSET redis-sync:link:<id> path <q> · commands …                   from here on the path is another one
 *
 *   HSET redis-sync:loading:<id>:{…} path * begins 1                      a full sync of a cluster begins: not marked key by key
 *
 * SELECT may stand anywhere, also in front of the mark. A transaction that changed nothing but the mark comes without MULTI,
 * as a command on a key of our own.
 */
import type { CommandFrame } from '../../resp/command-framer.ts';
import { LINK_KEY_PREFIX, LOADING_KEY_PREFIX } from '../checkpoint.ts';
import { ANYWHERE, hasVisited, originOf, ownPath, pathThrough, type Origins } from './origin-path.ts';

const MARKS = [Buffer.from(LINK_KEY_PREFIX), Buffer.from(LOADING_KEY_PREFIX)];
const PATH = Buffer.from('path');
const OFFSET = Buffer.from('offset');
/** Field of the mark by which a cluster's streams say that a full sync begins (cluster/circle-marks.ts). */
export const LOADING_BEGINS = 'begins';
const BEGINS = Buffer.from(LOADING_BEGINS);

/** What is to be done with a command. */
export type OriginVerdict =
  | 'forward'
  /** Says where what follows comes from. */
  | 'mark'
  /** The target has been there. */
  | 'visited'
  /** So has the source itself: somebody has brought its own data back to it. */
  | 'echo'
  /** From here on nobody can tell what clients write from what a full sync brings. */
  | 'loading';

/** A mark of a link, as read in the source's stream. */
export interface OriginMark {
  /** `redis-sync:link:<id>` or `redis-sync:loading:<id>`. */
  key: string;
  /** Up to where the stream of that link's source is applied here; undefined in a full sync. */
  offset: bigint | undefined;
}

export class OriginFilter {
  readonly #origins: Origins;
  readonly #own: string;
  readonly #onMark: ((mark: OriginMark) => void) | undefined;
  #place: 'outside' | 'begun' | 'written' | 'applied' = 'outside';
  #path: string;
  #verdict: OriginVerdict = 'forward';
  #origin: string;
  /** Paths are few, and each comes again and again. */
  readonly #seen = new Map<string, { path: string; verdict: OriginVerdict; origin: string }>();

  constructor(origins: Origins, onMark?: (mark: OriginMark) => void) {
    this.#origins = origins;
    this.#own = ownPath(origins);
    this.#path = this.#own;
    this.#origin = origins.source;
    this.#onMark = onMark;
  }

  /** The instance that what is read now was written to by a client. */
  get origin(): string {
    return this.#origin;
  }

  /** The path to be named with what is forwarded now. */
  get path(): string {
    return this.#path;
  }

  /** What is read now was written by a client of the source. */
  get isLocal(): boolean {
    return this.#place !== 'applied';
  }

  /** MULTI. */
  begin(): void {
    this.#place = 'begun';
    this.#reset();
  }

  /** EXEC. */
  end(): void {
    this.#place = 'outside';
    this.#reset();
  }

  /** For every command that is data; not for SELECT. */
  judge(frame: CommandFrame): OriginVerdict {
    if (this.#place === 'written') return 'forward';
    const path = markedPath(frame);
    if (this.#place === 'outside') {
      // Nothing but the mark was changed.
      if (path === ANYWHERE && fieldOf(frame, BEGINS) !== undefined) return 'loading';
      if (path !== undefined) this.#onMark?.(markOf(frame));
      return path === undefined ? 'forward' : 'mark';
    }
    if (path !== undefined) {
      this.#place = 'applied';
      this.#adopt(path);
      this.#onMark?.(markOf(frame));
      return 'mark';
    }
    if (this.#place === 'begun') this.#place = 'written';
    return this.#verdict;
  }

  #reset(): void {
    this.#path = this.#own;
    this.#origin = this.#origins.source;
    this.#verdict = 'forward';
  }

  #adopt(path: string): void {
    let known = this.#seen.get(path);
    if (known === undefined) {
      const { source, target } = this.#origins;
      const isEcho = path !== ANYWHERE && hasVisited(path, source);
      const verdict = isEcho ? 'echo' : hasVisited(path, target) ? 'visited' : 'forward';
      known = { path: pathThrough(path, this.#origins), verdict, origin: originOf(path) };
      if (this.#seen.size < SEEN_MAX) this.#seen.set(path, known);
    }
    this.#path = known.path;
    this.#origin = known.origin;
    this.#verdict = known.verdict;
  }
}

const SEEN_MAX = 1000;

/** The path of a mark; undefined when the command is none. */
function markedPath(frame: CommandFrame): string | undefined {
  const { buffer, argc, argStart, argEnd } = frame;
  if (argc < 4 || argEnd[0]! - argStart[0]! !== 4 || !startsWithMark(frame)) return undefined;
  if (buffer.toString('latin1', argStart[0], argEnd[0]).toUpperCase() !== 'HSET') return undefined;
  return fieldOf(frame, PATH);
}

function markOf(frame: CommandFrame): OriginMark {
  const offset = fieldOf(frame, OFFSET);
  return {
    key: frame.buffer.toString('utf8', frame.argStart[1], frame.argEnd[1]),
    offset: offset === undefined ? undefined : BigInt(offset),
  };
}

function startsWithMark({ buffer, argStart, argEnd }: CommandFrame): boolean {
  const start = argStart[1]!;
  return MARKS.some(
    (mark) =>
      argEnd[1]! - start > mark.length &&
      buffer.compare(mark, 0, mark.length, start, start + mark.length) === 0,
  );
}

function fieldOf({ buffer, argc, argStart, argEnd }: CommandFrame, name: Buffer): string | undefined {
  for (let at = 2; at + 1 < argc; at += 2) {
    const isIt = buffer.compare(name, 0, name.length, argStart[at], argEnd[at]) === 0;
    if (isIt) return buffer.toString('latin1', argStart[at + 1], argEnd[at + 1]);
  }
  return undefined;
}
