/**
 * The canonical digest of a decoded value: the definition. `PayloadDigester` computes the same from serialized bytes,
 * faster; a test holds the two together.
 */
import type { StreamGroup, Value } from '../../rdb/value.ts';
import { ElementHasher, SEED } from './element-hasher.ts';
import type { Lanes } from './murmur.ts';

const hasher = new ElementHasher();

/** Writes the digest of `value` into `out`. */
export function digestValue(value: Value, out: Lanes): void {
  switch (value.type) {
    case 'string':
      hasher.begin(SEED.string);
      absorbAll(value.value);
      break;
    case 'list':
      hasher.begin(SEED.list);
      for (const element of value.elements) absorbAll(element);
      break;
    case 'set':
      hasher.beginSum();
      for (const member of value.members) {
        hasher.begin(SEED.set);
        absorbAll(member);
        hasher.addToSum();
      }
      hasher.finishSum(SEED.set);
      break;
    case 'zset':
      hasher.beginSum();
      for (const { member, score } of value.members) {
        hasher.begin(SEED.zset);
        absorbAll(member);
        hasher.number(score);
        hasher.addToSum();
      }
      hasher.finishSum(SEED.zset);
      break;
    case 'hash':
      digestHash(value);
      break;
    case 'stream':
      digestStream(value);
      break;
    case 'module':
      hasher.begin(SEED.module);
      hasher.text(value.module);
      absorbAll(value.raw);
      break;
    default:
      value satisfies never;
  }
  out.set(hasher.lanes);
}

function absorbAll(bytes: Uint8Array): void {
  hasher.bytes(bytes, 0, bytes.length);
}

function digestHash(value: Extract<Value, { type: 'hash' }>): void {
  hasher.beginSum();
  for (const { field, value: content, expireAtMs } of value.fields) {
    hasher.begin(SEED.hash);
    absorbAll(field);
    absorbAll(content);
    if (expireAtMs >= 0) hasher.number(expireAtMs);
    hasher.addToSum();
  }
  hasher.finishSum(SEED.hash);
}

/**
 * Left out on purpose, because equal streams legitimately differ there: consumers' seen and active times and delivery
 * times (rewritten when XCLAIM is propagated), entries-read, entries-added and max-deleted-id (unknown before 7.0, and
 * changed by rebuilding with XADD).
 */
function digestStream(value: Extract<Value, { type: 'stream' }>): void {
  hasher.begin(SEED.stream);
  for (const entry of value.entries) {
    hasher.text(entry.id);
    hasher.number(entry.fields.length);
    for (const part of entry.fields) absorbAll(part);
  }
  hasher.text(value.lastId);
  const chain = Int32Array.from(hasher.lanes);
  const groups = value.groups.map(digestGroup);
  hasher.beginSum();
  for (const group of groups) {
    hasher.lanes.set(group);
    hasher.addToSum();
  }
  hasher.finishSumOnto(chain);
}

function digestGroup(group: StreamGroup): Lanes {
  hasher.begin(SEED.streamGroup);
  absorbAll(group.name);
  hasher.text(group.lastId);
  const named = Int32Array.from(hasher.lanes);
  hasher.beginSum();
  for (const consumer of group.consumers) {
    hasher.begin(SEED.streamConsumer);
    absorbAll(consumer.name);
    hasher.addToSum();
  }
  for (const pending of group.pending) {
    hasher.begin(SEED.streamPending);
    hasher.text(pending.id);
    absorbAll(pending.consumer);
    hasher.number(pending.deliveryCount);
    hasher.addToSum();
  }
  hasher.finishSumOnto(named);
  return Int32Array.from(hasher.lanes);
}
