/** Turns the entries of one node's snapshot into key records, one after the other, in a reused object. */
import type { LocatedBytes, RawEntry } from '../../rdb/entry.ts';
import type { Flavor } from '../../rdb/format.ts';
import { RawSnapshotReader } from '../../rdb/raw-reader.ts';
import { PayloadDigester } from '../digest/payload-digest.ts';
import { hashKey } from '../key-set.ts';
import type { KeyRecord } from './join-table.ts';

export interface DigestHandler {
  /** All are valid only during the call. `valueBytes` is the serialized size, 0 when it is not known. */
  record(key: LocatedBytes, record: KeyRecord, valueBytes: number): void;
  /** An entry whose expiry had passed when the snapshot was taken: for every client it was not there any more. */
  expired(): void;
}

export class DigestReader {
  readonly #handler: DigestHandler;
  readonly #reader: RawSnapshotReader;
  #digester = new PayloadDigester('REDIS');
  /** When the snapshot was taken by the server's clock; its resolution is a second. */
  #takenMs = 0;
  readonly #record: KeyRecord;

  /** @param inlineBytesMax values above are not digested but left to be read in pages. */
  constructor(node: number, inlineBytesMax: number, handler: DigestHandler) {
    this.#handler = handler;
    this.#record = {
      hash: new Int32Array(4),
      digest: new Int32Array(4),
      expireAtMs: -1,
      database: 0,
      type: 0,
      node,
      unread: false,
    };
    this.#reader = new RawSnapshotReader(
      {
        header: (_, flavor) => this.#begin(flavor),
        aux: (name, value) => {
          if (name === 'ctime') this.#takenMs = Number(value.toString('latin1')) * 1000;
        },
        entry: () => undefined,
        located: (entry, key, value) => {
          if (value.end - value.start > inlineBytesMax) this.#entry(entry, key, undefined);
          else this.#entry(entry, key, value);
        },
        largeStart: (entry) =>
          this.#entry(entry, { bytes: entry.key, start: 0, end: entry.key.length }, undefined),
      },
      // Bytes changed on the way can only make equal values differ, and whatever differs is read again by commands.
      { maxInlineBytes: inlineBytesMax, checksum: 'ignore' },
    );
  }

  /** Next bytes of the snapshot. @throws SyncError SNAPSHOT_CORRUPT */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** @throws SyncError SNAPSHOT_CORRUPT when the snapshot is not complete. */
  finish(): void {
    this.#reader.finish();
  }

  #begin(flavor: Flavor): void {
    this.#digester = new PayloadDigester(flavor);
  }

  #entry(entry: RawEntry, key: LocatedBytes, value: LocatedBytes | undefined): void {
    if (entry.expireAtMs >= 0 && entry.expireAtMs <= this.#takenMs) return this.#handler.expired();
    const record = this.#record;
    hashKey(record.hash, entry.database, key.bytes, key.start, key.end);
    record.database = entry.database;
    record.expireAtMs = entry.expireAtMs;
    record.type = entry.type;
    record.unread = value === undefined || !this.#digest(entry.type, value);
    this.#handler.record(key, record, value === undefined ? 0 : value.end - value.start);
  }

  /** False when the bytes cannot be understood: the key is then read by commands, where the reason is reported. */
  #digest(type: number, value: LocatedBytes): boolean {
    try {
      this.#digester.digest(type, value.bytes, value.start, value.end, this.#record.digest);
      return true;
    } catch {
      return false;
    }
  }
}
