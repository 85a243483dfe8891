/**
 * Collects translated stream commands into the transactions that are sent to the target. Sans-IO.
 *
 *   MULTI · HSET checkpoint · [SELECT n] · commands … · [SELECT 0]      then EXEC, sent apart
 *
 * The body is built in place behind room for the head, whose contents (the offset) are known only when the envelope is
 * taken; raw command bytes are copied once, in runs. An envelope ends only at a boundary: never inside a transaction of the
 * source. What stands behind the last boundary moves on into the next envelope.
 *
 * The target connection stands on database 0 between envelopes.
 *
 * What came from elsewhere through the source is marked inside: HSET checkpoint path <p>, which holds for what follows.
 */
import { encodeCommand } from '../resp/encode.ts';
import { encodeCheckpoint, encodePath, type Checkpoint } from './checkpoint.ts';
import type { EnvelopeSink } from './envelope-sink.ts';
import type { StreamExpiry, WrittenDeadlines } from './expiry/stream-expiry.ts';

const HEAD_ROOM = 1024;
const TAIL_ROOM = 128;
const NO_DEADLINES: WrittenDeadlines = { nearestMs: Infinity, sinceMs: Infinity };
const MULTI = Buffer.from('*1\r\n$5\r\nMULTI\r\n');
const SELECT_ZERO = encodeCommand(['SELECT', 0]);

/** One transaction, ready to be sent, up to but without its EXEC. */
export interface Envelope {
  /** MULTI and everything queued. */
  bytes: Buffer;
  /** Queued commands, the checkpoint and SELECTs included: one reply each, and one for MULTI. */
  queued: number;
  checkpoint: Checkpoint;
  /** Commands of the source in it. */
  commands: number;
  transactions: number;
  /** Values of our heartbeats in it (ms), newest last. */
  heartbeats: number[];
  /** Commands in it that hit whole databases (FLUSHALL, SWAPDB): nobody else's data may be there. */
  sweeping: string[];
  /** SHA1s of scripts in it that the target must have already. */
  scripts: string[];
  deadlines: WrittenDeadlines;
  /** Its bytes are not needed any more: their buffer goes back to the builder. */
  release(): void;
}

/** What is known at the end of the last complete unit. */
interface Boundary {
  at: number;
  queued: number;
  bodyDatabase: number;
  bodyPath: string;
  streamDatabase: number;
  offset: bigint;
  commands: number;
  transactions: number;
  heartbeats: number;
  sweeping: number;
  scripts: number;
}

export class EnvelopeBuilder implements EnvelopeSink {
  readonly #checkpointKey: string;
  readonly #path: string;
  readonly #alone: boolean;
  readonly #expiry: StreamExpiry | undefined;
  #buffer: Buffer;
  #at = HEAD_ROOM;
  #queued = 0;
  /** Database selected at this point of the body. */
  #bodyDatabase = 0;
  /** Path that holds at this point of the body, and the one for what comes next. */
  #bodyPath: string;
  #nextPath: string;
  #commands = 0;
  #transactions = 0;
  #heartbeats: number[] = [];
  #sweeping: string[] = [];
  #scripts: string[] = [];
  /** Write the checkpoint again at the end: a command in the body may have removed or moved it. */
  #repeatCheckpoint: Buffer[] | undefined;
  #boundary: Boundary;
  #replid: string;
  readonly #freshBytes: number;
  readonly #free: Buffer[] = [];

  constructor(options: {
    checkpointKey: string;
    sizeBytes: number;
    start: Checkpoint;
    expiry?: StreamExpiry | undefined;
  }) {
    this.#expiry = options.expiry;
    this.#checkpointKey = options.checkpointKey;
    this.#path = options.start.path;
    this.#bodyPath = this.#path;
    this.#nextPath = this.#path;
    this.#alone = options.start.alone;
    this.#freshBytes = options.sizeBytes + HEAD_ROOM + TAIL_ROOM;
    this.#buffer = Buffer.allocUnsafe(this.#freshBytes);
    this.#replid = options.start.replid;
    this.#boundary = this.#markAt(options.start.offset, options.start.database);
  }

  /** Bytes and commands collected since the last `take`. */
  get bytes(): number {
    return this.#at - HEAD_ROOM;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Offset of the last complete unit. */
  get offset(): bigint {
    return this.#boundary.offset;
  }

  /** There is a complete unit that changes the target. */
  get hasUnits(): boolean {
    return this.#boundary.queued > 0;
  }

  /** There is something worth acknowledging, if only that the stream moved on. */
  get hasHeartbeats(): boolean {
    return this.#boundary.heartbeats > 0;
  }

  adoptReplid(replid: string): void {
    this.#replid = replid;
  }

  /** Appends `count` already encoded commands for `database`. */
  append(source: Buffer, start: number, end: number, count: number, database: number): void {
    if (this.#nextPath !== this.#bodyPath) this.#changePath(this.#nextPath);
    if (database !== this.#bodyDatabase) this.#select(database);
    this.#ensure(end - start);
    source.copy(this.#buffer, this.#at, start, end);
    this.#at += end - start;
    this.#queued += count;
    this.#commands += count;
  }

  /** Where what is appended from now on has been. */
  setPath(path: string): void {
    this.#nextPath = path;
  }

  addHeartbeat(sentAtMs: number): void {
    this.#heartbeats.push(sentAtMs);
  }

  /** The command appended last hits whole databases. */
  addSweeping(name: string): void {
    this.#sweeping.push(name);
  }

  /** The command appended last runs a script by a SHA1 that only the target can resolve. */
  addScript(sha: string): void {
    this.#scripts.push(sha);
  }

  addTransaction(): void {
    this.#transactions++;
  }

  /**
   * The checkpoint key may be gone after this command (FLUSHDB, FLUSHALL, SWAPDB). Write it anew at the end of this
   * envelope, and first remove copies that the command put into other databases.
   */
  repeatCheckpoint(removeFirst: Buffer[]): void {
    this.#repeatCheckpoint = [...(this.#repeatCheckpoint ?? []), ...removeFirst];
  }

  /** The checkpoint will be written again at the end of this envelope. */
  get repeatsCheckpoint(): boolean {
    return this.#repeatCheckpoint !== undefined;
  }

  /** Everything appended so far is complete up to this stream offset. */
  mark(offset: bigint, streamDatabase: number): void {
    this.#boundary = this.#markAt(offset, streamDatabase);
  }

  /** The envelope up to the last boundary; the builder goes on behind it, in another buffer. */
  take(): Envelope {
    const boundary = this.#boundary;
    const checkpoint: Checkpoint = {
      replid: this.#replid,
      offset: boundary.offset,
      database: boundary.streamDatabase,
      path: this.#path,
      alone: this.#alone,
      graceMs: this.#expiry?.mark,
    };
    const deadlines = this.#expiry?.take(this.#at > boundary.at) ?? NO_DEADLINES;
    const heartbeats = this.#heartbeats.slice(0, boundary.heartbeats);
    const sweeping = this.#sweeping.slice(0, boundary.sweeping);
    const scripts = this.#scripts.slice(0, boundary.scripts);
    const repeat = this.#repeatCheckpoint;
    const full = this.#buffer;
    this.#restart(boundary);
    const { commands, transactions } = boundary;
    const release = (): void => {
      if (full.length === this.#freshBytes && !this.#free.includes(full)) this.#free.push(full);
    };
    return {
      ...this.#close(full, boundary, checkpoint, repeat),
      checkpoint,
      commands,
      transactions,
      heartbeats,
      sweeping,
      scripts,
      deadlines,
      release,
    };
  }

  /** Puts head and end around a full buffer's body. */
  #close(
    full: Buffer,
    boundary: Boundary,
    checkpoint: Checkpoint,
    repeat: Buffer[] | undefined,
  ): { bytes: Buffer; queued: number } {
    const mark = encodeCheckpoint(this.#checkpointKey, checkpoint);
    const head = Buffer.concat([MULTI, mark]);
    const ending = boundary.bodyDatabase === 0 ? [] : [SELECT_ZERO];
    if (repeat !== undefined) ending.push(...repeat, mark);
    const queued = boundary.queued + 1 + ending.length;
    const end = Buffer.concat(ending);
    if (head.length > HEAD_ROOM || boundary.at + end.length > full.length) {
      return { bytes: Buffer.concat([head, full.subarray(HEAD_ROOM, boundary.at), end]), queued };
    }
    const start = HEAD_ROOM - head.length;
    head.copy(full, start);
    end.copy(full, boundary.at);
    return { bytes: full.subarray(start, boundary.at + end.length), queued };
  }

  /** Goes on in the other buffer, with what stood behind the boundary in front. */
  #restart(boundary: Boundary): void {
    const full = this.#buffer;
    const end = this.#at;
    const behind = {
      queued: this.#queued - boundary.queued,
      commands: this.#commands - boundary.commands,
      transactions: this.#transactions - boundary.transactions,
      bodyDatabase: this.#bodyDatabase,
      bodyPath: this.#bodyPath,
    };
    const nextPath = this.#nextPath;
    this.#buffer = this.#free.pop() ?? Buffer.allocUnsafe(this.#freshBytes);
    // Behind the boundary may stand the very command that needs it; repeating it once too often does no harm.
    if (end === boundary.at) this.#repeatCheckpoint = undefined;
    this.#heartbeats = this.#heartbeats.slice(boundary.heartbeats);
    this.#sweeping = this.#sweeping.slice(boundary.sweeping);
    this.#scripts = this.#scripts.slice(boundary.scripts);
    this.#at = HEAD_ROOM;
    this.#queued = 0;
    this.#bodyDatabase = 0;
    this.#bodyPath = this.#path;
    this.#commands = 0;
    this.#transactions = 0;
    const counts = { heartbeats: 0, sweeping: 0, scripts: 0 };
    this.#boundary = { ...this.#markAt(boundary.offset, boundary.streamDatabase), ...counts };
    if (end > boundary.at) {
      this.#nextPath = boundary.bodyPath;
      this.append(full, boundary.at, end, behind.queued, boundary.bodyDatabase);
      this.#bodyPath = behind.bodyPath;
      this.#nextPath = nextPath;
    }
    this.#bodyDatabase =
      behind.bodyDatabase === boundary.bodyDatabase ? this.#bodyDatabase : behind.bodyDatabase;
    this.#commands = behind.commands;
    this.#transactions = behind.transactions;
  }

  #markAt(offset: bigint, streamDatabase: number): Boundary {
    return {
      at: this.#at,
      queued: this.#queued,
      bodyDatabase: this.#bodyDatabase,
      bodyPath: this.#bodyPath,
      streamDatabase,
      offset,
      commands: this.#commands,
      transactions: this.#transactions,
      heartbeats: this.#heartbeats.length,
      sweeping: this.#sweeping.length,
      scripts: this.#scripts.length,
    };
  }

  #select(database: number): void {
    const bytes = encodeCommand(['SELECT', database]);
    this.#ensure(bytes.length);
    bytes.copy(this.#buffer, this.#at);
    this.#at += bytes.length;
    this.#queued++;
    this.#bodyDatabase = database;
  }

  /** Between two units of the source. */
  #changePath(path: string): void {
    if (this.#bodyDatabase !== 0) this.#select(0);
    const bytes = encodePath(this.#checkpointKey, path);
    this.#ensure(bytes.length);
    bytes.copy(this.#buffer, this.#at);
    this.#at += bytes.length;
    this.#queued++;
    this.#bodyPath = path;
  }

  #ensure(more: number): void {
    const needed = this.#at + more + TAIL_ROOM;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(
      Math.max(needed, Math.min(this.#buffer.length * 2, needed + 64 * 1024 * 1024)),
    );
    this.#buffer.copy(grown, HEAD_ROOM, HEAD_ROOM, this.#at);
    this.#buffer = grown;
  }
}
