import { expect, it } from 'vitest';
import { FindingLimit, type LinkFinding } from '../../../engine/apply/finding.ts';

function finding(code: string, index: number): LinkFinding {
  return { code, severity: 'error', message: `key ${index}`, evidence: { index } };
}

it('passes the first hundred findings of each code, and says that the rest is only counted', () => {
  const passed: LinkFinding[] = [];
  const limit = new FindingLimit((each) => passed.push(each));
  for (let index = 1; index <= 1000; index++) limit.report(finding('APPLY_ERROR', index));
  limit.report(finding('FLUSH', 1));
  expect(passed).toHaveLength(101);
  expect(passed[98]).toEqual(finding('APPLY_ERROR', 99));
  expect(passed[99]?.message).toMatch(/^key 100 .*only counted/);
  expect(passed[100]).toEqual(finding('FLUSH', 1));
});
