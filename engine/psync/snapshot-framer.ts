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
  /** Of the chunk pushed, or of bytes held back before: to be copied by whoever keeps them. */
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
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, MARKER_BYTES - 1)]);
    const across = seam.indexOf(this.#marker);
    const at = across === -1 ? chunk.indexOf(this.#marker) : across - held;
    if (at !== -1 || across !== -1) return this.#endMarked(chunk, at);
    // Of what is held, all but the last 39 bytes of both together is snapshot.
    const safe = held + chunk.length - (MARKER_BYTES - 1);
    this.#hand(this.#tail.subarray(0, Math.max(0, Math.min(held, safe))));
    this.#hand(chunk.subarray(0, Math.max(0, safe - held)));
    const kept = this.#tail.subarray(Math.max(0, Math.min(held, safe)));
    this.#tail = Buffer.concat([kept, chunk.subarray(Math.max(0, safe - held))]);
    return Buffer.alloc(0);
  }

  /** @param at where the marker begins in the chunk; below 0 when that is in what is held. */
  #endMarked(chunk: Buffer, at: number): Buffer {
    this.#hand(at < 0 ? this.#tail.subarray(0, at) : this.#tail);
    this.#hand(chunk.subarray(0, Math.max(0, at)));
    this.#tail = Buffer.alloc(0);
    this.#finish();
    return chunk.subarray(at + MARKER_BYTES);
  }

  #hand(bytes: Buffer): void {
    if (bytes.length > 0) this.#handler.bytes(bytes);
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
