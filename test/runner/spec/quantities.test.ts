/** Units: what is read, what is refused and why, and that formatting is the inverse of reading. */
import { assert, maxSafeNat, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatDuration,
  formatShare,
  formatSize,
  parseCount,
  parseDuration,
  parseLimit,
  parseMoment,
  parseProgress,
  parseRate,
  parseShare,
  parseSize,
} from '../../../runner/spec/quantities.ts';

const ok = (value: unknown): object => ({ kind: 'ok', value });

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['5s', 5000],
    ['1.5s', 1500],
    ['0.1s', 100],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0ms', 0],
  ])('%s', (text, expected) => expect(parseDuration(text)).toEqual(ok(expected)));

  test.each([
    ['5', '"5" has no unit'],
    ['5 s', '"5 s" is not a duration'],
    ['5sec', '"sec" is not a unit of duration'],
    ['5S', '"S" is not a unit of duration'],
    ['-5s', '"-5s" is not a duration'],
    ['', '"" is not a duration'],
    ['0.0001s', '"0.0001s" is not a whole number of ms'],
    ['99999999999999d', '"99999999999999d" is not a whole number of ms'],
  ])('refuses %j', (text, reason) =>
    expect(parseDuration(text)).toEqual({ kind: 'bad', reason, expected: '500ms, 5s, 10m, 2h or 1d' }),
  );

  test('formatting is exact and read back', () => {
    expect([5000, 1500, 60_000, 90_000, 0].map(formatDuration)).toEqual(['5s', '1500ms', '1m', '90s', '0ms']);
    assert(
      property(nat(), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toEqual(ok(durationMs));
      }),
    );
  });
});

describe('sizes are Redis’s: powers of 1024, units in any case', () => {
  test.each([
    ['512b', 512],
    ['8kb', 8192],
    ['64MB', 67_108_864],
    ['1.5gb', 1_610_612_736],
    ['1tb', 1_099_511_627_776],
  ])('%s', (text, expected) => expect(parseSize(text)).toEqual(ok(expected)));

  test.each([
    ['64m', '"m" is not a unit of size'],
    ['64 mb', '"64 mb" is not a size'],
    ['64', '"64" has no unit'],
    ['0.3b', '"0.3b" is not a whole number of b'],
  ])('refuses %j', (text, reason) =>
    expect(parseSize(text)).toEqual({ kind: 'bad', reason, expected: '512b, 8kb, 64mb or 2gb' }),
  );

  test('formatting is exact and read back', () => {
    expect([1000, 1024, 1536, 67_108_864].map(formatSize)).toEqual(['1000b', '1kb', '1536b', '64mb']);
    assert(
      property(maxSafeNat(), (bytes) => {
        expect(parseSize(formatSize(bytes))).toEqual(ok(bytes));
      }),
    );
  });
});

describe('the others', () => {
  test('rates', () => {
    expect(parseRate('2000/s')).toEqual(ok(2000));
    expect(parseRate('90/min')).toEqual(ok(1.5));
    expect(parseRate('2000')).toMatchObject({ reason: '"2000" has no unit' });
    expect(parseRate('2000/h')).toMatchObject({ reason: '"/h" is not a unit of rate' });
    expect(parseRate('0/s')).toMatchObject({ reason: 'a rate must be above 0' });
    expect(parseRate('fast')).toMatchObject({ reason: '"fast" is not a rate', expected: '2000/s or 90/min' });
  });

  test('shares', () => {
    expect(parseShare('20%')).toEqual(ok(0.2));
    expect(parseShare('33.3%')).toEqual(ok(0.333));
    expect(parseShare('120%')).toMatchObject({ reason: '"120%" is more than 100%' });
    expect(parseShare('0.2')).toMatchObject({ reason: '"0.2" is not a percentage', expected: '20%' });
    expect([0.2, 0.333, 1, 0].map(formatShare)).toEqual(['20%', '33.3%', '100%', '0%']);
  });

  test('progress, counts, limits', () => {
    expect(parseProgress('>= 50%')).toEqual(ok({ comparison: '>=', percent: 50 }));
    expect(parseProgress('<10%')).toEqual(ok({ comparison: '<', percent: 10 }));
    expect(parseProgress('50%')).toEqual(ok({ comparison: '>=', percent: 50 }));
    expect(parseProgress('half')).toMatchObject({
      reason: '"half" is not a percentage',
      expected: '">= 50%" or 50%',
    });
    expect(parseCount('<= 1')).toEqual(ok({ comparison: '<=', value: 1 }));
    expect(parseCount('3')).toEqual(ok({ comparison: '=', value: 3 }));
    expect(parseCount('some')).toMatchObject({ reason: '"some" is not a count' });
    expect(parseLimit('< 1500')).toEqual(ok({ comparison: '<', value: 1500 }));
    expect(parseLimit('1500')).toMatchObject({
      reason: '"1500" is not a limit',
      expected: '"< 1500" or ">= 100"',
    });
  });

  test('moments', () => {
    expect(parseMoment('full-sync 50%')).toEqual(
      ok({ phase: 'full-sync', progress: { comparison: '>=', percent: 50 } }),
    );
    expect(parseMoment('full-sync < 20%')).toEqual(
      ok({ phase: 'full-sync', progress: { comparison: '<', percent: 20 } }),
    );
    expect(parseMoment('incremental')).toEqual(ok({ phase: 'incremental' }));
    expect(parseMoment('fullsync')).toMatchObject({ reason: '"fullsync" is not a phase' });
  });
});
