/**
 * Tells a leak from noise in a series of samples: garbage collection makes memory a saw, a cache fills once and stays, a
 * leak goes on. Pure.
 *
 * The slope is Theil's and Sen's: the median of the slopes of all pairs of samples, which up to 29 % of wild samples do not
 * move. What it grows over the whole time must be large in itself and as a share, and the series must go up steadily
 * (Kendall's tau), so that one step or one late collection is not called a leak.
 */

export interface Sample {
  atMs: number;
  value: number;
}

export interface Trend {
  /** Growth over the time of the series by the median slope, in the samples' unit. Negative when it falls. */
  growth: number;
  median: number;
  /** Pairs that rise minus pairs that fall, as a share of all pairs: 1 always up, 0 no direction. */
  tau: number;
}

export interface TrendLimits {
  /** What may grow without being a leak, in the samples' unit. */
  growth: number;
  /** And as a share of the median. */
  share: number;
}

const TAU_STEADY = 0.35;

/** @throws RangeError with fewer than 3 samples: nothing can be told. */
export function trendOf(samples: readonly Sample[]): Trend {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < 3)
    throw new RangeError('a trend needs at least 3 samples');
  const slopes: number[] = [];
  let direction = 0;
  for (const [index, from] of samples.entries()) {
    for (const to of samples.slice(index + 1)) {
      slopes.push((to.value - from.value) / (to.atMs - from.atMs));
      direction += Math.sign(to.value - from.value);
    }
  }
  return {
    growth: medianOf(slopes) * (last.atMs - first.atMs),
    median: medianOf(samples.map(({ value }) => value)),
    tau: direction / slopes.length,
  };
}

/** Whether a series grows as a leak does. */
export function isLeak(trend: Trend, limits: TrendLimits): boolean {
  const { growth, median, tau } = trend;
  return growth > limits.growth && growth > median * limits.share && tau > TAU_STEADY;
}

/** The samples of the second half of the time: the first one is for filling caches and growing heaps. */
export function secondHalf(samples: readonly Sample[]): Sample[] {
  const begin = samples[0]?.atMs ?? 0;
  const middle = begin + ((samples.at(-1)?.atMs ?? 0) - begin) / 2;
  return samples.filter(({ atMs }) => atMs >= middle);
}

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).toSorted();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
