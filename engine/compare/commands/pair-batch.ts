/**
 * Compares the DUMP and expiry replies of one batch of keys from both sides. Equal bytes prove equality; different bytes
 * prove nothing, so they are brought to their canonical digest first. Runs once per key: no allocation on the way.
 */
import { DUMP_FOOTER_BYTES } from '../../rdb/dump-payload.ts';
import { flavorOfVersion } from '../../rdb/format.ts';
import type { DifferenceClass } from '../difference.ts';
import type { Lanes } from '../digest/murmur.ts';
import { PayloadDigester } from '../digest/payload-digest.ts';
import type { PassState } from '../pass-state.ts';
import { rdbTypeName } from '../rdb-types.ts';
import type { BatchKeys, Reads, SideReplies } from './key-reader.ts';
import { ITEM, type ReplyBatch } from './reply-batch.ts';

type Verdict = 'equal' | 'gone' | DifferenceClass;

export class PairBatch {
  readonly #state: PassState;
  readonly #digesters = { REDIS: new PayloadDigester('REDIS'), VALKEY: new PayloadDigester('VALKEY') };
  readonly #left: Lanes = new Int32Array(4);
  readonly #right: Lanes = new Int32Array(4);

  constructor(state: PassState) {
    this.#state = state;
  }

  /**
   * Counts the equal keys and lists the others as suspects. When only expiry was read, only suspects are listed: the
   * keys were counted by an earlier pass. No target means that none has the database.
   */
  compare(keys: BatchKeys, reads: Reads, source: SideReplies, targets: readonly SideReplies[]): void {
    const equal = this.#state.tally.equalByType(keys.database);
    for (let index = 0; index < keys.count; index++) {
      const item = source.first + source.perKey * index;
      const target = targets.length === 1 ? targets[0] : holderOf(targets, index);
      const verdict =
        target === undefined
          ? 'MISSING_KEY'
          : this.#compareKey(reads, source, item, target, target.first + target.perKey * index);
      if (verdict === 'gone') continue;
      if (verdict !== 'equal') this.#suspect(keys, index, verdict, reads === 'expiry');
      else if (reads !== 'expiry') {
        const { bytes, start, end } = source.batch;
        equal[bytes[start[item]!]!]!++;
        this.#state.tally.bytes += end[item]! - start[item]!;
      }
    }
  }

  #suspect(keys: BatchKeys, index: number, seen: DifferenceClass, counted: boolean): void {
    const item = keys.items[index]!;
    const { bytes, start, end } = keys.scan;
    this.#state.suspect(keys.database, bytes, start[item]!, end[item]!, {
      class: seen,
      type: 'unknown',
      counted,
    });
  }

  #compareKey(reads: Reads, source: SideReplies, s: number, target: SideReplies, t: number): Verdict {
    if (reads === 'expiry') return this.#sameExpiry(source, s, target, t) ? 'equal' : 'TTL_MISMATCH';
    const sourceKind = source.batch.kind[s];
    const targetKind = target.batch.kind[t];
    if (sourceKind !== ITEM.BULK || targetKind !== ITEM.BULK) {
      return sourceKind === ITEM.NULL && targetKind === ITEM.NULL ? 'gone' : 'MISSING_KEY';
    }
    if (!this.#sameValue(source.batch, s, target.batch, t)) return differentTypes(source, s, target, t);
    if (reads === 'value' || this.#sameExpiry(source, s + 1, target, t + 1)) return 'equal';
    return 'TTL_MISMATCH';
  }

  #sameValue(left: ReplyBatch, l: number, right: ReplyBatch, r: number): boolean {
    const leftStart = left.start[l]!;
    const leftEnd = left.end[l]! - DUMP_FOOTER_BYTES;
    const rightStart = right.start[r]!;
    const rightEnd = right.end[r]! - DUMP_FOOTER_BYTES;
    const size = leftEnd - leftStart;
    if (size === rightEnd - rightStart) {
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

/** From here on a native comparison is faster than a loop. */
const LONG_BYTES = 128;

function sameBytes(left: Uint8Array, l: number, right: Uint8Array, r: number, size: number): boolean {
  for (let index = 0; index < size; index++) if (left[l + index] !== right[r + index]) return false;
  return true;
}

/** The first node that has the key, or the first one when none has. */
function holderOf(targets: readonly SideReplies[], index: number): SideReplies | undefined {
  for (const side of targets) {
    const item = side.first + side.perKey * index;
    const { kind, number } = side.batch;
    if (kind[item] === ITEM.BULK || (kind[item] === ITEM.INTEGER && number[item] !== NO_KEY)) return side;
  }
  return targets[0];
}

/** PTTL and PEXPIRETIME of a key that is not there. */
const NO_KEY = -2;

function differentTypes(source: SideReplies, s: number, target: SideReplies, t: number): DifferenceClass {
  const [left, right] = [source.batch, target.batch];
  const [a, b] = [rdbTypeName(left.bytes[left.start[s]!]!), rdbTypeName(right.bytes[right.start[t]!]!)];
  return a === b ? 'VALUE_MISMATCH' : 'TYPE_MISMATCH';
}
