/** A number that stands for the state of a key on one side, to see whether it changed between two looks. */
import { absorb, begin } from '../digest/murmur.ts';
import type { KeyState } from './key-state.ts';

const lanes = new Int32Array(4);

/**
 * Equal states give equal numbers, never 0. A value that was not read (too big, or on one side only) is represented by
 * its type, memory and expiry.
 */
export function fingerprint(state: KeyState): number {
  begin(lanes, state.kind === 'present' ? 1 : 2);
  if (state.kind === 'present') {
    const about = Buffer.from(
      `${state.type} ${state.memoryBytes} ${describeExpiry(state.expireAtMs, state.uncertaintyMs)}`,
    );
    absorb(lanes, about, 0, about.length);
    if (state.payload !== null) absorb(lanes, state.payload, 0, state.payload.length);
  }
  const number = lanes[0] ?? 0;
  return number === 0 ? 1 : number;
}

/** An expiry computed from a remaining time is never the same twice: only its presence counts. */
function describeExpiry(expireAtMs: number | null, uncertaintyMs: number): string {
  if (expireAtMs === null) return 'never';
  return uncertaintyMs === 0 ? String(expireAtMs) : 'some time';
}
