/** A number that stands for the state of a key on one side, to see whether it changed between two looks. */
import { DUMP_FOOTER_BYTES } from '../../rdb/dump-payload.ts';
import { flavorOfVersion } from '../../rdb/format.ts';
import { absorb, begin } from '../digest/murmur.ts';
import { PayloadDigester } from '../digest/payload-digest.ts';
import type { KeyState } from './key-state.ts';

const lanes = new Int32Array(4);
const digest = new Int32Array(4);

/**
 * Equal states give equal numbers, never 0. The value counts by its canonical digest, for its bytes change by themselves
 * while a table is being rehashed; one that was not read (too big, or on one side only) by its type.
 */
export function fingerprint(state: KeyState): number {
  begin(lanes, state.kind === 'present' ? 1 : 2);
  if (state.kind === 'present') {
    absorbAll(Buffer.from(`${state.type} ${describeExpiry(state.expireAtMs, state.uncertaintyMs)}`));
    if (state.payload !== null) absorbPayload(state.payload);
  }
  const number = lanes[0] ?? 0;
  return number === 0 ? 1 : number;
}

function absorbAll(bytes: Uint8Array): void {
  absorb(lanes, bytes, 0, bytes.length);
}

function absorbPayload(payload: Buffer): void {
  const end = payload.length - DUMP_FOOTER_BYTES;
  try {
    const digester = new PayloadDigester(flavorOfVersion(payload.readUInt16LE(end)));
    digester.digest(payload[0] ?? 0, payload, 1, end, digest);
    absorbAll(Buffer.from(digest.join()));
  } catch {
    // Bytes that cannot be decoded are all there is to go by.
    absorbAll(payload);
  }
}

/** An expiry computed from a remaining time is never the same twice: only its presence counts. */
function describeExpiry(expireAtMs: number | null, uncertaintyMs: number): string {
  if (expireAtMs === null) return 'never';
  return uncertaintyMs === 0 ? String(expireAtMs) : 'some time';
}
