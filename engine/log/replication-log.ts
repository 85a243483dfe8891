/**
 * The bounded log between reading and applying: one writer (the receiver), any number of cursors (the lanes).
 *
 * Reading from the source never waits for a target: a slow replica makes the source overflow its output buffer and
 * drop us. So the log holds `memoryBytesMax` in memory, spills what comes beyond to disk segments, and at `diskBytesMax`
 * gives up with LOG_FULL: the slowest reader first, the log itself when there is only one. An entry leaves when every cursor
 * has passed it.
 *
 *   entries   [ m m m | d d d d | m | o ]      m in memory, d on disk, o open: small chunks still join it; newest right
 *              ^cursor B   ^cursor A
 *
 * Invariant: memoryBytes ≤ memoryBytesMax + one open entry + what the disk has not taken yet; `room()` makes the
 * receiver wait when the last part grows, because then the disk, not the target, is the limit. Entries are large, so
 * that their number is bounded too: a full disk of 64 GiB is 65,536 of them.
 */
import { mkdir, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, SyncError } from '../errors.ts';
import type { LogItem } from './item.ts';
import { LogCursor } from './log-cursor.ts';
import { SegmentFile } from './segment-file.ts';

const SEGMENT_BYTES = 32 * 1024 * 1024;
/** Files of the folder that are ours: segments, and what reconciling and deferred deadlines keep there. */
const SPOOL_NAME = /^(segment-(\d+-)?\d{6,}\.log|(reconcile|deferred)-[0-9a-f]{12}-\d+\.spool)$/;
/**
 * Sizes of an open entry in memory, as a share of what memory may hold, and of one that will go to disk. Bytes that wait are
 * copied into few large pieces: the sockets' own buffers, all of another size, would leave the heap of the C library in
 * shreds that are never given back.
 */
const JOINED_SHARE = 1 / 128;
const JOINED_BYTES_MIN = 16 * 1024;
const JOINED_BYTES_MAX = 256 * 1024;
const EXTENT_BYTES_MAX = 1024 * 1024;
const UNWRITTEN_BYTES_MAX = 8 * 1024 * 1024;
/** Chunks that arrived further apart do not join: an entry has one time. */
const JOINED_MS_MAX = 1000;

export interface ReplicationLogOptions {
  /** A folder of its own; created when first needed, removed by `close` unless it holds something else. */
  folder: string;
  memoryBytesMax: number;
  diskBytesMax: number;
  /** Tells its files from those of other logs in the same folder, which then stays when this one is closed. */
  number?: number;
}

/** One item, or many adjacent chunks of bytes as one. */
export interface LogEntry {
  /** Undefined once it is only on disk. */
  item: LogItem | undefined;
  bytes: number;
  /** When its first and last bytes arrived. */
  firstAtMs: number | undefined;
  atMs: number | undefined;
  /** Where joining chunks are written to; undefined when the entry is complete. */
  room: Buffer | undefined;
  segment: SegmentFile | undefined;
  position: number;
}

export class ReplicationLog {
  readonly #options: ReplicationLogOptions;
  readonly #joinedBytes: number;
  readonly #extentBytes: number;
  readonly #entries: LogEntry[] = [];
  /** Sequence number of #entries[#head]. */
  #firstSequence = 0;
  #head = 0;
  readonly #cursors = new Set<LogCursor>();
  #segment: SegmentFile | undefined;
  #segmentUsers = new Map<SegmentFile, number>();
  /** Segments being removed. */
  readonly #removing = new Set<Promise<void>>();
  #segmentCount = 0;
  #folderReady: Promise<unknown> | undefined;
  #memoryBytes = 0;
  #diskBytes = 0;
  #unwrittenBytes = 0;
  #failure: SyncError | undefined;
  #roomWaiters: (() => void)[] = [];

  constructor(options: ReplicationLogOptions) {
    this.#options = options;
    const { memoryBytesMax } = options;
    this.#joinedBytes = between(JOINED_BYTES_MIN, memoryBytesMax * JOINED_SHARE, JOINED_BYTES_MAX);
    this.#extentBytes = between(JOINED_BYTES_MIN, memoryBytesMax / 8, EXTENT_BYTES_MAX);
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  get diskBytes(): number {
    return this.#diskBytes;
  }

  /** Items and groups of joined chunks held, in memory or on disk. */
  get entries(): number {
    return this.#entries.length - this.#head;
  }

  /**
   * Deletes the files that a process which was killed left in the folder. Before the first `append`.
   *
   * @throws SyncError LOG_FULL when the folder cannot be read or written.
   */
  async removeLeftovers(): Promise<void> {
    const { folder } = this.#options;
    try {
      for (const name of await readdir(folder)) if (SPOOL_NAME.test(name)) await unlink(join(folder, name));
    } catch (error) {
      if (!isMissing(error)) throw wordDiskError(error, folder);
    }
  }

  /**
   * A reader that starts behind everything appended so far.
   *
   * @param dropped is told when the log was full and this was the slowest of several readers: it gets nothing more.
   */
  openCursor(dropped?: (error: SyncError) => void): LogCursor {
    const open = this.#openEntry;
    const sequence = this.#firstSequence + this.entries - (open === undefined ? 0 : 1);
    const close = (): void => {
      this.#cursors.delete(cursor);
      this.#trim();
    };
    const cursor = new LogCursor(this, sequence, open?.bytes ?? 0, { close, dropped });
    this.#cursors.add(cursor);
    return cursor;
  }

  /** @throws SyncError LOG_FULL when neither memory nor disk may take it. */
  append(item: LogItem): void {
    if (this.#failure) throw this.#failure;
    if (item.kind === 'bytes') this.#appendBytes(item.chunk, item.atMs);
    else {
      this.#complete();
      this.#push({ ...newEntry(undefined), item });
    }
    for (const cursor of this.#cursors) cursor.wake();
  }

  /** Undefined when more may be appended now, else a promise for that. */
  room(): Promise<void> | undefined {
    if (this.#unwrittenBytes < UNWRITTEN_BYTES_MAX || this.#failure !== undefined) return undefined;
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Removes everything, also from disk. */
  async close(): Promise<void> {
    this.#fail(new SyncError('ABORTED', 'The replication log is closed.'));
    for (const segment of this.#segmentUsers.keys()) this.#remove(segment);
    await Promise.all(this.#removing);
    if (this.#folderReady === undefined) return;
    await this.#folderReady.catch(() => undefined);
    if (this.#options.number !== undefined) return;
    // What is not ours stays, and with it the folder.
    await rmdir(this.#options.folder).catch(() => undefined);
  }

  /** For cursors: the entry with this sequence number, if it has been appended. */
  entryAt(sequence: number): LogEntry | undefined {
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

  /** For cursors: what a failed read of a segment means. */
  wordReadError(error: unknown): SyncError {
    return this.#failure ?? wordDiskError(error, this.#options.folder);
  }

  /** The newest entry, while chunks may still join it. */
  get #openEntry(): LogEntry | undefined {
    const last = this.#entries.at(-1);
    return this.entries > 0 && last?.room !== undefined ? last : undefined;
  }

  get #overMemory(): boolean {
    return this.#memoryBytes - this.#unwrittenBytes > this.#options.memoryBytesMax;
  }

  /**
   * Small chunks join one entry: a stalled target and a trickling source must not pile up a million entries of 80
   * bytes, in memory or on disk. A chunk that would fill more than half of one is an entry of its own, without a copy.
   */
  #appendBytes(chunk: Buffer, atMs: number | undefined): void {
    const open = this.#openEntry;
    if (
      open?.room !== undefined &&
      open.bytes + chunk.length <= open.room.length &&
      (atMs ?? 0) - (open.firstAtMs ?? 0) <= JOINED_MS_MAX
    ) {
      open.atMs = atMs;
      return this.#joinTo(open, open.room, chunk);
    }
    this.#complete();
    const capacity = this.#overMemory ? this.#extentBytes : this.#joinedBytes;
    const entry = newEntry(atMs);
    if (chunk.length * 2 > capacity) {
      entry.item = { kind: 'bytes', chunk, atMs };
      entry.bytes = chunk.length;
      this.#memoryBytes += chunk.length;
      if (this.#overMemory) this.#spill(entry, chunk);
    } else {
      entry.room = Buffer.allocUnsafeSlow(capacity);
      this.#joinTo(entry, entry.room, chunk);
    }
    this.#push(entry);
  }

  #joinTo(entry: LogEntry, room: Buffer, chunk: Buffer): void {
    chunk.copy(room, entry.bytes);
    entry.bytes += chunk.length;
    entry.item = { kind: 'bytes', chunk: room.subarray(0, entry.bytes), atMs: entry.atMs };
    this.#memoryBytes += chunk.length;
  }

  #push(entry: LogEntry): void {
    this.#entries.push(entry);
  }

  /** The open entry, if there is one, takes no more: cursors at its end move on, and it goes to disk when it must. */
  #complete(): void {
    const open = this.#openEntry;
    if (open?.room === undefined) return;
    if (open.item?.kind === 'bytes' && open.bytes * 2 < open.room.length) {
      // The rest of the room would be held in memory without being counted.
      open.item = { kind: 'bytes', chunk: Buffer.from(open.item.chunk), atMs: open.atMs };
    }
    open.room = undefined;
    const sequence = this.#firstSequence + this.entries - 1;
    for (const cursor of this.#cursors) cursor.leave(sequence, open.bytes);
    this.#trim();
    if (this.entries > 0 && this.#overMemory && open.item?.kind === 'bytes')
      this.#spill(open, open.item.chunk);
  }

  #trim(): void {
    let lowest = this.#firstSequence + this.entries - (this.#openEntry === undefined ? 0 : 1);
    for (const cursor of this.#cursors) lowest = Math.min(lowest, cursor.sequence);
    while (this.#firstSequence < lowest) {
      const entry = this.#entries[this.#head]!;
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

  #spill(entry: LogEntry, chunk: Buffer): void {
    const { diskBytesMax, folder } = this.#options;
    while (this.#diskBytes + chunk.length > diskBytesMax) {
      if (this.#cursors.size <= 1) throw this.#fail(wordDiskLimit(diskBytesMax));
      this.#dropSlowest(wordDiskLimit(diskBytesMax));
      // It was there for that reader alone.
      if (entry.item === undefined) return;
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
      (error: unknown) => this.#fail(wordDiskError(error, folder)),
    );
  }

  /** One target that is too slow must not end the others. */
  #dropSlowest(error: SyncError): void {
    const bySequence = [...this.#cursors].toSorted((a, b) => a.sequence - b.sequence);
    bySequence[0]?.drop(error);
  }

  #written(entry: LogEntry): void {
    this.#unwrittenBytes -= entry.bytes;
    if (entry.item !== undefined) this.#memoryBytes -= entry.bytes;
    entry.item = undefined;
    if (this.#unwrittenBytes < UNWRITTEN_BYTES_MAX / 2) this.#wakeRoomWaiters();
  }

  #openSegment(): SegmentFile {
    if (this.#segment === undefined || this.#segment.size >= SEGMENT_BYTES) {
      const { folder, number } = this.#options;
      const prefix = number === undefined ? '' : `${number}-`;
      const path = join(folder, `segment-${prefix}${String(++this.#segmentCount).padStart(6, '0')}.log`);
      this.#folderReady ??= mkdir(this.#options.folder, { recursive: true });
      this.#segment = new SegmentFile(path, this.#folderReady);
    }
    return this.#segment;
  }

  #releaseSegment(segment: SegmentFile, bytes: number): void {
    this.#diskBytes -= bytes;
    const users = (this.#segmentUsers.get(segment) ?? 1) - 1;
    this.#segmentUsers.set(segment, users);
    if (users > 0 || (segment === this.#segment && segment.size < SEGMENT_BYTES)) return;
    if (segment === this.#segment) this.#segment = undefined;
    this.#remove(segment);
  }

  #remove(segment: SegmentFile): void {
    this.#segmentUsers.delete(segment);
    const removing: Promise<void> = segment
      .remove()
      .catch((error: unknown) => void this.#fail(wordDiskError(error, this.#options.folder)))
      .finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }

  #fail(error: SyncError): SyncError {
    this.#failure ??= error;
    this.#wakeRoomWaiters();
    for (const cursor of this.#cursors) cursor.wake();
    return this.#failure;
  }

  #wakeRoomWaiters(): void {
    for (const wake of this.#roomWaiters.splice(0)) wake();
  }
}

function between(least: number, bytes: number, most: number): number {
  return Math.floor(Math.min(most, Math.max(least, bytes)));
}

function newEntry(atMs: number | undefined): LogEntry {
  return {
    item: undefined,
    bytes: 0,
    firstAtMs: atMs,
    atMs,
    room: undefined,
    segment: undefined,
    position: 0,
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function wordDiskLimit(diskBytesMax: number): SyncError {
  return new SyncError(
    'LOG_FULL',
    `The replication log has reached its limit of ${diskBytesMax} bytes on disk.`,
    {
      hint: 'The target is slower than the source for too long. Raise engine.disk, or find out what slows the target.',
    },
  );
}

function wordDiskError(error: unknown, folder: string): SyncError {
  return new SyncError('LOG_FULL', `The replication log cannot use its disk: ${asError(error).message}.`, {
    where: folder,
    hint: 'Free disk space there, or name another folder with --out.',
    cause: error,
  });
}
