/**
 * What takes the elements of one value, one after the other, in stored order. The same calls come from a decoded value
 * and from bytes that are decoded while they arrive, so whoever consumes them works in bounded memory either way.
 *
 *   string   stringStart, stringPart …
 *   list     element …             set      element …
 *   zset     scored …              hash     field …
 *   stream   entry …, counters, then per group: group, consumer …, pending …
 *
 * Buffers are valid during the call only.
 */
export interface StreamCounters {
  length: number;
  lastId: string;
  maxDeletedId: string;
  /** -1 when the encoding has none (sources before 7.0). */
  entriesAdded: number;
}

export interface PendingEntry {
  id: string;
  consumer: Buffer;
  deliveryTimeMs: number;
  deliveryCount: number;
}

export interface ElementSink {
  /** A string of so many bytes; its parts follow. */
  stringStart(totalBytes: number): void;
  stringPart(bytes: Buffer): void;
  listElement(bytes: Buffer): void;
  setMember(bytes: Buffer): void;
  scored(member: Buffer, score: number): void;
  /** `expireAtMs` is -1 for a field without an expiry of its own. */
  field(field: Buffer, value: Buffer, expireAtMs: number): void;
  /** `fields` are name, value, name, value …. */
  entry(id: string, fields: readonly Buffer[]): void;
  /** A stream's entry that is gone but still pending somewhere. Only where all of the stream is known beforehand. */
  deletedEntry(id: string): void;
  counters(counters: StreamCounters): void;
  /** `entriesRead` is -1 when unknown. */
  group(name: Buffer, lastId: string, entriesRead: number): void;
  consumer(name: Buffer): void;
  pending(entry: PendingEntry): void;
}
