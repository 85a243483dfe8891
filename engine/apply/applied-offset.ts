/** How far a stream is applied, and the source's questions about it. */
export class AppliedOffset {
  #offset: bigint;
  #askedAt: bigint | undefined;
  readonly #tell: () => void;
  readonly #onAdvanced: (() => void) | undefined;

  /** @param tell tells the source where we are. @param onAdvanced called before that. */
  constructor(start: bigint, tell: () => void, onAdvanced?: () => void) {
    this.#offset = start;
    this.#tell = tell;
    this.#onAdvanced = onAdvanced;
  }

  get value(): bigint {
    return this.#offset;
  }

  advance(offset: bigint): void {
    this.#offset = offset;
    this.#onAdvanced?.();
    if (this.#askedAt === undefined || offset < this.#askedAt) return;
    this.#askedAt = undefined;
    this.#tell();
  }

  /** The source gets an answer at once, and another when everything up to its question is applied (WAIT waits for it). */
  asked(at: bigint): void {
    this.#askedAt = at;
    this.#tell();
  }
}

/** One waiter for something that happens now and then. */
export class Wake {
  #wake: (() => void) | undefined;

  /** Resolves at the next `up`. */
  next(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  up(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
