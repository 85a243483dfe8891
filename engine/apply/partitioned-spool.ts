/**
 * Records sorted into partitions while they come, in one temporary file: each partition fills a block of its own in memory,
 * and a full block goes to the end of the file. Reading a partition gives its blocks back, in order. Memory: one block per
 * partition that has records, and what the disk has not taken yet.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asError, SyncError } from '../errors.ts';
import { SegmentFile } from '../log/segment-file.ts';

const BLOCK_BYTES = 16 * 1024;
const UNWRITTEN_BYTES_MAX = 8 * 1024 * 1024;

interface Partition {
  open: Buffer | undefined;
  openBytes: number;
  blocks: { position: number; length: number }[];
  bytes: number;
}

export interface PartitionedSpoolOptions {
  /** Of a file that does not exist; its folder is created when it is needed. */
  path: string;
  partitions: number;
  /** LOG_FULL beyond it. */
  diskBytesMax: number;
}

export class PartitionedSpool {
  readonly #options: PartitionedSpoolOptions;
  readonly #partitions: Partition[];
  #file: SegmentFile | undefined;
  #unwrittenBytes = 0;
  #failure: Error | undefined;
  #roomWaiters: (() => void)[] = [];

  constructor(options: PartitionedSpoolOptions) {
    this.#options = options;
    this.#partitions = Array.from({ length: options.partitions }, () => ({
      open: undefined,
      openBytes: 0,
      blocks: [],
      bytes: 0,
    }));
  }

  /** Bytes of all records of a partition. */
  bytes(partition: number): number {
    return this.#at(partition).bytes;
  }

  /** Adds a record; it is copied, and never divided over two blocks. */
  write(partition: number, record: Uint8Array): void {
    const into = this.#at(partition);
    into.bytes += record.length;
    if (into.openBytes + record.length > BLOCK_BYTES) this.#close(into);
    if (record.length > BLOCK_BYTES) return this.#append(into, Buffer.from(record));
    into.open ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
    into.open.set(record, into.openBytes);
    into.openBytes += record.length;
  }

  /** Undefined when more may be written now, else a promise for that. */
  room(): Promise<void> | undefined {
    if (this.#unwrittenBytes < UNWRITTEN_BYTES_MAX || this.#failure) return undefined;
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** The blocks of a partition, each with whole records. @throws SyncError LOG_FULL when the disk failed. */
  async *read(partition: number): AsyncGenerator<Buffer, void, undefined> {
    const { blocks, open, openBytes } = this.#at(partition);
    await this.#written();
    for (const { position, length } of blocks) {
      if (this.#file)
        yield await this.#file.read(position, length).catch((error: unknown) => this.#throw(error));
    }
    if (open !== undefined) yield open.subarray(0, openBytes);
  }

  /** Deletes the file. */
  async remove(): Promise<void> {
    await this.#file?.remove();
    this.#file = undefined;
  }

  #at(partition: number): Partition {
    const found = this.#partitions[partition];
    if (found === undefined) throw new RangeError(`partition ${partition} of ${this.#partitions.length}`);
    return found;
  }

  #close(partition: Partition): void {
    if (partition.open === undefined) return;
    this.#append(partition, partition.open.subarray(0, partition.openBytes));
    partition.open = undefined;
    partition.openBytes = 0;
  }

  #append(partition: Partition, block: Buffer): void {
    const { path, diskBytesMax } = this.#options;
    this.#file ??= new SegmentFile(path, mkdir(dirname(path), { recursive: true }));
    if (this.#file.size + block.length > diskBytesMax) {
      throw new SyncError(
        'LOG_FULL',
        `Reconciling needs more than the ${diskBytesMax} bytes allowed on disk.`,
        {
          hint: 'Raise engine.disk.',
        },
      );
    }
    const { position, written } = this.#file.append(block);
    partition.blocks.push({ position, length: block.length });
    this.#unwrittenBytes += block.length;
    written
      .catch((error: unknown) => (this.#failure ??= asError(error)))
      .finally(() => {
        this.#unwrittenBytes -= block.length;
        if (this.#failure || this.#unwrittenBytes < UNWRITTEN_BYTES_MAX / 2)
          for (const wake of this.#roomWaiters.splice(0)) wake();
      });
  }

  /** Resolves when the file has everything that was given to it. */
  async #written(): Promise<void> {
    await this.#file?.flushed();
    if (this.#failure) this.#throw(this.#failure);
  }

  #throw(error: unknown): never {
    throw new SyncError('LOG_FULL', `Reconciling cannot use its disk: ${asError(error).message}.`, {
      where: this.#options.path,
      hint: 'Free disk space there, or name another folder with --out.',
      cause: error,
    });
  }
}
