/** The command line of chaos: what is asked for, and what is refused in words. */
import { expect, test } from 'vitest';
import { parseChaosArguments, parseSeeds, profileFor } from './arguments.ts';

test('seeds: ranges and single ones, each once', () => {
  expect(parseSeeds('1..4')).toEqual([1, 2, 3, 4]);
  expect(parseSeeds('7, 3..5,4')).toEqual([7, 3, 4, 5]);
  for (const wrong of ['', 'a', '1..', '5..3', '-1']) expect(() => parseSeeds(wrong)).toThrow(RangeError);
});

test('profiles take turns unless one is named', () => {
  expect([1, 2, 3].map((seed) => profileFor(seed))).toEqual(['rough', 'brutal', 'rough']);
  expect(profileFor(1, 'gentle')).toBe('gentle');
});

test('several specs, and everything else by default', () => {
  expect(parseChaosArguments(['--spec', 'a.yaml', '--spec', '/b.yaml', '--seeds', '2'], '/clone')).toEqual({
    specs: ['/clone/a.yaml', '/b.yaml'],
    seeds: [2],
    jobs: expect.any(Number),
    limitMs: 150_000,
    out: '/clone/.redis-sync/chaos',
    retry: false,
  });
});

test.each([
  [['--profile', 'mild'], 'gentle, rough, brutal'],
  [['--jobs', '0'], 'a whole number from 1'],
  [['--limit', 'x'], 'a whole number from 1'],
])('%j is refused', (args, message) => {
  expect(() => parseChaosArguments(args, '/')).toThrow(message);
});
