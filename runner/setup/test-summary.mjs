/** The last line of a test run and its exit code, from what the reporter counted. Pure. */

/**
 * @param counts `{ passed, failed, skipped }` as test/reporter.ts writes them; undefined when the run broke off.
 * @param vitestCode vitest's own exit code. Whatever it complains about beyond failed tests (an unhandled error, no tests
 *   found) counts as one failure, so that the line and the exit code never disagree.
 */
export function summarize(counts, vitestCode) {
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const failures = failed === 0 && (counts === undefined || vitestCode !== 0) ? 1 : failed;
  const exitCode = vitestCode === 0 && failures > 0 ? 1 : vitestCode;
  return { line: `${passed} passed, ${failures} failed, ${skipped} skipped`, exitCode };
}
