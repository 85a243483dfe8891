/**
 * When commands are due: at a constant rate from the start, whatever the servers do. That is what makes the loop open: a
 * slow server meets the same load and shows lag, instead of quietly being asked less.
 */
export class Arrivals {
  readonly #perMs: number;
  readonly #startMs: number;
  #issued = 0;

  /** @param startMs the moment of the first arrival, on the clock `due` is asked with. */
  constructor(ratePerSecond: number, startMs: number) {
    this.#perMs = ratePerSecond / 1000;
    this.#startMs = startMs;
  }

  /** How many arrivals fell due since the last call. */
  due(nowMs: number): number {
    const total = Math.max(this.#issued, Math.floor((nowMs - this.#startMs) * this.#perMs));
    const fresh = total - this.#issued;
    this.#issued = total;
    return fresh;
  }

  /** Arrivals that have fallen due so far. */
  get scheduled(): number {
    return this.#issued;
  }
}
