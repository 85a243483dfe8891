/** What a series of vitals says: flat or not. Pure. */
import { isLeak, secondHalf, trendOf, type TrendLimits } from './trend.ts';
import type { Vitals } from './vitals.ts';

const MEASURES = [
  'rssBytes',
  'descriptors',
  'spoolDescriptors',
  'spoolFiles',
  'logMemoryBytes',
  'logDiskBytes',
  'abortListeners',
  'resources',
] as const satisfies readonly (keyof Vitals)[];

/** What each measure may grow over the second half, and as a share of its median. */
const LIMITS: Partial<Record<keyof Vitals, TrendLimits>> = {
  rssBytes: { growth: 12_000_000, share: 0.08 },
  descriptors: { growth: 3, share: 0.1 },
  spoolFiles: { growth: 3, share: 0.5 },
  logMemoryBytes: { growth: 8_000_000, share: 0.5 },
  logDiskBytes: { growth: 32_000_000, share: 0.5 },
  abortListeners: { growth: 3, share: 0.1 },
  resources: { growth: 3, share: 0.1 },
};

/** What the engine may use, whatever it replicates. */
const RESIDENT_BYTES_MAX = 200 * 1024 * 1024;

/** The entry of the log that is being filled; heartbeats go on. */
const LOG_REST_BYTES = 64 * 1024;

/** After healing and draining a process may have so many more of these than after its first full sync. */
const SPARE: Partial<Record<keyof Vitals, number>> = {
  // One segment of the log stays open for the next time.
  descriptors: 3,
  spoolFiles: 1,
  spoolDescriptors: 1,
  abortListeners: 2,
  resources: 3,
};

export interface MeasureRow {
  name: string;
  atFirst: number;
  median: number;
  highest: number;
  atLast: number;
  /** Over the second half; see `trendOf`. Undefined when there are too few samples. */
  growth: number | undefined;
  tau: number | undefined;
}

export interface SoakFindings {
  rows: MeasureRow[];
  problems: string[];
}

/**
 * @param first after the first full sync, in peace.
 * @param samples while it ran, in order.
 * @param last after healing and draining.
 */
export function judgeVitals(first: Vitals, samples: readonly Vitals[], last: Vitals): SoakFindings {
  const problems: string[] = [];
  const rows = MEASURES.map((name) => {
    const series = samples.map((each) => ({ atMs: each.atMs, value: each[name] }));
    const half = secondHalf(series);
    const trend = half.length < 3 ? undefined : trendOf(half);
    const limits = LIMITS[name];
    if (trend !== undefined && limits !== undefined && isLeak(trend, limits))
      problems.push(
        `${name} is not flat: grew by ${Math.round(trend.growth)} in the second half, tau ${trend.tau.toFixed(2)}`,
      );
    const spare = SPARE[name];
    if (spare !== undefined && last[name] > first[name] + spare)
      problems.push(`${name} stayed behind: ${first[name]} in the beginning, ${last[name]} after draining`);
    const values = series.map(({ value }) => value).toSorted((a, b) => a - b);
    return {
      name,
      atFirst: first[name],
      median: values[values.length >> 1] ?? Number.NaN,
      highest: values.at(-1) ?? Number.NaN,
      atLast: last[name],
      growth: trend?.growth,
      tau: trend?.tau,
    };
  });
  const resident = Math.max(...samples.map(({ rssBytes }) => rssBytes));
  if (resident > RESIDENT_BYTES_MAX)
    problems.push(`the engine used ${resident} bytes of memory, more than ${RESIDENT_BYTES_MAX}`);
  if (samples.length < 6) problems.push(`only ${samples.length} samples: too few to tell`);
  if (last.logMemoryBytes > LOG_REST_BYTES || last.logDiskBytes > 0)
    problems.push(
      `the log is not empty after draining: ${last.logMemoryBytes} bytes in memory, ${last.logDiskBytes} on disk`,
    );
  return { rows, problems };
}
