/** Log-normal sizes as a table of quantiles: one array read per draw instead of a logarithm and a square root. */
import type { Random } from './random.ts';

const QUANTILES = 4096;
/** Standard normal quantile of 0.99. */
const Z_99 = 2.3263478740408408;

export class SizeTable {
  readonly #sizes: Uint32Array;

  /**
   * Sizes whose median is `median` and of which 99 % are at most `p99`. The largest possible size is the quantile
   * 1 - 1/8192, about 1.6 times as far out as p99 on a log scale, so one draw cannot explode.
   *
   * @param least nothing smaller is drawn (an empty collection does not exist in Redis).
   */
  constructor(distribution: { median: number; p99: number }, least: number) {
    const median = Math.max(distribution.median, 0.5);
    const sigma = Math.max(Math.log(distribution.p99 / median), 0) / Z_99;
    this.#sizes = new Uint32Array(QUANTILES);
    for (let index = 0; index < QUANTILES; index++) {
      const z = normalQuantile((index + 0.5) / QUANTILES);
      this.#sizes[index] = Math.max(least, Math.round(median * Math.exp(sigma * z)));
    }
  }

  draw(random: Random): number {
    return this.#sizes[random.next() >>> 20] ?? 0;
  }

  get largest(): number {
    return this.#sizes[QUANTILES - 1] ?? 0;
  }
}

/** The z with Φ(z) = p, 0 < p < 1: Acklam's rational approximation, relative error below 1.2e-9. */
export function normalQuantile(p: number): number {
  const low = 0.02425;
  if (p < low) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - low) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  const numerator = polynomial(
    r,
    [
      -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
      2.506628277459239,
    ],
  );
  const denominator = polynomial(
    r,
    [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
  );
  return (q * numerator) / denominator;
}

function tail(q: number): number {
  const numerator = polynomial(
    q,
    [
      -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
      2.938163982698783,
    ],
  );
  const denominator = polynomial(
    q,
    [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
  );
  return numerator / denominator;
}

/** Horner, highest power first. */
function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
