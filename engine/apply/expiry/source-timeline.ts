/**
 * Which time of the source, by its own clock, is applied. Pure.
 *
 *   source   TIME = t   INFO: offset = o        asked in this order, so everything written before t has an offset ≤ o
 *   target   applied ≥ o                        so everything the source wrote before t is applied
 *
 * That is exact whatever the lag, and needs neither a heartbeat nor clocks that agree. A source that may not be asked leaves
 * when bytes arrived: they were written before that, and we take it that a source keeps nothing back for longer than
 * `HELD_BACK_MS`.
 */

/** How long a source is taken to keep a command in its output buffer, when nothing better is known. */
const HELD_BACK_MS = 10_000;
/** Samples older than this are not worth more than arrivals. */
const STALE_MS = 30_000;
/** Hours of one sample per second; beyond that every second one of the older half goes. */
const SAMPLES_MAX = 8192;
/** Arrivals closer together than this count as one. */
const ARRIVAL_STEP_MS = 250;

export interface Sample {
  offset: bigint;
  sourceMs: number;
}

export class SourceTimeline {
  #samples: Sample[] = [];
  #arrivals: Sample[] = [];
  #lastSampleMs = -Infinity;
  #lastArrivalMs = -Infinity;
  readonly #now: () => number;

  /** @param now monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The source was asked: at `sourceMs` by its clock it had written no more than up to `offset`. */
  observe(offset: bigint, sourceMs: number): void {
    this.#lastSampleMs = this.#now();
    append(this.#samples, { offset, sourceMs });
  }

  /** The bytes up to `offset` arrived when the source's clock showed `sourceMs`. */
  arrived(offset: bigint, sourceMs: number): void {
    const now = this.#now();
    if (now - this.#lastArrivalMs < ARRIVAL_STEP_MS) return;
    this.#lastArrivalMs = now;
    append(this.#arrivals, { offset, sourceMs: sourceMs - HELD_BACK_MS });
  }

  /** Another history: what was said of offsets is void. */
  restart(): void {
    this.#samples = [];
    this.#arrivals = [];
    this.#lastSampleMs = -Infinity;
    this.#lastArrivalMs = -Infinity;
  }

  /**
   * Everything that the source wrote before this time of its clock has an offset up to `applied`; undefined when nothing
   * tells. Goes back when the source's clock is set back: what was written behind the offset that comes with it may have been
   * written after that, and the time says nothing of it.
   */
  timeAt(applied: bigint): Sample | undefined {
    const asked = lastUpTo(this.#samples, applied);
    if (this.#now() - this.#lastSampleMs < STALE_MS) return asked;
    const arrival = lastUpTo(this.#arrivals, applied);
    return asked === undefined || (arrival?.sourceMs ?? -Infinity) > asked.sourceMs ? arrival : asked;
  }
}

/** Offsets only grow. Of several samples of one offset the newest says most. */
function append(samples: Sample[], sample: Sample): void {
  const last = samples.at(-1);
  if (last !== undefined && sample.offset < last.offset) return;
  if (last !== undefined && sample.offset === last.offset) last.sourceMs = sample.sourceMs;
  else samples.push(sample);
  if (samples.length <= SAMPLES_MAX) return;
  const kept = samples.filter((_, index) => index >= SAMPLES_MAX / 2 || index % 2 === 0);
  samples.splice(0, samples.length, ...kept);
}

/** The last sample whose offset is not beyond `offset`. */
function lastUpTo(samples: readonly Sample[], offset: bigint): Sample | undefined {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (samples[middle]!.offset <= offset) low = middle + 1;
    else high = middle;
  }
  return samples[low - 1];
}
