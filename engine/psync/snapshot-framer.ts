/**
 * Finds where a snapshot begins and ends in the bytes that follow +FULLRESYNC. Sans-IO.
 *
 *   \n \n …                     keep-alives while the source prepares the snapshot
 *   $<length>\r\n  <length bytes>                         disk-based: the length is known
 *   $EOF:<40 bytes>\r\n  <bytes> <the same 40 bytes>      diskless: the marker ends it, possibly cut across reads
 *
 * What follows the end is already command stream. Source of the fact: replication.c, readSyncBulkPayload.
 */
import { SyncError } from '../errors.ts';

const MARKER_BYTES = 40;
const HEADER_BYTES_MAX = 128;

export interface SnapshotFraming {
  /** `null` for a diskless transfer: nobody knows. */
  sizeBytes: number | null;
}

export interface SnapshotFramerHandler {
  begin(framing: SnapshotFraming): void;
  bytes(chunk: Buffer): void;
  end(): void;
}

export class SnapshotFramer {
  readonly #handler: SnapshotFramerHandler;
  #state: 'header' | 'sized' | 'marked' | 'done' = 'header';
  #header = Buffer.alloc(0);
  #remaining = 0;
  #marker = Buffer.alloc(0);
  /** The last bytes seen, at most 39: they may be the beginning of the marker. */
  #tail = Buffer.alloc(0);

  constructor(handler: SnapshotFramerHandler) {
    this.#handler = handler;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Returns what follows the snapshot (empty while it has not ended).
   *
   * @throws SyncError PROTOCOL when there is no snapshot header; PSYNC_REFUSED when the source reports an error instead.
   */
  push(chunk: Buffer): Buffer {
    let rest = chunk;
    if (this.#state === 'header') rest = this.#readHeader(rest);
    if (this.#state === 'sized') return this.#readSized(rest);
    if (this.#state === 'marked') return this.#readMarked(rest);
    return rest;
  }

  #readHeader(chunk: Buffer): Buffer {
    let bytes = this.#header.length === 0 ? chunk : Buffer.concat([this.#header, chunk]);
    let at = 0;
    while (bytes[at] === 10) at++;
    bytes = bytes.subarray(at);
    const end = bytes.indexOf('\r\n');
    if (end === -1) {
      if (bytes.length > HEADER_BYTES_MAX) throw badHeader(bytes);
      this.#header = Buffer.from(bytes);
      return Buffer.alloc(0);
    }
    const line = bytes.toString('latin1', 0, end);
    this.#header = Buffer.alloc(0);
    if (line.startsWith('$EOF:') && line.length === 5 + MARKER_BYTES) {
      this.#marker = Buffer.from(line.slice(5), 'latin1');
      this.#state = 'marked';
      this.#handler.begin({ sizeBytes: null });
    } else if (/^\$\d{1,18}$/.test(line)) {
      this.#remaining = Number(line.slice(1));
      this.#state = 'sized';
      this.#handler.begin({ sizeBytes: this.#remaining });
    } else {
      throw badHeader(bytes);
    }
    return bytes.subarray(end + 2);
  }

  #readSized(chunk: Buffer): Buffer {
    const take = Math.min(this.#remaining, chunk.length);
    if (take > 0) this.#handler.bytes(chunk.subarray(0, take));
    this.#remaining -= take;
    if (this.#remaining === 0) this.#finish();
    return chunk.subarray(take);
  }

  #readMarked(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const held = this.#tail.length;
    const bytes = held === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const at = bytes.indexOf(this.#marker);
    if (at !== -1) {
      if (at > 0) this.#handler.bytes(bytes.subarray(0, at));
      this.#tail = Buffer.alloc(0);
      this.#finish();
      return bytes.subarray(at + MARKER_BYTES);
    }
    const safe = Math.max(0, bytes.length - (MARKER_BYTES - 1));
    if (safe > 0) this.#handler.bytes(bytes.subarray(0, safe));
    this.#tail = Buffer.from(bytes.subarray(safe));
    return Buffer.alloc(0);
  }

  #finish(): void {
    this.#state = 'done';
    this.#handler.end();
  }
}

function badHeader(bytes: Buffer): SyncError {
  const line = bytes.toString('latin1', 0, Math.min(bytes.length, HEADER_BYTES_MAX)).split('\r\n')[0] ?? '';
  if (line.startsWith('-')) {
    return new SyncError('PSYNC_REFUSED', `The source could not make a snapshot: ${line.slice(1)}`, {
      retryable: true,
      hint: 'Look into the log of the source: a failed BGSAVE, a full disk, no memory to fork.',
    });
  }
  return new SyncError(
    'PROTOCOL',
    `The source sent ${JSON.stringify(line.slice(0, 60))} instead of a snapshot.`,
  );
}
