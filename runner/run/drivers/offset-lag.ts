/**
 * Lag in time from offsets alone: when did the source stand where the target stands now? Exact to the interval at which both
 * are looked at, and never too small.
 */

/** Looks kept while nothing is applied; then the oldest go, and the lag becomes a lower bound of itself. */
const MARKS_MAX = 100_000;

export class OffsetLag {
  readonly #now: () => number;
  #marks: { offset: bigint; atMs: number }[] = [];
  #applied = -1n;

  /** @param now monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The source stands at this offset now. */
  wrote(offset: bigint): void {
    if ((this.#marks.at(-1)?.offset ?? this.#applied) >= offset) return;
    if (this.#marks.length < MARKS_MAX) this.#marks.push({ offset, atMs: this.#now() });
  }

  /** The target stands at this offset now. @returns the lag of every mark that it has passed, ms. */
  applied(offset: bigint): number[] {
    this.#applied = offset;
    const now = this.#now();
    const passed = this.#marks.filter((mark) => mark.offset <= offset);
    this.#marks = this.#marks.filter((mark) => mark.offset > offset);
    return passed.map(({ atMs }) => Math.round(now - atMs));
  }

  /** How long the oldest byte that is not applied has waited, ms. */
  get nowMs(): number {
    const [oldest] = this.#marks;
    return oldest === undefined ? 0 : Math.round(this.#now() - oldest.atMs);
  }
}
