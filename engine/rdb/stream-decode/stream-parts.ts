/**
 * A stream while it arrives: blocks of entries, then counters, then groups. The layout is drawn in `decode-stream.ts`.
 *
 * Pending entries stand in front of the consumers that own them, so those of one group are kept (32 bytes each) until its
 * consumers have named them.
 */
import { readBlock, type StreamEntries } from '../decode-stream.ts';
import type { StreamGeneration } from '../skip-programs.ts';
import { ValueCursor } from '../value-cursor.ts';
import { readCount } from './collections.ts';
import type { PartInput } from './part-input.ts';
import { PendingTable } from './pending-table.ts';
import type { DecodeTools, Decoding, Wait } from './value-decoder.ts';

const ID_BYTES = 16;
const NO_ID = '0-0';
const UNKNOWN = -1;
/** The consumer of a pending entry that was handed back. */
const NOBODY = Buffer.alloc(0);

/** Repeats a read from its mark until all of it is there. */
function* whole<T>(input: PartInput, read: () => T | undefined): Generator<Wait, T, undefined> {
  for (;;) {
    input.mark();
    const value = read();
    if (value !== undefined) return value;
    yield 'more';
  }
}

export function* decodeStreamParts(tools: DecodeTools, generation: StreamGeneration): Decoding {
  const { input, sink } = tools;
  yield* blocks(tools);
  const length = yield* readCount(input);
  const lastId = yield* whole(input, () => tryId(input));
  const exact = { maxDeletedId: NO_ID, entriesAdded: UNKNOWN };
  if (generation >= 2) {
    yield* whole(input, () => tryId(input));
    exact.maxDeletedId = yield* whole(input, () => tryId(input));
    exact.entriesAdded = yield* readCount(input);
  }
  sink.counters({ length, lastId, ...exact });
  const pending = new PendingTable();
  for (let left = yield* readCount(input); left > 0; left--) yield* group(tools, generation, pending);
  if (generation >= 4) yield* passProducers(input);
}

function* blocks({ input, sink, pause }: DecodeTools): Decoding {
  for (let left = yield* readCount(input); left > 0; left--) {
    const block = yield* whole(input, () => {
      const master = input.tryString();
      // The listpack is read behind it: a view of the same bytes.
      const entries = master === undefined ? undefined : input.tryString();
      return master === undefined || entries === undefined ? undefined : { master, entries };
    });
    const entries: StreamEntries = [];
    readBlock(new ValueCursor(asStrings(block.master, block.entries), 'a block of a stream'), entries);
    for (const { id, fields } of entries) sink.entry(id, fields);
    if (pause()) yield 'paused';
  }
}

/** Two strings the way a snapshot stores them, for the decoder of whole blocks. */
function asStrings(master: Buffer, entries: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head[0] = 0x40 | (master.length >> 8);
  head[1] = master.length;
  const length = Buffer.alloc(9);
  length[0] = 0x81;
  length.writeBigUInt64BE(BigInt(entries.length), 1);
  return Buffer.concat([head.subarray(0, 2), master, length, entries]);
}

function* group(
  { input, sink, pause }: DecodeTools,
  generation: StreamGeneration,
  pending: PendingTable,
): Decoding {
  const head = yield* whole(input, () => {
    const name = input.tryString();
    const lastId = name === undefined ? undefined : tryId(input);
    const read = lastId === undefined ? undefined : generation >= 2 ? input.tryLength64() : 0n;
    return name === undefined || lastId === undefined || read === undefined
      ? undefined
      : { name: Buffer.from(name), lastId, read };
  });
  // −1 (unknown) is written as the 64-bit length it looks like.
  sink.group(head.name, head.lastId, generation >= 2 ? Number(BigInt.asIntN(64, head.read)) : UNKNOWN);
  pending.clear();
  for (let left = yield* readCount(input); left > 0; left--) yield* readPending(input, pending);
  for (let left = yield* readCount(input); left > 0; left--) {
    const name = yield* whole(input, () => tryConsumer(input, generation));
    sink.consumer(name);
    yield* owned({ input, sink, pause }, pending, name);
  }
  if (generation >= 5) yield* owned({ input, sink, pause }, pending, NOBODY);
  if (pending.unclaimed > 0) input.fail(`${pending.unclaimed} pending entries belong to no consumer`);
}

function* readPending(input: PartInput, pending: PendingTable): Decoding {
  yield* whole(input, () => {
    const id = input.tryBytes(ID_BYTES);
    const deliveryTimeMs = id === undefined ? undefined : input.tryTimeMs();
    const deliveryCount = deliveryTimeMs === undefined ? undefined : input.tryLength();
    if (id === undefined || deliveryTimeMs === undefined || deliveryCount === undefined) return undefined;
    return pending.add(id, deliveryTimeMs, deliveryCount) || input.fail('pending entries are not in order');
  });
}

/** name, seen time, [3: active time]. */
function tryConsumer(input: PartInput, generation: StreamGeneration): Buffer | undefined {
  const name = input.tryString();
  const times = name === undefined ? undefined : input.tryBytes(generation >= 3 ? 16 : 8);
  return name === undefined || times === undefined ? undefined : Buffer.from(name);
}

/** The ids one consumer has pending. */
function* owned({ input, sink, pause }: DecodeTools, pending: PendingTable, consumer: Buffer): Decoding {
  for (let left = yield* readCount(input); left > 0; left--) {
    const id = yield* whole(input, () => input.tryBytes(ID_BYTES));
    const delivery = pending.find(id) ?? input.fail('a consumer has an entry pending that its group has not');
    sink.pending({ id: `${id.readBigUInt64BE()}-${id.readBigUInt64BE(8)}`, consumer, ...delivery });
    if (pause()) yield 'paused';
  }
}

/** Duration and limit, producers with the ids they sent, two counters. */
function* passProducers(input: PartInput): Decoding {
  yield* whole(input, () => tryId(input));
  for (let producers = yield* readCount(input); producers > 0; producers--) {
    yield* whole(input, () => input.tryString());
    for (let entries = yield* readCount(input); entries > 0; entries--) {
      yield* whole(input, () => (input.tryString() === undefined ? undefined : tryId(input)));
    }
  }
  yield* whole(input, () => tryId(input));
}

/** An id as two lengths. */
function tryId(input: PartInput): string | undefined {
  const ms = input.tryLength64();
  const sequence = ms === undefined ? undefined : input.tryLength64();
  return ms === undefined || sequence === undefined ? undefined : `${ms}-${sequence}`;
}
