/** Counts a test run for runner/setup/test.mjs, which prints the last line from it. A file that cannot load is a failure. */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const file = process.env['REDIS_SYNC_TEST_COUNTS'];
    if (file === undefined) return;
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) counts[wordFor(test.result().state)]++;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    }
    writeFileSync(file, JSON.stringify(counts));
  }
}

/** A test that never ran (`pending`, after an abort) was not passed: it is skipped. */
function wordFor(state: 'passed' | 'failed' | 'skipped' | 'pending'): 'passed' | 'failed' | 'skipped' {
  return state === 'pending' ? 'skipped' : state;
}
