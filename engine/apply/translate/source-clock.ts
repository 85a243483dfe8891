/**
 * When a command was executed, by the source's clock: what a relative expiry (`EXPIRE k 10`, from sources before 7.0)
 * counts from.
 *
 *   sent (heartbeat, ours)        arrived (ours)
 *        │◀── delay of a heartbeat ──▶│          offset = source's clock − ours, from TIME
 *
 * A command was executed before it arrived, and it has waited at most as long as the heartbeats around it: so the estimate
 * is `arrived − delay + interval of heartbeats`, but never later than `arrived`. While we keep up that is `arrived`, off by
 * the way of the bytes. Behind a full sync or a lost connection, when the source sends what it has kept, it is at most one
 * interval late. Without heartbeats it is `arrived`: late by as long as the source has kept the command. It is not early by
 * more than the offset is wrong (half a round trip of TIME). Late does no harm to data: the source itself says DEL.
 */

/** Of each sample: how long ago it still says something, in intervals. */
const FRESH_INTERVALS = 3;

interface Sample {
  arrivedMs: number;
  delayMs: number;
}

export class SourceClock {
  readonly #intervalMs: number;
  readonly #offset: () => number | undefined;
  #arrivedMs: number | undefined;
  /** Heartbeats of the last few intervals. */
  #samples: Sample[] = [];

  /**
   * @param intervalMs between heartbeats; 0 = there are none.
   * @param offset the source's clock minus ours, ms; undefined while it is not known.
   */
  constructor(intervalMs: number, offset: () => number | undefined) {
    this.#intervalMs = intervalMs;
    this.#offset = offset;
  }

  /** What is read next arrived then, by our clock. */
  arrived(atMs: number): void {
    this.#arrivedMs = atMs;
  }

  /** A heartbeat that says when it was sent, by our clock. */
  heartbeat(sentAtMs: number): void {
    const arrivedMs = this.#arrivedMs;
    if (arrivedMs === undefined || this.#intervalMs === 0) return;
    const oldest = arrivedMs - FRESH_INTERVALS * this.#intervalMs;
    this.#samples = this.#samples.filter((sample) => sample.arrivedMs >= oldest);
    this.#samples.push({ arrivedMs, delayMs: Math.max(0, arrivedMs - sentAtMs) });
  }

  /** The offset is measured: what is converted is as good as said above. */
  get known(): boolean {
    return this.#offset() !== undefined;
  }

  /** When the command at hand was executed, ms since the epoch by the source's clock. */
  executedAtMs(nowMs: number): number {
    const arrivedMs = this.#arrivedMs ?? nowMs;
    const oldest = arrivedMs - FRESH_INTERVALS * this.#intervalMs;
    let delayMs = Infinity;
    for (const sample of this.#samples) {
      if (sample.arrivedMs >= oldest) delayMs = Math.min(delayMs, sample.delayMs);
    }
    const executed =
      delayMs === Infinity ? arrivedMs : Math.min(arrivedMs, arrivedMs - delayMs + this.#intervalMs);
    return executed + (this.#offset() ?? 0);
  }
}
