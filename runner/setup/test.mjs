/**
 * `npm test`: prepares the clone, runs every test with real servers, and ends with one plain line to count on:
 * `N passed, N failed, N skipped`. Extra arguments go to vitest (`npm test -- test/engine`).
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';
import { runCommand } from './run-command.mjs';
import { runMain } from './say.mjs';
import { summarize } from './test-summary.mjs';

await runMain(async () => {
  await prepare();
  const folder = mkdtempSync(join(tmpdir(), 'redis-sync-tests-'));
  try {
    const countsFile = join(folder, 'counts.json');
    const { code } = await runCommand(process.execPath, vitestArgs(process.argv.slice(2)), {
      cwd: ROOT,
      env: { ...process.env, REDIS_SYNC_TEST_COUNTS: countsFile },
    });
    const summary = summarize(readCounts(countsFile), code);
    process.stdout.write(`${summary.line}\n`);
    return summary.exitCode;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function vitestArgs(extra) {
  const ownReporter = extra.some((arg) => arg.startsWith('--reporter'));
  const reporters = [...(ownReporter ? [] : ['--reporter=default']), '--reporter=./test/reporter.ts'];
  return [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...reporters, ...extra];
}

/** What test/reporter.ts left; undefined when vitest ended before it could. */
function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
