/**
 * One side of a pair, as the stream of its server tells it: what its clients wrote that the other side does not have yet, and
 * up to where it has what the other side's clients wrote.
 *
 *   stream of Y   … mark(X is applied up to 70) … client writes k …     while X has a write to k at 82: neither saw the other's
 *
 * That is a conflict, exactly: marks and writes stand in Y's stream in the order in which Y executed them. It needs no clock,
 * and nothing has to be kept but writes that are on their way.
 */
import type { ConflictWatch, OwnCommands } from '../../apply/origin/conflict-watch.ts';
import type { OriginMark } from '../../apply/origin/origin-filter.ts';
import { checkpointKey, contestKey } from '../../apply/checkpoint.ts';
import { findKeys } from '../../keys/key-positions.ts';
import type { CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommand } from '../../resp/encode.ts';
import { isOwnKey } from '../../apply/target-contents.ts';
import type { ConflictDesk } from './conflict-desk.ts';
import { readCopy } from './copy-command.ts';
import { WriteClock, type WriteTime } from './write-clock.ts';
import { commute, kindOf, type WriteKind } from './write-kind.ts';

/** Of one side, on their way; about 40 MiB. */
const WRITES_MAX = 200_000;
const EARLY_MAX = 50_000;

export interface LocalWrite extends WriteTime {
  offset: bigint;
  kind: WriteKind;
}

export interface ConflictSideOptions {
  /** The instance whose stream it is. */
  name: string;
  /** The link that reads it. */
  link: string;
  heartbeatMs: number;
  heartbeatPrefix: string;
}

export class ConflictSide implements ConflictWatch {
  readonly options: ConflictSideOptions;
  readonly #desk: ConflictDesk;
  readonly #clock: WriteClock;
  /** By `database:key`, in the order of their offsets. */
  readonly #unseen = new Map<string, LocalWrite>();
  /**
   * While what the other side applied here may include writes that nobody has told us of (from before a restart): ours, which
   * those may have crossed. Undefined as soon as a mark says that we know of all that follows.
   */
  #early: Map<string, LocalWrite> | undefined;
  /** Every write behind this offset is told of; undefined while the stream is not read. */
  #toldFrom: bigint | undefined;
  #readTo = -1n;
  /** Offset of the other side's stream that the mark read last has named. */
  #lastMark = -1n;
  readonly #positions: number[] = [];

  constructor(desk: ConflictDesk, options: ConflictSideOptions) {
    this.#desk = desk;
    this.options = options;
    this.#clock = new WriteClock(options.heartbeatMs);
  }

  /** Its stream is read. */
  get isRead(): boolean {
    return this.#toldFrom !== undefined;
  }

  /** A write to the key is on its way to the other side. */
  hasUnseen(id: string): boolean {
    return this.#unseen.has(id);
  }

  begins(offset: bigint): void {
    this.#unseen.clear();
    this.#readTo = offset;
    this.#toldFrom = offset;
    this.#lastMark = -1n;
    this.#early = new Map();
    this.#desk.otherOf(this)?.tellAnew();
  }

  /** From here on the other side is there to be told of it. */
  tellAnew(): void {
    if (this.#toldFrom === undefined) return;
    this.#toldFrom = this.#readTo;
    this.#early ??= new Map();
  }

  arrived(atMs: number): void {
    this.#clock.arrived(atMs);
  }

  heartbeat(sentAtMs: number): void {
    this.#clock.heartbeat(sentAtMs);
  }

  wrote(frame: CommandFrame, database: number, offset: bigint): OwnCommands | undefined {
    this.#readTo = offset;
    const other = this.#desk.otherOf(this);
    const kind = kindOf(frame);
    const time = this.#clock.now();
    if (other === undefined || !other.isRead) {
      // The other direction may have run before, and come soon.
      return this.#forEachKey(frame, database, (id) => this.#rememberEarly(id, { ...time, offset, kind }));
    }
    return this.#forEachKey(frame, database, (id, key) => {
      const before = this.#unseen.get(id);
      const merged = before === undefined || before.kind === kind ? kind : 'write';
      const write = { ...time, offset, kind: merged };
      this.#remember(id, write);
      const theirs = other.#unseen.get(id);
      if (theirs === undefined || commute(theirs.kind, merged)) return undefined;
      return this.#desk.collided({ id, key, database }, [this, write], [other, theirs]);
    });
  }

  marked({ key, offset }: OriginMark): void {
    const other = this.#desk.otherOf(this);
    if (other === undefined || offset === undefined || key !== checkpointKey(other.options.link)) return;
    other.#seenUpTo(offset);
    // Not at once: what stands behind a mark is what came before its offset.
    if (other.#toldFrom !== undefined && this.#lastMark >= other.#toldFrom) this.#early = undefined;
    this.#lastMark = offset;
  }

  applied(frame: CommandFrame, database: number): OwnCommands | undefined {
    const other = this.#desk.otherOf(this);
    const early = this.#early;
    if (early === undefined || early.size === 0 || other === undefined) return undefined;
    return this.#forEachKey(frame, database, (id, key) => {
      const ours = early.get(id);
      if (ours === undefined || commute(ours.kind, kindOf(frame))) return undefined;
      return this.#desk.collided({ id, key, database }, [this, ours], [other, undefined]);
    });
  }

  copied(frame: CommandFrame, database: number, offset: bigint): Buffer | undefined {
    const copy = readCopy(frame, this.options.link);
    if (copy === undefined) return undefined;
    const id = idOf(database, copy.key);
    // A write of the other side that crosses it is a conflict like any other.
    this.#remember(id, { ...this.#clock.now(), offset, kind: 'copy' });
    this.#desk.copied(id);
    return copy.command;
  }

  #seenUpTo(offset: bigint): void {
    for (const [id, write] of this.#unseen) {
      if (write.offset > offset) return;
      this.#unseen.delete(id);
    }
  }

  #remember(id: string, write: LocalWrite): void {
    this.#unseen.delete(id);
    this.#unseen.set(id, write);
    this.#rememberEarly(id, write);
    if (this.#unseen.size <= WRITES_MAX) return;
    forgetOldest(this.#unseen);
    this.#desk.forgotten();
  }

  #rememberEarly(id: string, write: LocalWrite): undefined {
    this.#early?.set(id, write);
    // The oldest are most likely to be known to the other side.
    if (this.#early !== undefined && this.#early.size > EARLY_MAX) forgetOldest(this.#early);
    return undefined;
  }

  /** Calls `look` for each key of a client; what it returns is to be kept in mind on the target. */
  #forEachKey(
    frame: CommandFrame,
    database: number,
    look: (id: string, key: Buffer) => Buffer | undefined,
  ): OwnCommands | undefined {
    const { buffer, argc, argStart, argEnd } = frame;
    const positions = this.#positions;
    positions.length = 0;
    if (!findKeys(frame, positions) && argc > 1) positions.push(1);
    const kept: Buffer[] = [];
    for (const position of positions) {
      const key = buffer.subarray(argStart[position], argEnd[position]);
      if (isOwnKey(key) || this.#isHeartbeat(key)) continue;
      const member = look(idOf(database, key), key);
      if (member !== undefined) kept.push(member);
    }
    if (kept.length === 0) return undefined;
    return { bytes: encodeCommand(['SADD', contestKey(this.options.link), ...kept]), count: 1 };
  }

  #isHeartbeat(key: Buffer): boolean {
    const { heartbeatPrefix } = this.options;
    return key.toString('latin1', 0, heartbeatPrefix.length) === heartbeatPrefix;
  }
}

function forgetOldest(writes: Map<string, LocalWrite>): void {
  const [oldest] = writes.keys();
  if (oldest !== undefined) writes.delete(oldest);
}

export function idOf(database: number, key: Buffer): string {
  return `${database}:${key.toString('latin1')}`;
}
