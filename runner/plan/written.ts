/** Values of a valid spec as numbers, or their defaults. That they parse was proven by the validation. */
import assert from 'node:assert/strict';
import { parseDuration, parseSize, type Parsed } from '../spec/quantities.ts';

export function read<T>(written: string, parse: (text: string) => Parsed<T>): T {
  const parsed = parse(written);
  assert(parsed.kind === 'ok', `"${written}" was validated`);
  return parsed.value;
}

/** Milliseconds. */
export function durationOr(written: string | undefined, fallbackMs: number): number {
  return written === undefined ? fallbackMs : read(written, parseDuration);
}

/** Bytes; a plain number is bytes already. */
export function sizeOr(written: string | number | undefined, fallbackBytes: number): number {
  if (written === undefined) return fallbackBytes;
  return typeof written === 'number' ? written : read(written, parseSize);
}
