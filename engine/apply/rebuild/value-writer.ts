/**
 * Elements of one value as write commands for a key that does not exist yet, in chunks. Sans-IO.
 *
 *   string   SET, or SETRANGE … from the last byte of it on (so that the target allocates once)
 *   list     RPUSH …        set   SADD …        zset   ZADD …        hash   HSET …, HPEXPIREAT …
 *   stream   see `StreamWriter`
 *
 * Everything except a list's RPUSH and a stream's XADD may be sent twice without harm. A `replayable` list therefore cuts
 * itself back to what it had before each chunk; a stream's repeated ids are refused by the target, which is an answer too.
 */
import type { ElementSink, PendingEntry, StreamCounters } from '../../rdb/stream-decode/element-sink.ts';
import { encodeCommand, type Argument } from '../../resp/encode.ts';
import { CommandChunk, writeCommand, type CommandOutput } from './command-chunk.ts';
import type { LossKind } from './losses.ts';
import { StreamWriter } from './stream-writer.ts';
import type { WriteFeatures } from './write-features.ts';

/** Bytes of one SETRANGE. */
const STRING_PART_BYTES = 120 * 1024;
const CRLF = Buffer.from('\r\n');

export type OnLoss = (kind: LossKind, count: number) => void;

export interface ValueOptions {
  replayable: boolean;
  /** Where the deadline of a field is to be written. Default: where it is. */
  placeField?: ((field: Buffer, deadlineMs: number) => number) | undefined;
}

export class ValueWriter implements ElementSink {
  readonly #output: CommandOutput;
  readonly #features: WriteFeatures;
  readonly #onLoss: OnLoss;
  readonly #chunk: CommandChunk;
  readonly #stream: StreamWriter;
  #key: Buffer = Buffer.alloc(0);
  #options: ValueOptions = { replayable: false };
  /** What the chunk's head is for; '' before the first element. */
  #command: '' | 'RPUSH' | 'SADD' | 'ZADD' | 'HSET' = '';
  #listLength = 0;
  /** Fields of the current chunk that have an expiry, by deadline. */
  readonly #deadlines = new Map<number, Buffer[]>();
  #stringBytes = 0;
  #stringAt = 0;
  #stringPart: Buffer | undefined;
  #stringPartBytes = 0;

  constructor(output: CommandOutput, features: WriteFeatures, onLoss: OnLoss) {
    this.#output = output;
    this.#features = features;
    this.#onLoss = onLoss;
    this.#chunk = new CommandChunk(output);
    this.#stream = new StreamWriter(output, features, onLoss);
  }

  /** A value follows. The key does not exist, or DEL was written before. */
  begin(key: Buffer, options: ValueOptions): void {
    this.#key = key;
    this.#options = options;
    this.#command = '';
    this.#listLength = 0;
    this.#deadlines.clear();
    this.#stringBytes = -1;
    this.#stream.begin(key);
  }

  /** Entries claimed per consumer group (name as latin1) since `begin`. */
  get pendingByGroup(): ReadonlyMap<string, number> {
    return this.#stream.pendingByGroup;
  }

  /** Writes what is left. */
  end(): void {
    if (this.#command !== '') this.#flush();
    if (this.#stringBytes >= 0) this.#flushString();
    this.#stringPart = undefined;
    this.#stream.end();
  }

  stringStart(totalBytes: number): void {
    this.#stringBytes = totalBytes;
    this.#stringAt = 0;
    this.#stringPartBytes = 0;
    this.#stringPart = Buffer.allocUnsafe(Math.min(totalBytes, STRING_PART_BYTES));
    if (totalBytes <= STRING_PART_BYTES) return;
    writeCommand(this.#output, ['SETRANGE', this.#key, totalBytes - 1, Buffer.alloc(1)]);
  }

  stringPart(bytes: Buffer): void {
    const part = this.#stringPart;
    if (part === undefined) return;
    let from = 0;
    while (from < bytes.length) {
      const take = Math.min(part.length - this.#stringPartBytes, bytes.length - from);
      bytes.copy(part, this.#stringPartBytes, from, from + take);
      this.#stringPartBytes += take;
      from += take;
      if (this.#stringPartBytes === part.length && this.#stringBytes > part.length) this.#flushString();
    }
  }

  listElement(bytes: Buffer): void {
    if (this.#command === '') this.#start('RPUSH');
    this.#chunk.add(bytes);
    this.#flushIfFull();
  }

  setMember(bytes: Buffer): void {
    if (this.#command === '') this.#start('SADD');
    this.#chunk.add(bytes);
    this.#flushIfFull();
  }

  scored(member: Buffer, score: number): void {
    if (this.#command === '') this.#start('ZADD');
    this.#chunk.addText(scoreText(score));
    this.#chunk.add(member);
    this.#flushIfFull();
  }

  field(field: Buffer, value: Buffer, expireAtMs: number): void {
    if (this.#command === '') this.#start('HSET');
    this.#chunk.add(field);
    this.#chunk.add(value);
    if (expireAtMs >= 0) this.#remember(field, expireAtMs);
    this.#flushIfFull();
  }

  entry(id: string, fields: readonly Buffer[]): void {
    this.#stream.entry(id, fields);
  }

  deletedEntry(id: string): void {
    this.#stream.deletedEntry(id);
  }

  counters(counters: StreamCounters): void {
    this.#stream.counters(counters);
  }

  group(name: Buffer, lastId: string, entriesRead: number): void {
    this.#stream.group(name, lastId, entriesRead);
  }

  consumer(name: Buffer): void {
    this.#stream.consumer(name);
  }

  pending(entry: PendingEntry): void {
    this.#stream.pending(entry);
  }

  #start(command: 'RPUSH' | 'SADD' | 'ZADD' | 'HSET'): void {
    this.#command = command;
    this.#chunk.begin([command, this.#key]);
  }

  #flushIfFull(): void {
    if (this.#chunk.full) this.#flush();
  }

  #flush(): void {
    if (this.#command === 'RPUSH') this.#cutBack();
    this.#chunk.flush();
    for (const [expireAtMs, fields] of this.#deadlines) {
      writeCommand(this.#output, ['HPEXPIREAT', this.#key, expireAtMs, 'FIELDS', fields.length, ...fields]);
    }
    this.#deadlines.clear();
  }

  /** Before elements are appended for what may be the second time: away with those of the first. */
  #cutBack(): void {
    if (this.#options.replayable && this.#listLength > 0) {
      writeCommand(this.#output, ['LTRIM', this.#key, 0, this.#listLength - 1]);
    }
    this.#listLength += this.#chunk.words;
  }

  #remember(field: Buffer, expireAtMs: number): void {
    if (!this.#features.fieldTtl) return this.#onLoss('field-ttl', 1);
    const placedMs = this.#options.placeField?.(field, expireAtMs) ?? expireAtMs;
    const fields = this.#deadlines.get(placedMs) ?? [];
    fields.push(Buffer.from(field));
    this.#deadlines.set(placedMs, fields);
  }

  #flushString(): void {
    const part = this.#stringPart?.subarray(0, this.#stringPartBytes);
    if (part === undefined) return;
    if (this.#stringBytes <= STRING_PART_BYTES) this.#endWith(['SET', this.#key], part);
    else if (part.length > 0) this.#endWith(['SETRANGE', this.#key, this.#stringAt], part);
    this.#stringAt += part.length;
    this.#stringPartBytes = 0;
  }

  /** One command whose last word is not copied before it is written. */
  #endWith(words: readonly Argument[], last: Buffer): void {
    const front = encodeCommand(words);
    const head = Buffer.from(`*${words.length + 1}\r\n`);
    const length = Buffer.from(`$${last.length}\r\n`);
    this.#output.write(head, 0, head.length);
    this.#output.write(front, front.indexOf(10) + 1, front.length);
    this.#output.write(length, 0, length.length);
    this.#output.write(last, 0, last.length);
    this.#output.write(CRLF, 0, CRLF.length);
    this.#output.endCommand();
  }
}

/** A score so that `strtod` gives back the same 8 bytes: the shortest digits that do, inf, -inf, -0. */
export function scoreText(score: number): string {
  if (score === Infinity) return 'inf';
  if (score === -Infinity) return '-inf';
  return Object.is(score, -0) ? '-0' : String(score);
}
