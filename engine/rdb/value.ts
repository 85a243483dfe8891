/**
 * The decoded level: a value as its elements. Produced from a DUMP payload or a snapshot entry (one decoder serves
 * both, the bytes are the same).
 */
export interface StreamGroup {
  name: Buffer;
  lastId: string;
  /** -1 when unknown (sources before 7.0). */
  entriesRead: number;
  consumers: { name: Buffer; seenTimeMs: number; activeTimeMs: number }[];
  pending: { id: string; consumer: Buffer; deliveryTimeMs: number; deliveryCount: number }[];
}

export type Value =
  | { type: 'string'; value: Buffer }
  | { type: 'list'; elements: Buffer[] }
  | { type: 'set'; members: Buffer[] }
  | { type: 'zset'; members: { member: Buffer; score: number }[] }
  /** `expireAtMs` is -1 for a field without its own expiry (hash-field TTL, Redis ≥ 7.4 and Valkey ≥ 9). */
  | { type: 'hash'; fields: { field: Buffer; value: Buffer; expireAtMs: number }[] }
  | {
      type: 'stream';
      entries: { id: string; fields: Buffer[] }[];
      length: number;
      lastId: string;
      firstId: string;
      maxDeletedId: string;
      /** -1 when the encoding has none (sources before 7.0). */
      entriesAdded: number;
      groups: StreamGroup[];
    }
  /** Opaque: bytes of a module value, comparable only as bytes. */
  | { type: 'module'; module: string; raw: Buffer };
