/** Numbers as the encodings hold them: integers written as decimal text, scores read from decimal text. */

/** Longest decimal text of a 64-bit integer. */
export const INTEGER_TEXT_MAX = 20;

/** Writes `value` (a safe integer) as decimal text that ends at `out.length`; returns where it begins. */
export function writeInteger(out: Uint8Array, value: number): number {
  let at = out.length;
  let rest = Math.abs(value);
  // 32-bit division is an order faster than the general one.
  while (rest > 0x7fffffff) {
    const next = Math.floor(rest / 10);
    out[--at] = 48 + (rest - next * 10);
    rest = next;
  }
  let small = rest | 0;
  do {
    const next = (small / 10) | 0;
    out[--at] = 48 + (small - next * 10);
    small = next;
  } while (small > 0);
  if (value < 0) out[--at] = 45;
  return at;
}

/** The same for any 64-bit integer given as two halves. */
export function writeInteger64(out: Uint8Array, low: number, high: number): number {
  const value = high * 4294967296 + (low >>> 0);
  if (Number.isSafeInteger(value)) return writeInteger(out, value);
  const text = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
  const at = out.length - text.length;
  for (let index = 0; index < text.length; index++) out[at + index] = text.charCodeAt(index);
  return at;
}

const EXACT_DIGITS = 15;
/** 10^0 … 10^22 are exact doubles, so one division or multiplication by them rounds once, correctly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * A score as Redis writes it (`%.17g`, `inf`, `-inf`, `nan`), as the double it stands for. NaN for anything else too.
 * Up to 15 digits without an exponent need no general parser: digits and power of ten are exact.
 */
export function parseScore(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = bytes[at] === 45;
  if (negative) at++;
  let mantissa = 0;
  let digits = 0;
  let decimals = -1;
  for (; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      if (decimals >= 0) decimals++;
    } else if (digit === -2 && decimals < 0) {
      decimals = 0;
    } else {
      return parseUnusual(bytes, start, end);
    }
  }
  if (digits === 0 || digits > EXACT_DIGITS) return parseUnusual(bytes, start, end);
  const value = decimals > 0 ? mantissa / POWERS[decimals]! : mantissa;
  return negative ? -value : value;
}

function parseUnusual(bytes: Uint8Array, start: number, end: number): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  const word = text.toLowerCase();
  if (word === 'inf' || word === '+inf' || word === 'infinity') return Infinity;
  if (word === '-inf' || word === '-infinity') return -Infinity;
  return text.trim() === '' ? NaN : Number(text);
}
