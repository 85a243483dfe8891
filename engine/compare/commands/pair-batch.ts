/**
 * Compares the DUMP and expiry replies of one batch of keys from both sides. Equal bytes prove equality; different bytes
 * prove nothing, so they are brought to their canonical digest first. Runs once per key: no allocation on the way.
 */
import { PayloadDigester } from '../digest/payload-digest.ts';
import type { Lanes } from '../digest/murmur.ts';
import type { DifferenceClass } from '../difference.ts';
import type { PassState } from '../pass-state.ts';
import { rdbTypeName } from '../rdb-types.ts';
import { DUMP_FOOTER_BYTES } from '../../rdb/dump-payload.ts';
import { flavorOfVersion } from '../../rdb/format.ts';
import { ITEM, type ReplyBatch } from './reply-batch.ts';

/** The keys a batch asked for: items of the SCAN reply they came in. */
export interface BatchKeys {
  database: number;
  scan: ReplyBatch;
  items: Int32Array;
  count: number;
}

/** One side's replies: `DUMP key, expiry of key` per key, from item `first` on. */
export interface SideReplies {
  batch: ReplyBatch;
  first: number;
  /** Added to a non-negative expiry: 0 when it is absolute, the server's clock when it is a remaining time. */
  clockMs: number;
  /** By how much a time may be wrong because the clock was read around it. */
  uncertaintyMs: number;
}

export class PairBatch {
  readonly #state: PassState;
  readonly #digesters = { REDIS: new PayloadDigester('REDIS'), VALKEY: new PayloadDigester('VALKEY') };
  readonly #left: Lanes = new Int32Array(4);
  readonly #right: Lanes = new Int32Array(4);

  constructor(state: PassState) {
    this.#state = state;
  }

  /** Counts the equal keys and lists the others as suspects. */
  compare(keys: BatchKeys, source: SideReplies, targets: readonly SideReplies[]): void {
    const equal = this.#state.tally.equalByType(keys.database);
    const single = targets.length === 1 ? targets[0] : undefined;
    for (let index = 0; index < keys.count; index++) {
      const target = single ?? holderOf(targets, index);
      const dump = source.first + 2 * index;
      const verdict = this.#compareKey(source, dump, target, target.first + 2 * index);
      if (verdict === GONE) continue;
      if (verdict === null) {
        const type = source.batch.bytes[source.batch.start[dump]!]!;
        equal[type]!++;
        this.#state.tally.bytes += source.batch.end[dump]! - source.batch.start[dump]!;
      } else {
        const item = keys.items[index]!;
        const { bytes, start, end } = keys.scan;
        this.#state.suspect(keys.database, bytes, start[item]!, end[item]!, {
          class: verdict,
          type: typeOf(source.batch, dump) ?? 'unknown',
        });
      }
    }
  }

  /** null = equal. */
  #compareKey(
    source: SideReplies,
    s: number,
    target: SideReplies,
    t: number,
  ): DifferenceClass | null | typeof GONE {
    const sourceKind = source.batch.kind[s];
    const targetKind = target.batch.kind[t];
    if (sourceKind !== ITEM.BULK || targetKind !== ITEM.BULK) {
      const gone = sourceKind !== ITEM.BULK && targetKind === ITEM.NULL;
      return gone && sourceKind === ITEM.NULL ? GONE : 'MISSING_KEY';
    }
    if (!this.#sameValue(source.batch, s, target.batch, t)) return 'VALUE_MISMATCH';
    return this.#sameExpiry(source, s + 1, target, t + 1) ? null : 'TTL_MISMATCH';
  }

  #sameValue(left: ReplyBatch, l: number, right: ReplyBatch, r: number): boolean {
    const leftStart = left.start[l]!;
    const leftEnd = left.end[l]! - DUMP_FOOTER_BYTES;
    const rightStart = right.start[r]!;
    const rightEnd = right.end[r]! - DUMP_FOOTER_BYTES;
    if (leftEnd - leftStart === rightEnd - rightStart) {
      const size = leftEnd - leftStart;
      if (size > LONG_BYTES) {
        if (left.bytes.compare(right.bytes, rightStart, rightEnd, leftStart, leftEnd) === 0) return true;
      } else if (sameBytes(left.bytes, leftStart, right.bytes, rightStart, size)) return true;
    }
    return this.#sameDigest(left, leftStart, leftEnd, right, rightStart, rightEnd);
  }

  #sameDigest(left: ReplyBatch, ls: number, le: number, right: ReplyBatch, rs: number, re: number): boolean {
    try {
      this.#digest(left.bytes, ls, le, this.#left);
      this.#digest(right.bytes, rs, re, this.#right);
    } catch {
      // Undecodable bytes are no verdict: the key is read again on its own, where the reason is reported.
      return false;
    }
    const a = this.#left;
    const b = this.#right;
    return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
  }

  #digest(bytes: Buffer, start: number, end: number, out: Lanes): void {
    const flavor = flavorOfVersion(bytes.readUInt16LE(end));
    this.#digesters[flavor].digest(bytes[start]!, bytes, start + 1, end, out);
  }

  #sameExpiry(source: SideReplies, s: number, target: SideReplies, t: number): boolean {
    const left = source.batch.number[s]!;
    const right = target.batch.number[t]!;
    if (left < 0 || right < 0) return left === right;
    const apart = Math.abs(left + source.clockMs - (right + target.clockMs));
    return apart <= this.#state.settings.ttlToleranceMs + source.uncertaintyMs + target.uncertaintyMs;
  }
}

const GONE = 'gone';
/** From here on a native comparison is faster than a loop. */
const LONG_BYTES = 128;

function sameBytes(left: Uint8Array, l: number, right: Uint8Array, r: number, size: number): boolean {
  for (let index = 0; index < size; index++) if (left[l + index] !== right[r + index]) return false;
  return true;
}

/** The first node that has the key, or the first one when none has. */
function holderOf(targets: readonly SideReplies[], index: number): SideReplies {
  for (const side of targets) if (side.batch.kind[side.first + 2 * index] === ITEM.BULK) return side;
  const first = targets[0];
  if (first === undefined) throw new Error('a comparison needs a target');
  return first;
}

function typeOf(batch: ReplyBatch, item: number): string | undefined {
  return batch.kind[item] === ITEM.BULK ? rdbTypeName(batch.bytes[batch.start[item]!]!) : undefined;
}
