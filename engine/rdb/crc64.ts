/**
 * CRC-64/Redis ("Jones"): the checksum at the end of every snapshot and of every DUMP payload.
 *
 *   polynomial 0xad93d23594c935a9, reflected in and out, initial value 0, no final xor
 *   check value: crc("123456789") = 0xe9c6d914c4b8d9ca       (src/crc64.c of Redis)
 *
 * The 64-bit state lives in two 32-bit halves and eight bytes are folded per step through eight tables per half
 * (slicing-by-8): 16 KB of tables, which fit the first-level cache, and no BigInt anywhere.
 */

/** The reflected polynomial, as halves. */
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;

type Tables = readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** Table k of each half: the effect of one byte that is followed by k further bytes. */
const LOW = emptyTables();
const HIGH = emptyTables();
const [L0, L1, L2, L3, L4, L5, L6, L7] = LOW;
const [H0, H1, H2, H3, H4, H5, H6, H7] = HIGH;

fillTables();

function table(): Int32Array {
  return new Int32Array(256);
}

function emptyTables(): Tables {
  return [table(), table(), table(), table(), table(), table(), table(), table()];
}

function fillTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high = high >>> 1;
      if (carry === 1) {
        low ^= POLYNOMIAL_LOW;
        high ^= POLYNOMIAL_HIGH;
      }
    }
    L0[byte] = low;
    H0[byte] = high;
  }
  for (let k = 1; k < 8; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const low = LOW[k - 1]![byte]!;
      const high = HIGH[k - 1]![byte]!;
      LOW[k]![byte] = ((low >>> 8) | (high << 24)) ^ L0[low & 255]!;
      HIGH[k]![byte] = (high >>> 8) ^ H0[low & 255]!;
    }
  }
}

/** The running state of `advance`: module variables, because a returned pair would be an allocation per call. */
let stateLow = 0;
let stateHigh = 0;

function advance(bytes: Uint8Array, start: number, end: number): void {
  let low = stateLow;
  let high = stateHigh;
  let at = start;
  for (const last = end - 7; at < last; at += 8) {
    const a = (low ^ bytes[at]!) & 255;
    const b = ((low >>> 8) ^ bytes[at + 1]!) & 255;
    const c = ((low >>> 16) ^ bytes[at + 2]!) & 255;
    const d = (low >>> 24) ^ bytes[at + 3]!;
    const e = (high ^ bytes[at + 4]!) & 255;
    const f = ((high >>> 8) ^ bytes[at + 5]!) & 255;
    const g = ((high >>> 16) ^ bytes[at + 6]!) & 255;
    const h = (high >>> 24) ^ bytes[at + 7]!;
    low = L7[a]! ^ L6[b]! ^ L5[c]! ^ L4[d]! ^ L3[e]! ^ L2[f]! ^ L1[g]! ^ L0[h]!;
    high = H7[a]! ^ H6[b]! ^ H5[c]! ^ H4[d]! ^ H3[e]! ^ H2[f]! ^ H1[g]! ^ H0[h]!;
  }
  for (; at < end; at++) {
    const index = (low ^ bytes[at]!) & 255;
    low = ((low >>> 8) | (high << 24)) ^ L0[index]!;
    high = (high >>> 8) ^ H0[index]!;
  }
  stateLow = low;
  stateHigh = high;
}

function writeState(low: number, high: number, out: Uint8Array, at: number): void {
  out[at] = low;
  out[at + 1] = low >>> 8;
  out[at + 2] = low >>> 16;
  out[at + 3] = low >>> 24;
  out[at + 4] = high;
  out[at + 5] = high >>> 8;
  out[at + 6] = high >>> 16;
  out[at + 7] = high >>> 24;
}

/** An incremental checksum over any number of pieces. */
export class Crc64 {
  #low = 0;
  #high = 0;

  /** Adds the bytes `start` (inclusive) to `end` (exclusive). */
  update(bytes: Uint8Array, start = 0, end = bytes.length): void {
    stateLow = this.#low;
    stateHigh = this.#high;
    advance(bytes, start, end);
    this.#low = stateLow;
    this.#high = stateHigh;
  }

  /** Writes the 8 bytes, little-endian as snapshots and payloads store them, at `out[at]`. The state stays as it is. */
  digestInto(out: Uint8Array, at: number): void {
    writeState(this.#low, this.#high, out, at);
  }

  reset(): void {
    this.#low = 0;
    this.#high = 0;
  }
}

/** Checksum of `bytes[start, end)` written as 8 little-endian bytes at `out[at]`; `out` may be `bytes` itself. */
export function crc64Into(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): void {
  stateLow = 0;
  stateHigh = 0;
  advance(bytes, start, end);
  writeState(stateLow, stateHigh, out, at);
}

/** Whether the 8 little-endian bytes at `stored[at]` are the checksum of `bytes[start, end)`. */
export function crc64Matches(
  bytes: Uint8Array,
  start: number,
  end: number,
  stored: Uint8Array,
  at: number,
): boolean {
  const digest = new Uint8Array(8);
  crc64Into(bytes, start, end, digest, 0);
  return digest.every((byte, index) => byte === stored[at + index]);
}
