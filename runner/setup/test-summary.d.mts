/** Types of test-summary.mjs. */

export declare function summarize(
  counts: { passed: number; failed: number; skipped: number } | undefined,
  vitestCode: number,
): { line: string; exitCode: number };
