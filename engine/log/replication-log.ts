/**
 * The bounded log between reading and applying: one writer (the receiver), any number of cursors (the lanes).
 *
 * Reading from the source never waits for a target: a slow replica makes the source overflow its output buffer and
 * drop us. So the log holds `memoryBytesMax` in memory, spills what comes beyond to disk segments, and stops with
 * LOG_FULL at `diskBytesMax`. An item leaves when every cursor has passed it.
 *
 *   entries   [ m m m | d d d d | m ]      m in memory, d on disk, newest right
 *              ^cursor B   ^cursor A
 *
 * Invariant: memoryBytes ≤ memoryBytesMax + what the disk has not taken yet; `room()` makes the receiver wait when
 * that part grows, because then the disk, not the target, is the limit.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, SyncError } from '../errors.ts';
import type { LogItem } from './item.ts';
import { SegmentFile } from './segment-file.ts';

const SEGMENT_BYTES = 32 * 1024 * 1024;
const JOINED_BYTES_MAX = 16 * 1024;
const UNWRITTEN_BYTES_MAX = 16 * 1024 * 1024;

export interface ReplicationLogOptions {
  /** A folder of its own; created when first needed, removed by `close`. */
  folder: string;
  memoryBytesMax: number;
  diskBytesMax: number;
}

interface Entry {
  /** Undefined once it is on disk. */
  item: LogItem | undefined;
  bytes: number;
  segment: SegmentFile | undefined;
  position: number;
}

export class ReplicationLog {
  readonly #options: ReplicationLogOptions;
  readonly #entries: Entry[] = [];
  /** Sequence number of #entries[#head]. */
  #firstSequence = 0;
  #head = 0;
  readonly #cursors = new Set<LogCursor>();
  #segment: SegmentFile | undefined;
  #segmentUsers = new Map<SegmentFile, number>();
  #segmentCount = 0;
  #folderReady = false;
  #memoryBytes = 0;
  #diskBytes = 0;
  #unwrittenBytes = 0;
  #failure: SyncError | undefined;
  #roomWaiters: (() => void)[] = [];

  constructor(options: ReplicationLogOptions) {
    this.#options = options;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  get diskBytes(): number {
    return this.#diskBytes;
  }

  /** Sequence number the next item will get. */
  get endSequence(): number {
    return this.#firstSequence + this.#entries.length - this.#head;
  }

  /** A reader that starts behind everything appended so far. */
  openCursor(): LogCursor {
    const cursor = new LogCursor(this, this.endSequence, () => {
      this.#cursors.delete(cursor);
      this.#trim();
    });
    this.#cursors.add(cursor);
    return cursor;
  }

  /** @throws SyncError LOG_FULL when neither memory nor disk may take it. */
  append(item: LogItem): void {
    if (this.#failure) throw this.#failure;
    const bytes = item.kind === 'bytes' ? item.chunk.length : 0;
    if (item.kind === 'bytes' && this.#join(item.chunk)) return;
    const entry: Entry = { item, bytes, segment: undefined, position: 0 };
    this.#memoryBytes += bytes;
    if (item.kind === 'bytes' && this.#memoryBytes - this.#unwrittenBytes > this.#options.memoryBytesMax) this.#spill(entry, item.chunk);
    this.#entries.push(entry);
    for (const cursor of this.#cursors) cursor.wake();
  }

  /** Undefined when more may be appended now, else a promise for that. */
  room(): Promise<void> | undefined {
    if (this.#unwrittenBytes < UNWRITTEN_BYTES_MAX) return undefined;
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Removes everything, also from disk. */
  async close(): Promise<void> {
    this.#failure ??= new SyncError('ABORTED', 'The replication log is closed.');
    for (const cursor of this.#cursors) cursor.wake();
    await Promise.allSettled([...this.#segmentUsers.keys()].map((segment) => segment.remove()));
    if (this.#folderReady) await rm(this.#options.folder, { recursive: true, force: true });
  }

  /** For cursors: the entry with this sequence number, if it has been appended. */
  entryAt(sequence: number): Entry | undefined {
    return this.#entries[this.#head + sequence - this.#firstSequence];
  }

  /** For cursors: a failure that ended the log (disk). */
  get failure(): SyncError | undefined {
    return this.#failure;
  }

  /** For cursors: one has moved on; what nobody needs any more is dropped. */
  passed(sequence: number): void {
    if (sequence === this.#firstSequence) this.#trim();
  }

  /**
   * Small reads that nobody is waiting for become one entry: a stalled target and a trickling source must not pile up
   * a million entries of 80 bytes.
   */
  #join(chunk: Buffer): boolean {
    const last = this.#entries.at(-1);
    if (last?.item?.kind !== 'bytes' || last.segment !== undefined || last.bytes + chunk.length > JOINED_BYTES_MAX) return false;
    for (const cursor of this.#cursors) if (cursor.sequence === this.endSequence) return false;
    last.item = { kind: 'bytes', chunk: Buffer.concat([last.item.chunk, chunk]) };
    last.bytes += chunk.length;
    this.#memoryBytes += chunk.length;
    return true;
  }

  #trim(): void {
    let lowest = this.endSequence;
    for (const cursor of this.#cursors) lowest = Math.min(lowest, cursor.sequence);
    while (this.#firstSequence < lowest) {
      const entry = this.#entries[this.#head] as Entry;
      if (entry.item !== undefined) this.#memoryBytes -= entry.bytes;
      entry.item = undefined;
      if (entry.segment) this.#releaseSegment(entry.segment, entry.bytes);
      entry.segment = undefined;
      this.#head++;
      this.#firstSequence++;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #spill(entry: Entry, chunk: Buffer): void {
    if (this.#diskBytes + chunk.length > this.#options.diskBytesMax) {
      throw this.#fail(
        new SyncError('LOG_FULL', `The replication log has reached its limit of ${this.#options.diskBytesMax} bytes on disk.`, {
          hint: 'The target is slower than the source for too long. Raise engine.disk, or find out what slows the target.',
        }),
      );
    }
    const segment = this.#openSegment();
    const { position, written } = segment.append(chunk);
    entry.segment = segment;
    entry.position = position;
    this.#segmentUsers.set(segment, (this.#segmentUsers.get(segment) ?? 0) + 1);
    this.#diskBytes += chunk.length;
    this.#unwrittenBytes += chunk.length;
    written.then(
      () => this.#written(entry),
      (error: unknown) => this.#fail(wordDiskError(error, this.#options.folder)),
    );
  }

  #written(entry: Entry): void {
    this.#unwrittenBytes -= entry.bytes;
    if (entry.item !== undefined) this.#memoryBytes -= entry.bytes;
    entry.item = undefined;
    if (this.#unwrittenBytes < UNWRITTEN_BYTES_MAX / 2) for (const wake of this.#roomWaiters.splice(0)) wake();
  }

  #openSegment(): SegmentFile {
    if (this.#segment === undefined || this.#segment.size >= SEGMENT_BYTES) {
      const path = join(this.#options.folder, `segment-${String(++this.#segmentCount).padStart(6, '0')}.log`);
      this.#segment = new SegmentFile(path, this.#makeFolder());
    }
    return this.#segment;
  }

  #makeFolder(): Promise<unknown> {
    if (this.#folderReady) return Promise.resolve();
    this.#folderReady = true;
    return mkdir(this.#options.folder, { recursive: true });
  }

  #releaseSegment(segment: SegmentFile, bytes: number): void {
    this.#diskBytes -= bytes;
    const users = (this.#segmentUsers.get(segment) ?? 1) - 1;
    this.#segmentUsers.set(segment, users);
    if (users > 0 || (segment === this.#segment && segment.size < SEGMENT_BYTES)) return;
    this.#segmentUsers.delete(segment);
    if (segment === this.#segment) this.#segment = undefined;
    segment.remove().catch((error: unknown) => this.#fail(wordDiskError(error, this.#options.folder)));
  }

  #fail(error: SyncError): SyncError {
    this.#failure ??= error;
    for (const wake of this.#roomWaiters.splice(0)) wake();
    for (const cursor of this.#cursors) cursor.wake();
    return this.#failure;
  }
}

/** Reads the log from one place on, in order. One reader at a time. */
export class LogCursor {
  readonly #log: ReplicationLog;
  readonly #onClose: () => void;
  #sequence: number;
  #wake: (() => void) | undefined;

  constructor(log: ReplicationLog, sequence: number, onClose: () => void) {
    this.#log = log;
    this.#sequence = sequence;
    this.#onClose = onClose;
  }

  /** Sequence number of the item that `next` will return. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The next item when it is in memory; undefined otherwise (then await `next`). */
  tryNext(): LogItem | undefined {
    const item = this.#log.entryAt(this.#sequence)?.item;
    if (item !== undefined) this.#advance();
    return item;
  }

  /** The next item; waits for it. @throws the log's failure, or the signal's reason. */
  async next(signal?: AbortSignal): Promise<LogItem> {
    for (;;) {
      signal?.throwIfAborted();
      const entry = this.#log.entryAt(this.#sequence);
      if (entry?.item !== undefined) {
        const item = entry.item;
        this.#advance();
        return item;
      }
      if (entry?.segment !== undefined) {
        const chunk = await entry.segment.read(entry.position, entry.bytes);
        this.#advance();
        return { kind: 'bytes', chunk };
      }
      if (this.#log.failure) throw this.#log.failure;
      await this.#sleep(signal);
    }
  }

  /** For the log: something was appended, or it failed. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  close(): void {
    this.#onClose();
  }

  #advance(): void {
    const passed = this.#sequence++;
    this.#log.passed(passed);
  }

  async #sleep(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake = wake;
      signal?.addEventListener('abort', wake, { once: true });
    });
  }
}

function wordDiskError(error: unknown, folder: string): SyncError {
  return new SyncError('LOG_FULL', `The replication log cannot use its disk: ${asError(error).message}.`, {
    where: folder,
    hint: 'Free disk space there, or name another folder with --out.',
    cause: error,
  });
}
