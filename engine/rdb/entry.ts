/** What the raw level of the snapshot reader hands out. */

/**
 * One key of a snapshot, its value untouched: `value` are exactly the bytes a DUMP payload has between its type byte
 * and its 10-byte footer, so `RESTORE` needs only `type ++ value ++ footer`.
 */
export interface RawEntry {
  database: number;
  key: Buffer;
  /** RDB type byte. */
  type: number;
  /** May be a view into the reader's buffer: valid only during the callback; copy to keep. */
  value: Buffer;
  /** Absolute ms since the epoch; -1 = none. (A number: exact up to the year 287396.) */
  expireAtMs: number;
  /** LRU idle seconds, -1 = not in the snapshot. */
  idleSeconds: number;
  /** LFU frequency, -1 = not in the snapshot. */
  frequency: number;
}

/** `bytes[start, end)`; the object is reused. */
export interface LocatedBytes {
  bytes: Buffer;
  start: number;
  end: number;
}

/** Callbacks of the raw reader, in snapshot order. Called synchronously from `push`. */
export interface SnapshotHandler {
  /** `flavor` is the magic word: `REDIS` or `VALKEY`. */
  header?(version: number, flavor: 'REDIS' | 'VALKEY'): void;
  aux?(name: string, value: Buffer): void;
  /** Sizes announced by RESIZEDB for the database that follows. */
  sizes?(database: number, keys: number, expires: number): void;
  /** Source text (FUNCTION2) of one library. */
  functionLibrary?(code: Buffer): void;
  entry(entry: RawEntry): void;
  /**
   * Called instead of `entry` where it exists, for handlers that look at a million entries without keeping one: key and
   * value as positions, valid only during the callback. `entry.key` and `entry.value` are not set. No object is made.
   */
  located?(entry: RawEntry, key: LocatedBytes, value: LocatedBytes): void;
  /**
   * A value above the reader's `maxInlineBytes`, in parts: `largeStart` (its `value` is empty), then every byte of the
   * value in order through `largePart`, then `largeEnd`. `entry` is not called for it. Without `largeStart` such values
   * are collected like all others. The length is not known before the end.
   */
  largeStart?(entry: RawEntry): void;
  /** A view: valid only during the callback. */
  largePart?(bytes: Buffer): void;
  largeEnd?(): void;
  /** A value the raw level can skip but nobody can restore without the module. The entry itself is also delivered by `entry`. */
  moduleValue?(database: number, key: Buffer, moduleName: string): void;
  /** Module auxiliary data (opcode 247) was skipped. */
  moduleAux?(moduleName: string): void;
  /**
   * After the trailing CRC64 was checked. `checksum` is 'absent' when the source writes none (rdbchecksum no), or when
   * the reader was told not to look.
   */
  end?(checksum: 'valid' | 'absent'): void;
}
