/** The sentences that name a difference. Source first, target second. */
import { printBytes } from './print.ts';

export type Where = 'source' | 'target';

/** `member "a" is missing on the target` or `member "a" is only on the target`. */
export function onlyOn(what: string, where: Where): string {
  return where === 'source' ? `${what} is missing on the target` : `${what} is only on the target`;
}

/** `field "f": "1" ≠ "2"` */
export function unequal(what: string, source: string, target: string): string {
  return `${what}: ${source} ≠ ${target}`;
}

/** Element `index` (from 0) of a list of `sourceLength` and `targetLength` elements, where one of them has ended. */
export function lengthDiffers(index: number, sourceLength: number, targetLength: number): string {
  return sourceLength > targetLength
    ? `element ${index + 1} of ${sourceLength} is missing on the target (it has ${targetLength})`
    : `element ${index + 1} of ${targetLength} is only on the target (the source has ${sourceLength})`;
}

export function elementDiffers(
  index: number,
  length: number,
  source: Uint8Array,
  target: Uint8Array,
): string {
  return unequal(`element ${index + 1} of ${length}`, printBytes(source, 64), printBytes(target, 64));
}

const SHORT_BYTES = 64;
const CONTEXT_BYTES = 24;

/** Two different strings: whole when short, around the first differing byte otherwise. `offset` is where they begin. */
export function stringsDiffer(
  source: Uint8Array,
  target: Uint8Array,
  at: { offset: number; sourceLength: number; targetLength: number },
): string {
  const whole = at.sourceLength === source.length && at.targetLength === target.length;
  if (whole && source.length <= SHORT_BYTES && target.length <= SHORT_BYTES) {
    return `${printBytes(source)} ≠ ${printBytes(target)}`;
  }
  let index = 0;
  while (index < source.length && index < target.length && source[index] === target[index]) index++;
  const from = Math.max(0, index - 8);
  const around = (bytes: Uint8Array): string => printBytes(bytes.subarray(from, from + CONTEXT_BYTES));
  const lengths =
    at.sourceLength === at.targetLength
      ? `of ${at.sourceLength}`
      : `of ${at.sourceLength} and ${at.targetLength}`;
  return unequal(`from offset ${at.offset + index} ${lengths} bytes`, around(source), around(target));
}
