/** The counting reporter, run by a vitest of its own over files written for it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SAMPLES = {
  'mixed.test.js': `
    test('a', () => {});
    test('b', () => {});
    test('c', () => expect(1).toBe(2));
    test.skip('d', () => {});
    test.todo('e');
    describe('nested', () => test('f', () => {}));`,
  'broken.test.js': `throw new Error('cannot load');`,
  'unhandled.test.js': `test('g', () => { void Promise.reject(new Error('nobody handles this')); });`,
};

test('passed, failed, skipped, a file that cannot load, and a rejection nobody handled', () => {
  const folder = mkdtempSync(join(tmpdir(), 'redis-sync-reporter-'));
  try {
    for (const [name, content] of Object.entries(SAMPLES)) writeFileSync(join(folder, name), content);
    const countsFile = join(folder, 'counts.json');
    const { status, stderr } = spawnSync(
      process.execPath,
      [
        resolve('node_modules/vitest/vitest.mjs'),
        'run',
        '--globals',
        `--root=${folder}`,
        `--reporter=${resolve('test/reporter.ts')}`,
      ],
      { env: { PATH: process.env['PATH'], REDIS_SYNC_TEST_COUNTS: countsFile }, encoding: 'utf8' },
    );
    expect({ status, stderr }).toMatchObject({ status: 1 });
    expect(JSON.parse(readFileSync(countsFile, 'utf8'))).toEqual({ passed: 4, failed: 3, skipped: 2 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
