/**
 * Deferred deadlines that memory has no room for: a queue in one temporary file, written and read in order.
 *
 *   record   database u32 │ key bytes u32 │ field bytes u32 + 1, 0 = no field │ deadline f64 │ offset f64 │ key │ field
 *
 * Records collect into a block in memory; full blocks go to the end of the file. The file goes when it is read empty.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SegmentFile } from '../../log/segment-file.ts';
import type { Deferred } from './deferred-table.ts';

const BLOCK_BYTES = 64 * 1024;
const HEAD_BYTES = 28;

interface Block {
  file: SegmentFile;
  position: number;
  length: number;
}

export interface DeferredSpoolOptions {
  /** A file name that nobody uses; a number is added to it. Its folder is created when it is needed. */
  path: string;
  diskBytesMax: number;
}

export class DeferredSpool {
  readonly #options: DeferredSpoolOptions;
  readonly #blocks: Block[] = [];
  #open = Buffer.alloc(0);
  #openBytes = 0;
  #file: SegmentFile | undefined;
  #files = 0;
  #size = 0;
  #failure: unknown;

  constructor(options: DeferredSpoolOptions) {
    this.#options = options;
  }

  /** Records in it. */
  get size(): number {
    return this.#size;
  }

  /** False when the disk does not take it: then it is lost. The bytes are copied. */
  write(deferred: Deferred): boolean {
    const record = encodeRecord(deferred);
    if (this.#openBytes + record.length > this.#open.length) this.#close();
    if (this.#failure !== undefined) return false;
    if (this.#openBytes === 0) this.#open = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, record.length));
    record.copy(this.#open, this.#openBytes);
    this.#openBytes += record.length;
    this.#size++;
    return true;
  }

  /** The oldest block of records, which are then gone from here; empty when there are none. @throws what the disk says. */
  async read(): Promise<Deferred[]> {
    if (this.#blocks.length === 0) {
      const records = decodeRecords(this.#open.subarray(0, this.#openBytes));
      this.#openBytes = 0;
      this.#size = 0;
      return records;
    }
    const [block] = this.#blocks;
    if (block === undefined) return [];
    await block.file.flushed();
    if (this.#failure !== undefined) throw this.#failure;
    const records = decodeRecords(await block.file.read(block.position, block.length));
    this.#blocks.shift();
    this.#size -= records.length;
    if (this.#blocks.length === 0) await this.close();
    return records;
  }

  /** Forgets everything: the file is removed, what comes later gets a new one. */
  async drop(): Promise<void> {
    this.#blocks.length = 0;
    this.#openBytes = 0;
    this.#size = 0;
    this.#failure = undefined;
    await this.close();
  }

  /** Removes the file. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.remove();
  }

  #close(): void {
    if (this.#openBytes === 0) return;
    const { path, diskBytesMax } = this.#options;
    this.#file ??= new SegmentFile(
      `${path}-${++this.#files}.spool`,
      mkdir(dirname(path), { recursive: true }),
    );
    const block = this.#open.subarray(0, this.#openBytes);
    if (this.#file.size + block.length > diskBytesMax) {
      this.#failure = new Error(`more than ${diskBytesMax} bytes of deferred deadlines`);
      return;
    }
    const { position, written } = this.#file.append(block);
    written.catch((error: unknown) => (this.#failure ??= error));
    this.#blocks.push({ file: this.#file, position, length: block.length });
    this.#openBytes = 0;
  }
}

function encodeRecord({ database, key, field, deadlineMs, offset }: Deferred): Buffer {
  const record = Buffer.allocUnsafe(HEAD_BYTES + key.length + (field?.length ?? 0));
  record.writeUInt32LE(database, 0);
  record.writeUInt32LE(key.length, 4);
  record.writeUInt32LE(field === undefined ? 0 : field.length + 1, 8);
  record.writeDoubleLE(deadlineMs, 12);
  record.writeDoubleLE(offset, 20);
  key.copy(record, HEAD_BYTES);
  field?.copy(record, HEAD_BYTES + key.length);
  return record;
}

function decodeRecords(block: Buffer): Deferred[] {
  const records: Deferred[] = [];
  for (let at = 0; at < block.length;) {
    const keyAt = at + HEAD_BYTES;
    const fieldAt = keyAt + block.readUInt32LE(at + 4);
    const fieldBytes = block.readUInt32LE(at + 8);
    const end = fieldAt + Math.max(0, fieldBytes - 1);
    records.push({
      database: block.readUInt32LE(at),
      key: Buffer.from(block.subarray(keyAt, fieldAt)),
      field: fieldBytes === 0 ? undefined : Buffer.from(block.subarray(fieldAt, end)),
      deadlineMs: block.readDoubleLE(at + 12),
      offset: block.readDoubleLE(at + 20),
    });
    at = end;
  }
  return records;
}
