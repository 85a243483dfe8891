/**
 * What a stream of commands is about, without its contents: of each command the first words, each cut to some bytes; the rest
 * is passed over, whatever its size. Memory is bounded by the outline, not by the commands. Sans-IO.
 *
 *   *<words>\r\n  $<bytes>\r\n <bytes> \r\n  …
 */
import { SyncError } from '../errors.ts';

export interface Outline {
  /** Words of the command, the name included. */
  argc: number;
  /** The first of them, perhaps cut. Views: valid during the callback. */
  words: Buffer[];
  /** Bytes of the stream up to the end of the command. */
  end: number;
}

export interface OutlineOptions {
  /** So many words are kept. Default 3. */
  words?: number;
  /** So many bytes of each. Default 512. */
  wordBytes?: number;
}

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 13;
const LF = 10;
const ZERO = 0x30;
const NINE = 0x39;
const NUMBER_MAX = 2 ** 40;

type State =
  | 'start'
  | 'count'
  | 'count-end'
  | 'mark'
  | 'length'
  | 'length-end'
  | 'body'
  | 'body-cr'
  | 'body-lf';

export class CommandOutline {
  readonly #onCommand: (outline: Outline) => void;
  readonly #wordsMax: number;
  readonly #wordBytesMax: number;
  #state: State = 'start';
  /** The number being read: words of the command, or bytes of the word. */
  #number = 0;
  #argc = 0;
  #index = 0;
  /** Bytes of the word that are still to come. */
  #left = 0;
  #words: Buffer[] = [];
  /** Of the word being read. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #before = 0;

  constructor(onCommand: (outline: Outline) => void, options: OutlineOptions = {}) {
    this.#onCommand = onCommand;
    this.#wordsMax = options.words ?? 3;
    this.#wordBytesMax = options.wordBytes ?? 512;
  }

  /** Between two commands. */
  get isBetween(): boolean {
    return this.#state === 'start';
  }

  /** @throws SyncError PROTOCOL. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at);
    this.#before += chunk.length;
    // What is kept of a word in this chunk is gone with the chunk.
    this.#kept = this.#kept.map((part) => Buffer.from(part));
    this.#words = this.#words.map((word) => Buffer.from(word));
  }

  #step(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? 0;
    switch (this.#state) {
      case 'start':
        if (byte === LF) return at + 1;
        if (byte !== STAR) throw notACommand(chunk, at);
        return this.#begin('count', at);
      case 'count':
      case 'length':
        return this.#digits(chunk, at);
      case 'count-end':
        if (byte !== LF || this.#number === 0) throw notACommand(chunk, at);
        this.#argc = this.#number;
        this.#index = 0;
        this.#words = [];
        this.#state = 'mark';
        return at + 1;
      case 'mark':
        if (byte !== DOLLAR) throw notACommand(chunk, at);
        return this.#begin('length', at);
      case 'length-end':
        if (byte !== LF) throw notACommand(chunk, at);
        this.#left = this.#number;
        this.#kept = [];
        this.#keptBytes = 0;
        this.#state = this.#left === 0 ? 'body-cr' : 'body';
        return at + 1;
      case 'body':
        return this.#body(chunk, at);
      case 'body-cr':
        if (byte !== CR) throw notACommand(chunk, at);
        this.#state = 'body-lf';
        return at + 1;
      case 'body-lf':
        if (byte !== LF) throw notACommand(chunk, at);
        this.#endWord(at + 1);
        return at + 1;
      default:
        return this.#state satisfies never;
    }
  }

  #begin(state: 'count' | 'length', at: number): number {
    this.#state = state;
    this.#number = 0;
    return at + 1;
  }

  #digits(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === CR) {
        this.#state = this.#state === 'count' ? 'count-end' : 'length-end';
        return at + 1;
      }
      if (byte < ZERO || byte > NINE) throw notACommand(chunk, at);
      this.#number = this.#number * 10 + byte - ZERO;
      if (this.#number > NUMBER_MAX) throw notACommand(chunk, at);
    }
    return at;
  }

  #body(chunk: Buffer, at: number): number {
    const take = Math.min(this.#left, chunk.length - at);
    if (this.#index < this.#wordsMax && this.#keptBytes < this.#wordBytesMax) {
      const keep = Math.min(take, this.#wordBytesMax - this.#keptBytes);
      this.#kept.push(chunk.subarray(at, at + keep));
      this.#keptBytes += keep;
    }
    this.#left -= take;
    if (this.#left === 0) this.#state = 'body-cr';
    return at + take;
  }

  #endWord(at: number): void {
    if (this.#index < this.#wordsMax)
      this.#words.push(this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept));
    this.#kept = [];
    this.#index++;
    if (this.#index < this.#argc) {
      this.#state = 'mark';
      return;
    }
    this.#state = 'start';
    const words = this.#words;
    this.#words = [];
    this.#onCommand({ argc: this.#argc, words, end: this.#before + at });
  }
}

function notACommand(buffer: Buffer, at: number): SyncError {
  const shown = JSON.stringify(buffer.toString('latin1', at, Math.min(at + 40, buffer.length)));
  return new SyncError('PROTOCOL', `The command stream has ${shown} where a command should go on.`);
}
