/** The words of a framed command, looked at without copying. Valid as long as the frame. */
import type { CommandFrame } from '../../resp/command-framer.ts';

/** A rule asked for a word that the command does not have. */
export class MissingWord extends Error {
  override readonly name = 'MissingWord';
}

/** Longer words are no options: no need to look at them as text. */
const OPTION_BYTES_MAX = 24;

export class CommandWords {
  readonly #frame: CommandFrame;

  constructor(frame: CommandFrame) {
    this.#frame = frame;
  }

  get length(): number {
    return this.#frame.argc;
  }

  /** A view. @throws MissingWord: behind the end stand the words of another command. */
  at(index: number): Buffer {
    if (index >= this.length) throw new MissingWord(`word ${index} of ${this.length}`);
    const { buffer, argStart, argEnd } = this.#frame;
    return buffer.subarray(argStart[index], argEnd[index]);
  }

  /** The words from `from` on, up to (without) `to`. */
  slice(from: number, to = this.length): Buffer[] {
    const words: Buffer[] = [];
    for (let index = from; index < to; index++) words.push(this.at(index));
    return words;
  }

  /** The word as an option or name: upper-case; '' when there is none or it is too long to be one. */
  upper(index: number): string {
    if (index >= this.length) return '';
    const { buffer, argStart, argEnd } = this.#frame;
    const start = argStart[index] ?? 0;
    const end = argEnd[index] ?? 0;
    return end - start > OPTION_BYTES_MAX ? '' : buffer.toString('latin1', start, end).toUpperCase();
  }

  text(index: number): string {
    return index >= this.length ? '' : this.at(index).toString('latin1');
  }

  /** NaN when it is not a number. */
  number(index: number): number {
    const text = this.text(index);
    return text === '' ? NaN : Number(text);
  }

  /** Position of an option from `from` on, or -1. */
  find(option: string, from: number): number {
    for (let index = from; index < this.length; index++) if (this.upper(index) === option) return index;
    return -1;
  }
}
