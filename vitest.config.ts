import { defineConfig } from 'vitest/config';

/** Tests of the whole command: they need dist/, which is built before them when it is stale. */
const BUILT = ['test/runner/run/**/*.live.test.ts', 'test/torture/torture.live.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Live tests start real servers; two files at a time is what two cores carry.
    maxWorkers: 2,
    pool: 'forks',
    projects: [
      { extends: true, test: { name: 'sources', include: ['test/**/*.test.ts'], exclude: BUILT } },
      { extends: true, test: { name: 'built', include: BUILT, globalSetup: ['test/support/build.ts'] } },
    ],
  },
});
