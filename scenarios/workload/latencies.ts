/** Latencies in buckets that grow by 5 %: constant memory however many there are, quantiles within 5 %. */

const GROWTH = Math.log(1.05);
/** Microseconds; everything below counts as this. */
const LEAST_US = 10;

export interface LatencySummary {
  p50: number;
  p95: number;
  p99: number;
  max: number;
  samples: number;
}

export class Latencies {
  readonly #buckets: number[] = [];
  #samples = 0;
  #maxMs = 0;

  record(ms: number): void {
    const bucket = Math.max(0, Math.ceil(Math.log((ms * 1000) / LEAST_US) / GROWTH));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#samples++;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** Milliseconds; null of nothing. */
  summary(): LatencySummary | null {
    if (this.#samples === 0) return null;
    const max = round(this.#maxMs);
    return {
      p50: this.#quantile(0.5),
      p95: this.#quantile(0.95),
      p99: this.#quantile(0.99),
      max,
      samples: this.#samples,
    };
  }

  /** The upper edge of the bucket with the sample of that rank. */
  #quantile(share: number): number {
    let left = Math.ceil(share * this.#samples);
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count ?? 0;
      if (left <= 0) return round(Math.min(this.#maxMs, (LEAST_US * Math.exp(bucket * GROWTH)) / 1000));
    }
    return round(this.#maxMs);
  }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
