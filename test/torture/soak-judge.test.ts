/** A soak fails on each thing that leaks, and on nothing else. */
import { expect, test } from 'vitest';
import { judgeVitals } from './soak-judge.ts';
import type { Vitals } from './vitals.ts';

const CALM: Omit<Vitals, 'atMs'> = {
  rssBytes: 120_000_000,
  descriptors: 30,
  spoolDescriptors: 0,
  spoolFiles: 0,
  logMemoryBytes: 2000,
  logDiskBytes: 0,
  abortListeners: 5,
  resources: 12,
};
const SAMPLES = 120;

function problems(
  change: (share: number) => Partial<Vitals>,
  last: Partial<Vitals> = {},
  count = SAMPLES,
): string[] {
  const samples = Array.from({ length: count }, (_, index) => ({
    ...CALM,
    atMs: index * 5000,
    ...change(index / SAMPLES),
  }));
  return judgeVitals({ ...CALM, atMs: -5000 }, samples, { ...CALM, atMs: SAMPLES * 5000, ...last }).problems;
}

test('a calm soak has no problem, whatever comes and goes', () => {
  expect(problems(() => ({}))).toEqual([]);
  expect(
    problems((share) => {
      const busy = Math.round(share * SAMPLES) % 7 === 0;
      return busy ? { rssBytes: 180_000_000, logDiskBytes: 9_000_000, spoolFiles: 2, descriptors: 33 } : {};
    }),
  ).toEqual([]);
});

test.each<[keyof typeof CALM, number]>([
  ['rssBytes', 60_000_000],
  ['descriptors', 40],
  ['spoolFiles', 40],
  ['logMemoryBytes', 40_000_000],
  ['logDiskBytes', 400_000_000],
  ['abortListeners', 40],
  ['resources', 40],
])('%s that grows without end is named', (name, by) => {
  const found = problems((share) => ({ [name]: CALM[name] + Math.round(by * share) }));
  expect(found).toEqual([expect.stringContaining(`${name} is not flat`)]);
});

test.each<[keyof typeof CALM, number]>([
  ['descriptors', 34],
  ['spoolFiles', 2],
  ['spoolDescriptors', 2],
  ['abortListeners', 8],
  ['resources', 16],
])('%s left over after draining is named', (name, value) => {
  expect(problems(() => ({}), { [name]: value })).toEqual([expect.stringContaining(`${name} stayed behind`)]);
});

test('a log that is not empty after draining is named', () => {
  expect(problems(() => ({}), { logDiskBytes: 1 })).toEqual([
    expect.stringContaining('the log is not empty'),
  ]);
});

test('a peak of memory above the limit is named', () => {
  const found = problems((share) => (share === 0.5 ? { rssBytes: 230_000_000 } : {}));
  expect(found).toEqual([expect.stringContaining('used 230000000 bytes of memory')]);
});

test('a soak too short to tell anything does not pass', () => {
  expect(problems(() => ({}), {}, 4)).toEqual([expect.stringContaining('too few to tell')]);
});
