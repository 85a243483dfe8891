/** Wall time, and waiting for a condition that only polling can tell. */

export function elapsedMs(sinceMs: number): number {
  return performance.now() - sinceMs;
}

/** Polls every few milliseconds. @throws when it does not come true in `limitMs`. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  limitMs = 300_000,
): Promise<void> {
  const began = performance.now();
  while (!(await condition())) {
    if (performance.now() - began > limitMs) throw new Error(`${what} did not happen in ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
