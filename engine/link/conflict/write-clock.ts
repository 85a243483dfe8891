/**
 * When a write was executed, by our clock, from when it reached us. Redis keeps no such time.
 *
 *   heartbeat   sent s ─▶ executed ─▶ arrived a        somewhere in [s, a], and so was what stands next to it in the stream
 *
 * So a write that arrived at t was executed about (a − s) / 2 before, and not off by more than that, as long as the way takes
 * what it took the last heartbeat. When none came for longer than two intervals the stream stood still: then all that is
 * known is that the write came after the last one. One clock for both sides: theirs may differ as they like.
 */

export interface WriteTime {
  atMs: number;
  /** Not off by more; Infinity when no heartbeat was seen. */
  errorMs: number;
}

export class WriteClock {
  readonly #intervalMs: number;
  #arrivedMs = 0;
  #lastSentMs: number | undefined;
  #wayMs = 0;
  #newestMs = -Infinity;

  /** @param intervalMs between two heartbeats; 0 = there are none. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  arrived(atMs: number): void {
    this.#arrivedMs = atMs;
  }

  heartbeat(sentAtMs: number): void {
    this.#lastSentMs = sentAtMs;
    this.#wayMs = Math.max(0, this.#arrivedMs - sentAtMs);
  }

  /** Of the write at hand. Never before the one before it. */
  now(): WriteTime {
    const time = this.#estimate();
    this.#newestMs = Math.max(this.#newestMs, time.atMs);
    return { atMs: this.#newestMs, errorMs: time.errorMs };
  }

  #estimate(): WriteTime {
    if (this.#lastSentMs === undefined) return { atMs: this.#arrivedMs, errorMs: Infinity };
    const sinceMs = this.#arrivedMs - this.#lastSentMs;
    if (sinceMs - this.#wayMs <= 2 * this.#intervalMs)
      return { atMs: this.#arrivedMs - this.#wayMs / 2, errorMs: Math.max(1, this.#wayMs / 2) };
    return { atMs: this.#lastSentMs + sinceMs / 2, errorMs: sinceMs / 2 };
  }
}
