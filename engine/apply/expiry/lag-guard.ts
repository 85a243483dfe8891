/**
 * How far ahead a deadline must be to be left alone: the guard while the link keeps up, more while it has been slow lately,
 * and all of the grace while it is behind. Pure.
 */

/** Of the largest lag in the last minute or two. */
const LAGS = 3;
const WINDOW_MS = 60_000;

export class LagGuard {
  readonly #guardMs: number;
  #caughtUp = false;
  /** Largest lags of the window that runs and of the one before. */
  #worstMs = 0;
  #worstBeforeMs = 0;
  #windowEndsMs = -Infinity;
  /** Largest time that bytes waited between arrival and being looked at, since the last measurement. */
  #waitedMs = 0;

  constructor(guardMs: number) {
    this.#guardMs = guardMs;
  }

  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** From now on, until measured otherwise. */
  behind(): void {
    this.#caughtUp = false;
  }

  /** Bytes waited so long in the log. */
  waited(agoMs: number): void {
    if (agoMs > this.#waitedMs) this.#waitedMs = agoMs;
    if (agoMs >= this.#guardMs) this.#caughtUp = false;
  }

  /** The target is so far behind the source; undefined when nothing tells. */
  measured(lagMs: number | undefined, nowMs: number): void {
    const worst = Math.max(lagMs ?? Infinity, this.#waitedMs);
    this.#waitedMs = 0;
    this.#caughtUp = worst < this.#guardMs;
    if (!this.#caughtUp) return;
    if (nowMs >= this.#windowEndsMs) {
      this.#worstBeforeMs = nowMs < this.#windowEndsMs + WINDOW_MS ? this.#worstMs : 0;
      this.#worstMs = 0;
      this.#windowEndsMs = nowMs + WINDOW_MS;
    }
    this.#worstMs = Math.max(this.#worstMs, worst);
  }

  /** Deadlines closer than this must not be left to the target. */
  horizonMs(graceMs: number): number {
    if (!this.#caughtUp) return graceMs;
    const slow = LAGS * Math.max(this.#worstMs, this.#worstBeforeMs);
    return Math.min(graceMs, Math.max(this.#guardMs, slow));
  }
}
