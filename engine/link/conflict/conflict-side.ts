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
import { traitsOf } from '../../keys/command-traits.ts';
import { findKeys } from '../../keys/key-positions.ts';
import { CommandFramer, type CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommand } from '../../resp/encode.ts';
import { isOwnKey } from '../../apply/target-contents.ts';
import type { ConflictDesk, KeyPlace } from './conflict-desk.ts';
import { readCopy } from './copy-command.ts';
import { WriteClock, type WriteTime } from './write-clock.ts';
import { commute, kindOf, type WriteKind } from './write-kind.ts';

/** Of one side, on their way; about 40 MiB. */
const WRITES_MAX = 200_000;
const EARLY_MAX = 50_000;

export interface LocalWrite extends WriteTime {
  offset: bigint;
  kind: WriteKind;
  /** All keys of its command, when there are several: what it made of one may depend on the others. */
  others?: readonly KeyPlace[] | undefined;
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
    const places = this.#placesOf(frame, database);
    const others = places.length > 1 && !isSplit(frame) ? places : undefined;
    const kept: Buffer[] = [];
    for (const place of places) {
      const write = { ...time, offset, kind, others };
      // The other direction may have run before, and come soon.
      if (other === undefined || !other.isRead) this.#rememberEarly(place.id, write);
      else this.#meet(place, this.#remember(place.id, write), other, kept);
    }
    if (others?.some(({ id }) => this.#desk.contests.has(id)) === true) this.#join(others, kept);
    return this.#keep(kept);
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
    const early = this.#early?.size === 0 ? undefined : this.#early;
    // A key that had expired here when the other side's command came leaves such a DEL, which the other side does not hear of.
    const isDelete = this.#desk.resolves && kindOf(frame) === 'delete';
    if (other === undefined || (early === undefined && !isDelete)) return undefined;
    const kept: Buffer[] = [];
    const places = this.#placesOf(frame, database);
    // Not kept on the target: that would be a write for each of them, and a crash in this instant is not worth it.
    if (isDelete) for (const place of places) this.#desk.look(place);
    if (early === undefined) return this.#keep(kept);
    for (const place of places) {
      const ours = early.get(place.id);
      if (ours === undefined || commute(ours.kind, kindOf(frame))) continue;
      push(kept, this.#desk.collided(place, [this, ours], [other, undefined]));
      if (ours.others) this.#join(ours.others, kept);
      if (places.length > 1 && !isSplit(frame)) this.#join(places, kept);
    }
    return this.#keep(kept);
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

  /** A write of ours and what of the other side it may meet. */
  #meet(place: KeyPlace, write: LocalWrite, other: ConflictSide, kept: Buffer[]): void {
    const theirs = other.#unseen.get(place.id);
    if (theirs === undefined || commute(theirs.kind, write.kind)) return;
    push(kept, this.#desk.collided(place, [this, write], [other, theirs]));
    for (const { others } of [write, theirs]) if (others) this.#join(others, kept);
  }

  /** A command that reads or moves one of them may have made different things of the others, and the next one of these. */
  #join(places: readonly KeyPlace[], kept: Buffer[]): void {
    const other = this.#desk.otherOf(this);
    const sides: ConflictSide[] = other === undefined ? [this] : [this, other];
    const seen = new Set<string>();
    const waiting = [...places];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      if (seen.has(place.id)) continue;
      seen.add(place.id);
      push(kept, this.#desk.suspect(place));
      for (const side of sides) waiting.push(...(side.#unseen.get(place.id)?.others ?? []));
    }
  }

  #keep(members: readonly Buffer[]): OwnCommands | undefined {
    if (members.length === 0) return undefined;
    return { bytes: encodeCommand(['SADD', contestKey(this.options.link), ...members]), count: 1 };
  }

  #seenUpTo(offset: bigint): void {
    for (const [id, write] of this.#unseen) {
      if (write.offset > offset) return;
      this.#unseen.delete(id);
    }
  }

  /** With what is on its way already. */
  #remember(id: string, write: LocalWrite): LocalWrite {
    const before = this.#unseen.get(id);
    const merged = before === undefined ? write : merge(before, write);
    this.#unseen.delete(id);
    this.#unseen.set(id, merged);
    this.#rememberEarly(id, merged);
    if (this.#unseen.size > WRITES_MAX) {
      forgetOldest(this.#unseen);
      this.#desk.forgotten();
    }
    return merged;
  }

  #rememberEarly(id: string, write: LocalWrite): void {
    this.#early?.set(id, write);
    // The oldest are most likely to be known to the other side.
    if (this.#early !== undefined && this.#early.size > EARLY_MAX) forgetOldest(this.#early);
  }

  /** The keys of a client in a command. */
  #placesOf(frame: CommandFrame, database: number): KeyPlace[] {
    const { buffer, argc, argStart, argEnd } = frame;
    const positions = this.#positions;
    positions.length = 0;
    if (!findKeys(frame, positions) && argc > 1) positions.push(1);
    const places: KeyPlace[] = [];
    for (const position of positions) {
      const key = buffer.subarray(argStart[position], argEnd[position]);
      if (isOwnKey(key) || this.#isHeartbeat(key)) continue;
      places.push({ id: idOf(database, key), database, key: Buffer.from(key) });
    }
    return places;
  }

  refused(database: number, command: Buffer): boolean {
    const places: KeyPlace[] = [];
    new CommandFramer((frame) => void places.push(...this.#placesOf(frame, database))).push(command);
    return this.#desk.refused(places);
  }

  #isHeartbeat(key: Buffer): boolean {
    const { heartbeatPrefix } = this.options;
    return key.toString('latin1', 0, heartbeatPrefix.length) === heartbeatPrefix;
  }
}

/** Both are on their way: what the one commutes with, and what depends on it, the other one may not. */
function merge(before: LocalWrite, write: LocalWrite): LocalWrite {
  const kind = before.kind === write.kind ? write.kind : 'write';
  const others = before.others && write.others ? [...before.others, ...write.others] : undefined;
  return { ...write, kind, others: others ?? before.others ?? write.others };
}

/** It is the same as one command per key. */
function isSplit({ buffer, argStart, argEnd }: CommandFrame): boolean {
  return traitsOf(buffer, argStart[0]!, argEnd[0]!)?.splits === true;
}

function push(list: Buffer[], item: Buffer | undefined): void {
  if (item !== undefined) list.push(item);
}

function forgetOldest(writes: Map<string, LocalWrite>): void {
  const [oldest] = writes.keys();
  if (oldest !== undefined) writes.delete(oldest);
}

export function idOf(database: number, key: Buffer): string {
  return `${database}:${key.toString('latin1')}`;
}
