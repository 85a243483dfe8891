/**
 * Streams: listpacks of entries, then the counters, then consumer groups with what they have pending.
 *
 *   count × ( master id, 16 bytes BE │ listpack )
 *   length │ last id │ [2: first id │ max deleted id │ entries added]
 *   count × group: name │ last id │ [2: entries read]
 *                  count × pending: id, 16 BE │ delivery time, 8 LE │ deliveries
 *                  count × consumer: name │ seen, 8 LE │ [3: active, 8 LE] │ count × id, 16 BE
 *                  [5: count × id, 16 BE]                          pending entries that were handed back
 *   [4: duration │ entries max │ count × producer: name │ count × (name, id) │ added │ duplicates]
 *
 * The number in brackets is the generation of the encoding: STREAM_LISTPACKS (5.0), …_2 (7.0), …_3 (7.2), …_4 (8.6),
 * …_5 (8.8). What idempotent producers sent is passed over: no command can set it.
 * Sources: rdbLoadObject in src/rdb.c, streamIteratorGetID in src/t_stream.c of Redis.
 */
import { readListpack } from './listpack.ts';
import type { StreamGeneration } from './skip-programs.ts';
import type { StreamGroup, Value } from './value.ts';
import type { ValueCursor } from './value-cursor.ts';

type Stream = Extract<Value, { type: 'stream' }>;
export type StreamEntries = Stream['entries'];

const ID_BYTES = 16;
const UNKNOWN = -1;
const NO_ID = '0-0';
/** The consumer of a pending entry that was handed back. */
const NOBODY = Buffer.alloc(0);

export function decodeStream(cursor: ValueCursor, generation: StreamGeneration): Stream {
  const entries: StreamEntries = [];
  for (let blocks = cursor.length(); blocks > 0; blocks--) readBlock(cursor, entries);
  const length = cursor.length();
  const lastId = readId(cursor);
  const counters =
    generation === 1
      ? { firstId: entries[0]?.id ?? NO_ID, maxDeletedId: NO_ID, entriesAdded: UNKNOWN }
      : { firstId: readId(cursor), maxDeletedId: readId(cursor), entriesAdded: cursor.length() };
  const groups: StreamGroup[] = [];
  for (let left = cursor.length(); left > 0; left--) groups.push(readGroup(cursor, generation));
  if (generation >= 4) passProducers(cursor);
  return { type: 'stream', entries, length, lastId, ...counters, groups };
}

/** An id as two lengths. */
function readId(cursor: ValueCursor): string {
  return `${cursor.length64()}-${cursor.length64()}`;
}

/** An id as 16 big-endian bytes. */
function readRawId(cursor: ValueCursor): string {
  const id = cursor.take(ID_BYTES);
  return `${id.readBigUInt64BE()}-${id.readBigUInt64BE(8)}`;
}

function readGroup(cursor: ValueCursor, generation: StreamGeneration): StreamGroup {
  const name = cursor.string();
  const lastId = readId(cursor);
  // −1 (unknown) is written as the 64-bit length it looks like.
  const entriesRead = generation === 1 ? UNKNOWN : Number(BigInt.asIntN(64, cursor.length64()));
  const pending = readPending(cursor);
  const consumers: StreamGroup['consumers'] = [];
  const owners = new Map<string, Buffer>();
  for (let left = cursor.length(); left > 0; left--) {
    const consumer = cursor.string();
    const seenTimeMs = cursor.timeMs();
    consumers.push({
      name: consumer,
      seenTimeMs,
      activeTimeMs: generation >= 3 ? cursor.timeMs() : seenTimeMs,
    });
    for (let ids = cursor.length(); ids > 0; ids--) owners.set(readRawId(cursor), consumer);
  }
  if (generation >= 5) for (let ids = cursor.length(); ids > 0; ids--) owners.set(readRawId(cursor), NOBODY);
  return { name, lastId, entriesRead, consumers, pending: assignOwners(pending, owners, cursor) };
}

function passProducers(cursor: ValueCursor): void {
  cursor.length();
  cursor.length();
  for (let producers = cursor.length(); producers > 0; producers--) {
    cursor.string();
    for (let entries = cursor.length(); entries > 0; entries--) {
      cursor.string();
      readId(cursor);
    }
  }
  cursor.length();
  cursor.length();
}

type Unowned = Omit<StreamGroup['pending'][number], 'consumer'>;

function readPending(cursor: ValueCursor): Unowned[] {
  const pending: Unowned[] = [];
  for (let left = cursor.length(); left > 0; left--) {
    const id = readRawId(cursor);
    const deliveryTimeMs = cursor.timeMs();
    pending.push({ id, deliveryTimeMs, deliveryCount: cursor.length() });
  }
  return pending;
}

/** The pending list of a group does not say who owns an entry: the lists of the consumers do. */
function assignOwners(
  pending: readonly Unowned[],
  owners: Map<string, Buffer>,
  cursor: ValueCursor,
): StreamGroup['pending'] {
  const owned = pending.map((entry) => {
    const consumer = owners.get(entry.id) ?? cursor.fail(`pending entry ${entry.id} belongs to no consumer`);
    return {
      id: entry.id,
      consumer,
      deliveryTimeMs: entry.deliveryTimeMs,
      deliveryCount: entry.deliveryCount,
    };
  });
  if (owners.size !== pending.length) cursor.fail('a consumer has an entry pending that its group has not');
  return owned;
}

const FLAG_DELETED = 1;
const FLAG_SAME_FIELDS = 2;

/** A listpack, element by element. */
class Elements {
  readonly #elements: readonly Buffer[];
  readonly #cursor: ValueCursor;
  #at = 0;

  constructor(elements: readonly Buffer[], cursor: ValueCursor) {
    this.#elements = elements;
    this.#cursor = cursor;
  }

  get left(): number {
    return this.#elements.length - this.#at;
  }

  next(): Buffer {
    return this.#elements[this.#at++] ?? this.#cursor.fail('a block of a stream ends inside an entry');
  }

  /** A count or a set of flags. */
  number(): number {
    return Number(this.big());
  }

  big(): bigint {
    const text = this.next().toString('latin1');
    if (!/^-?\d{1,20}$/.test(text)) this.#cursor.fail('a number in a block of a stream is not one');
    return BigInt(text);
  }
}

/**
 * One listpack. Its first elements are the master entry, whose field names the others may share:
 *
 *   live │ deleted │ n │ field × n │ 0     then per entry     flags │ ms − master │ seq − master
 *                                                             same fields:  value × n
 *                                                             else:         m │ (field, value) × m
 *                                                             elements of this entry (for walking backwards)
 */
export function readBlock(cursor: ValueCursor, entries: StreamEntries): void {
  const master = cursor.string();
  if (master.length !== ID_BYTES) cursor.fail(`the id of a block has ${master.length} bytes`);
  const masterMs = master.readBigUInt64BE();
  const masterSequence = master.readBigUInt64BE(8);
  const elements = new Elements(readListpack(cursor.string()), cursor);
  elements.number();
  elements.number();
  const names: Buffer[] = [];
  for (let left = elements.number(); left > 0; left--) names.push(elements.next());
  elements.next();
  while (elements.left > 0) {
    const flags = elements.number();
    // Differences wrap around: a later millisecond may have a smaller sequence number.
    const ms = BigInt.asUintN(64, masterMs + elements.big());
    const sequence = BigInt.asUintN(64, masterSequence + elements.big());
    const fields = (flags & FLAG_SAME_FIELDS) !== 0 ? withNames(elements, names) : readPairs(elements);
    elements.next();
    if ((flags & FLAG_DELETED) === 0) entries.push({ id: `${ms}-${sequence}`, fields });
  }
}

function withNames(elements: Elements, names: readonly Buffer[]): Buffer[] {
  return names.flatMap((name) => [name, elements.next()]);
}

function readPairs(elements: Elements): Buffer[] {
  const fields: Buffer[] = [];
  for (let left = elements.number(); left > 0; left--) fields.push(elements.next(), elements.next());
  return fields;
}
