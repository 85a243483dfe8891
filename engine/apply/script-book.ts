/**
 * Scripts that came as text: old sources (3.2 to 6.2 with `lua-replicate-commands no`) send EVAL and EVALSHA as their clients
 * did, and whoever has a script's body sends it along, so that no emptied script cache makes a target forget it.
 *
 * Stream forms, measured on Redis 6.0.16: a body comes as EVAL when a script is first used after a full sync, later perhaps
 * as EVALSHA; SCRIPT LOAD and SCRIPT FLUSH come as they are; a snapshot carries the bodies of all loaded scripts in AUX fields
 * named `lua`. From 7.0 on none of them comes.
 */
import { createHash } from 'node:crypto';
import type { CommandFrame } from '../resp/command-framer.ts';

/** Of all bodies together. The oldest are forgotten: then the target must have them. */
const BYTES_MAX = 16 * 1024 * 1024;

export class ScriptBook {
  /** By SHA1 in lower case, the least recently used first. */
  readonly #bodies = new Map<string, Buffer>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax = BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Keeps a copy; returns its SHA1. */
  remember(body: Buffer): string {
    const sha = createHash('sha1').update(body).digest('hex');
    const known = this.#bodies.get(sha);
    const copy = known ?? Buffer.from(body);
    if (known === undefined) this.#bytes += body.length;
    this.#bodies.delete(sha);
    this.#bodies.set(sha, copy);
    for (const [oldest, bytes] of this.#bodies) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#bodies.delete(oldest);
      this.#bytes -= bytes.length;
    }
    return sha;
  }

  bodyOf(sha: string): Buffer | undefined {
    return this.#bodies.get(sha);
  }
}

/** One EVAL or EVALSHA of the stream. */
export interface ScriptRun {
  sha: string;
  /** Undefined when only the target can know it. */
  body: Buffer | undefined;
  /** Declared keys; views into the frame. */
  keys: Buffer[];
}

/** EVAL body numkeys key … arg …, or EVALSHA with the SHA1 in its place. */
export function readScriptRun(frame: CommandFrame, name: 'eval' | 'evalsha', book: ScriptBook): ScriptRun {
  const word = (index: number): Buffer =>
    index < frame.argc
      ? frame.buffer.subarray(frame.argStart[index], frame.argEnd[index])
      : frame.buffer.subarray(0, 0);
  const numkeys = Number(word(2).toString('latin1'));
  const last = Math.min(frame.argc, 3 + (Number.isInteger(numkeys) && numkeys > 0 ? numkeys : 0));
  const keys: Buffer[] = [];
  for (let index = 3; index < last; index++) keys.push(word(index));
  if (name === 'eval') {
    const sha = book.remember(word(1));
    return { sha, body: book.bodyOf(sha), keys };
  }
  const sha = word(1).toString('latin1').toLowerCase();
  return { sha, body: book.bodyOf(sha), keys };
}
