/**
 * One command of many words, written while its words come: the words are encoded at once into a buffer that is used again
 * and again, the head (`*<n>`, name, key) is put in front when the chunk is complete. Sans-IO, no allocation per word.
 */
import { digits, encodeCommand, type Argument } from '../../resp/encode.ts';

/** Takes encoded commands. What `write` gets is copied during the call. */
export interface CommandOutput {
  write(bytes: Uint8Array, start: number, end: number): void;
  /** One command was written completely: one reply will come. */
  endCommand(): void;
}

/** Most words (elements, fields, …) and bytes of one command; a single larger element makes a larger command. */
const WORDS_MAX = 1000;
const BYTES_MAX = 64 * 1024;
const START_BYTES = 16 * 1024;
const KEPT_BYTES = 4 * BYTES_MAX;

export class CommandChunk {
  readonly #output: CommandOutput;
  #head: Buffer = Buffer.alloc(0);
  #headWords = 0;
  #body = Buffer.allocUnsafe(START_BYTES);
  #at = 0;
  #words = 0;

  constructor(output: CommandOutput) {
    this.#output = output;
  }

  /** The next commands begin with these words. */
  begin(head: readonly Argument[]): void {
    const encoded = encodeCommand(head);
    this.#head = encoded.subarray(encoded.indexOf(10) + 1);
    this.#headWords = head.length;
    this.#at = 0;
    this.#words = 0;
  }

  /** Words collected since the last `flush`. */
  get words(): number {
    return this.#words;
  }

  /** Time to `flush`, at the next place where the command may end. */
  get full(): boolean {
    return this.#words >= WORDS_MAX || this.#at >= BYTES_MAX;
  }

  add(word: Buffer): void {
    const length = word.length;
    this.#ensure(length + 32);
    this.#header(0x24, length);
    if (length < 48) {
      for (let index = 0; index < length; index++) this.#body[this.#at++] = word[index]!;
    } else {
      word.copy(this.#body, this.#at);
      this.#at += length;
    }
    this.#body[this.#at++] = 13;
    this.#body[this.#at++] = 10;
    this.#words++;
  }

  /** A short ASCII word. */
  addText(word: string): void {
    this.#ensure(word.length + 32);
    this.#header(0x24, word.length);
    this.#at += this.#body.write(word, this.#at, 'latin1');
    this.#body[this.#at++] = 13;
    this.#body[this.#at++] = 10;
    this.#words++;
  }

  /** Writes the command, if it has any words, and goes on with the same head. */
  flush(): void {
    if (this.#words === 0) return;
    const count = Buffer.from(`*${this.#headWords + this.#words}\r\n`, 'latin1');
    this.#output.write(count, 0, count.length);
    this.#output.write(this.#head, 0, this.#head.length);
    this.#output.write(this.#body, 0, this.#at);
    this.#output.endCommand();
    this.#at = 0;
    this.#words = 0;
    if (this.#body.length > KEPT_BYTES) this.#body = Buffer.allocUnsafe(START_BYTES);
  }

  #header(mark: number, value: number): void {
    const body = this.#body;
    body[this.#at++] = mark;
    const count = digits(value);
    let rest = value;
    for (let at = this.#at + count - 1; at >= this.#at; at--) {
      const next = Math.floor(rest / 10);
      body[at] = 48 + (rest - next * 10);
      rest = next;
    }
    this.#at += count;
    body[this.#at++] = 13;
    body[this.#at++] = 10;
  }

  #ensure(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#body.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#body.length * 2));
    this.#body.copy(grown, 0, 0, this.#at);
    this.#body = grown;
  }
}

/** Writes one whole command. */
export function writeCommand(output: CommandOutput, words: readonly Argument[]): void {
  const bytes = encodeCommand(words);
  output.write(bytes, 0, bytes.length);
  output.endCommand();
}
