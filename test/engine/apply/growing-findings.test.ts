import { expect, it } from 'vitest';
import type { LinkFinding } from '../../../engine/apply/finding.ts';
import { GrowingFindings, type GrowingFact } from '../../../engine/apply/growing-findings.ts';

const FACT: GrowingFact = {
  code: 'EVICTION',
  severity: 'error',
  message: 'It happens.',
  evidence: { policy: 'x' },
};

function open(): { growing: GrowingFindings; told: LinkFinding[] } {
  const told: LinkFinding[] = [];
  return { growing: new GrowingFindings((finding) => told.push(finding)), told };
}

const counts = (told: readonly LinkFinding[]): unknown[] => told.map(({ evidence }) => evidence['count']);

it('tells at once, then at each doubling, and the last number at the end, always in the same words', () => {
  const { growing, told } = open();
  for (let index = 0; index < 1000; index++) growing.add(FACT);
  expect(counts(told)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
  growing.flush();
  growing.flush();
  expect(counts(told).at(-1)).toBe(1000);
  expect(told).toHaveLength(11);
  expect(new Set(told.map(({ message }) => message)).size).toBe(1);
  expect(told.at(-1)?.evidence).toEqual({ policy: 'x', count: 1000 });
});

it('lists the first twenty different places, and says when these are not all', () => {
  const { growing, told } = open();
  for (let index = 0; index < 20; index++) growing.add(FACT, { key: index % 5 });
  growing.flush();
  expect(told.at(-1)?.evidence).toMatchObject({
    count: 20,
    samples: [0, 1, 2, 3, 4].map((key) => ({ key })),
    complete: true,
  });
  for (let index = 0; index < 21; index++) growing.add(FACT, { key: index });
  growing.flush();
  expect(told.at(-1)?.evidence).toMatchObject({ count: 41, complete: false });
  expect(told.at(-1)?.evidence['samples']).toHaveLength(20);
});

it('does not call the places complete when one had no name, or none could have', () => {
  const { growing, told } = open();
  growing.add(FACT, { key: 1 });
  growing.add(FACT);
  growing.add({ ...FACT, message: 'Another.', partial: true }, { key: 1 });
  expect(told.map(({ evidence }) => evidence['complete'])).toEqual([true, false, false]);
});

it('adds places without counting', () => {
  const { growing, told } = open();
  growing.add(FACT, { key: 'a' }, 0);
  expect(told).toEqual([]);
  growing.add(FACT, { key: 'b' }, 1);
  expect(told).toMatchObject([{ evidence: { count: 1, samples: [{ key: 'a' }, { key: 'b' }] } }]);
});

it('keeps at most a hundred facts of a code, each code for itself', () => {
  const { growing, told } = open();
  for (let index = 0; index < 200; index++) growing.add({ ...FACT, message: `Script ${index}.` });
  growing.add({ ...FACT, code: 'FOREIGN_WRITE' });
  expect(told).toHaveLength(101);
  growing.add({ ...FACT, message: 'Script 3.' });
  expect(told.at(-1)).toMatchObject({ message: 'Script 3.', evidence: { count: 2 } });
});
