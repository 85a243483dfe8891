/**
 * Snapshot entries as RESTORE commands, built in place into batches that leave in one write. Sans-IO, and the hottest
 * code of a full sync: no allocation per key, bytes copied once.
 *
 *   RESTORE <key> <ttl> <type ++ value ++ version ++ crc64> REPLACE [ABSTTL] [IDLETIME s | FREQ n]
 *
 * REPLACE makes it idempotent: a batch whose outcome is unknown may be sent again. Every batch begins with SELECT, so
 * that it stands for itself on a fresh connection. (ABSTTL, IDLETIME and FREQ need a target ≥ 5.0.)
 *
 * Other commands may stand between the RESTOREs, through `write` and `endCommand`.
 *
 * Where whoever reads the target's stream must tell our writes from others, each batch is a transaction that begins with a mark:
 *
 *   SELECT 0 · MULTI · <mark> · SELECT n · RESTORE … · EXEC
 */
import { digits, encodeCommand, encodeCommands } from '../resp/encode.ts';
import { dumpPayloadLength, writeDumpPayload } from '../rdb/dump-payload.ts';
import type { RawEntry } from '../rdb/entry.ts';
import type { CommandOutput } from './rebuild/command-chunk.ts';

const RESTORE = Buffer.from('$7\r\nRESTORE\r\n');
const REPLACE = Buffer.from('$7\r\nREPLACE\r\n');
const ABSTTL = Buffer.from('$6\r\nABSTTL\r\n');
const NO_TTL = Buffer.from('$1\r\n0\r\n');
const IDLETIME = Buffer.from('$8\r\nIDLETIME\r\n');
const FREQ = Buffer.from('$4\r\nFREQ\r\n');
/** Everything in a RESTORE except key and value. */
const OVERHEAD_BYTES = 256;
const BEGIN = encodeCommands([['SELECT', 0], ['MULTI']]);
const EXEC = encodeCommand(['EXEC']);
const COPY_BY_HAND_BYTES = 48;

/** Commands to be sent in one write. */
export interface RestoreBatch {
  bytes: Buffer;
  /** Replies to expect: the keys, and a SELECT per database. */
  replies: number;
  keys: number;
  /** One transaction: all of it was executed, or nothing. */
  whole: boolean;
  release(): void;
}

export class RestoreBatchBuilder implements CommandOutput {
  readonly #sizeBytes: number;
  readonly #hints: boolean;
  readonly #mark: Buffer | undefined;
  readonly #pool: Buffer[] = [];
  #buffer: Buffer;
  #at = 0;
  #keys = 0;
  #replies = 0;
  #database = -1;

  /**
   * @param sizeBytes a batch is full when it has reached this.
   * @param hints whether the target takes IDLETIME and FREQ.
   * @param mark one encoded command for database 0: makes every batch a transaction that begins with it.
   */
  constructor(sizeBytes: number, hints = true, mark?: Buffer) {
    this.#sizeBytes = sizeBytes;
    this.#hints = hints;
    this.#mark = mark;
    this.#buffer = Buffer.allocUnsafe(sizeBytes * 2);
  }

  get full(): boolean {
    return this.#at >= this.#sizeBytes;
  }

  get empty(): boolean {
    return this.#at === 0;
  }

  /** @param version the RDB version stamped on the payload. */
  add(entry: RawEntry, version: number): void {
    const { key, value } = entry;
    this.#ensure(key.length + value.length + OVERHEAD_BYTES);
    this.select(entry.database);
    const hasTtl = entry.expireAtMs >= 0;
    const hasMeta = this.#hints && (entry.idleSeconds >= 0 || entry.frequency >= 0);
    this.#header(0x2a, 5 + (hasTtl ? 1 : 0) + (hasMeta ? 2 : 0));
    this.#raw(RESTORE);
    this.#header(0x24, key.length);
    this.#raw(key);
    this.#crlf();
    if (hasTtl) this.#number(entry.expireAtMs);
    else this.#raw(NO_TTL);
    this.#header(0x24, dumpPayloadLength(value.length));
    this.#at = writeDumpPayload(entry.type, value, version, this.#buffer, this.#at);
    this.#crlf();
    this.#raw(REPLACE);
    if (hasTtl) this.#raw(ABSTTL);
    if (hasMeta) this.#metadata(entry);
    this.#keys++;
    this.#replies++;
  }

  /** What follows is for this database. */
  select(database: number): void {
    if (database === this.#database) return;
    if (this.#mark !== undefined && this.#at === 0) this.#begin(this.#mark);
    this.#ensure(0);
    this.#raw(encodeCommand(['SELECT', database]));
    this.#database = database;
    this.#replies++;
  }

  #begin(mark: Buffer): void {
    this.#ensure(BEGIN.length + mark.length);
    this.#raw(BEGIN);
    this.#raw(mark);
    this.#replies += 3;
    this.#database = 0;
  }

  /** Appends a piece of a command. */
  write(bytes: Uint8Array, start: number, end: number): void {
    this.#ensure(end - start);
    this.#raw(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  }

  endCommand(): void {
    this.#replies++;
  }

  /** The commands appended last were for one more key. */
  countKey(): void {
    this.#keys++;
  }

  /** The batch so far. Its buffer comes back into use with `release`. */
  take(): RestoreBatch {
    if (this.#mark !== undefined) {
      this.#ensure(EXEC.length);
      this.#raw(EXEC);
      this.#replies++;
    }
    const buffer = this.#buffer;
    const batch: RestoreBatch = {
      bytes: buffer.subarray(0, this.#at),
      replies: this.#replies,
      keys: this.#keys,
      whole: this.#mark !== undefined,
      release: () => {
        if (buffer.length === this.#sizeBytes * 2) this.#pool.push(buffer);
      },
    };
    this.#buffer = this.#pool.pop() ?? Buffer.allocUnsafe(this.#sizeBytes * 2);
    this.#at = 0;
    this.#keys = 0;
    this.#replies = 0;
    this.#database = -1;
    return batch;
  }

  /** LRU idle time or LFU frequency; a target with another policy ignores them. */
  #metadata(entry: RawEntry): void {
    const lru = entry.idleSeconds >= 0;
    this.#raw(lru ? IDLETIME : FREQ);
    this.#number(lru ? entry.idleSeconds : entry.frequency);
  }

  #raw(bytes: Uint8Array): void {
    const length = bytes.length;
    if (length <= COPY_BY_HAND_BYTES) {
      const out = this.#buffer;
      let at = this.#at;
      for (let index = 0; index < length; index++) out[at++] = bytes[index]!;
    } else {
      this.#buffer.set(bytes, this.#at);
    }
    this.#at += length;
  }

  #crlf(): void {
    this.#buffer[this.#at] = 13;
    this.#buffer[this.#at + 1] = 10;
    this.#at += 2;
  }

  /** `$<n>\r\n` or `*<n>\r\n`. */
  #header(mark: number, value: number): void {
    this.#buffer[this.#at++] = mark;
    this.#decimal(value);
    this.#crlf();
  }

  /** A number as a bulk string. */
  #number(value: number): void {
    this.#header(0x24, digits(value));
    this.#decimal(value);
    this.#crlf();
  }

  #decimal(value: number): void {
    const count = digits(value);
    let rest = value;
    for (let at = this.#at + count - 1; at >= this.#at; at--) {
      const next = Math.floor(rest / 10);
      this.#buffer[at] = 48 + (rest - next * 10);
      rest = next;
    }
    this.#at += count;
  }

  #ensure(more: number): void {
    const needed = this.#at + more + OVERHEAD_BYTES;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}
