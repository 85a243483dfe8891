/** A few of the bad engines with real servers; CI runs them all. */
import { expect, test } from 'vitest';
import type { SelftestReport } from '../../../runner/selftest/run-selftest.ts';
import { Workspace } from '../run/workspace.ts';

async function selftest(...flags: string[]): Promise<{ exitCode: number; report: SelftestReport }> {
  await using workspace = await Workspace.open();
  const { exitCode, out } = await workspace.command(['selftest', '--json', '--quiet', ...flags]);
  return { exitCode, report: JSON.parse(out) };
}

test('a good engine passes; bad ones are caught by their check, on the record too', async () => {
  const { exitCode, report } = await selftest(
    '--only',
    'control',
    'truncates-values',
    'strays',
    'blind-comparison',
  );
  expect(report.mutants).toMatchObject([
    { name: 'control', catches: [], ok: true },
    { name: 'truncates-values', catches: ['data-equal'], ok: true },
    { name: 'strays', catches: ['db-isolation'], ok: true },
    { name: 'blind-comparison', catches: ['counts'], ok: true },
  ]);
  expect(report.needed).toMatchObject({ 'data-equal': ['truncates-values'], counts: ['blind-comparison'] });
  expect(exitCode).toBe(0);
});

test('without its check, a bad engine gets away', async () => {
  const { exitCode, report } = await selftest('--only', 'leaks-key', '--without', 'leaks');
  expect(report.mutants).toMatchObject([{ name: 'leaks-key', catches: [], ok: false }]);
  expect(exitCode).toBe(1);
});

test('names are checked', async () => {
  await using workspace = await Workspace.open();
  const { exitCode, err } = await workspace.command(['selftest', '--without', 'data-equa']);
  expect(exitCode).toBe(2);
  expect(err).toContain('did you mean "data-equal"?');
});
