/**
 * One side of a circle, as the stream of its server tells it: what its clients wrote that other sides do not have yet, and up
 * to where it has what the others' clients wrote.
 *
 *   stream of Y   … mark(X is applied up to 70) … client writes k …     while X has a write to k at 82: neither saw the other's
 *
 * That is a conflict, exactly: marks and writes stand in Y's stream in the order in which Y executed them. It needs no clock,
 * and nothing has to be kept but writes that are on their way.
 *
 * A write is on its way in stages, one per link it still has to pass. The mark in Y's stream that covers a write of X says that
 * Y has it, and where in Y's own stream: the next side has it when a mark in the stream of that one covers this place.
 *
 *   X:82 ──▶ Y: mark(X up to 90) at Y:205 ──▶ Z: mark(Y up to 210) at Z:77 ──▶ …
 */
import type { Arrival, ConflictWatch, OwnCommands } from '../../apply/origin/conflict-watch.ts';
import type { OriginMark } from '../../apply/origin/origin-filter.ts';
import { checkpointKey, contestKey } from '../../apply/checkpoint.ts';
import { traitsOf } from '../../keys/command-traits.ts';
import { findKeys } from '../../keys/key-positions.ts';
import { CommandFramer, type CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommand } from '../../resp/encode.ts';
import { isOwnKey } from '../../apply/target-contents.ts';
import type { ConflictDesk, KeyPlace } from './conflict-desk.ts';
import { readCopy } from './copy-command.ts';
import { forgetOldest, merge, UnseenWrites } from './unseen-writes.ts';
import { WriteClock, type WriteTime } from './write-clock.ts';
import { commute, kindOf, type WriteKind } from './write-kind.ts';

/** Of one side, on one link; about 40 MiB. */
const WRITES_MAX = 200_000;
const EARLY_MAX = 50_000;

export interface LocalWrite extends WriteTime {
  /** In the stream of the side that has it and whose link is to bring it on. */
  offset: bigint;
  kind: WriteKind;
  /** It left no such key. */
  deletes: boolean;
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
  /** Links that a write has to pass to be everywhere. */
  stages: number;
}

export class ConflictSide implements ConflictWatch {
  readonly options: ConflictSideOptions;
  readonly #desk: ConflictDesk;
  readonly #clock: WriteClock;
  /** What clients wrote here, by stage: not yet at the next side, there but not yet at the one after it … */
  readonly #stages: readonly UnseenWrites[];
  /**
   * While what others have applied here may include writes that nobody has told us of (from before a restart): ours, which
   * those may have crossed. Undefined as soon as a mark says that we know of all that follows.
   */
  #early: Map<string, LocalWrite> | undefined = new Map();
  /**
   * From which offset of this stream on every write is told of that clients of this side made [0], those or clients of the side
   * before it [1], those or clients of the one before that [2] … Empty while the stream is not read.
   */
  #toldFrom: (bigint | undefined)[] = [];
  #readTo = -1n;
  /** Offset of the stream of the side before this one that the mark read last has named. */
  #lastMark = -1n;
  /** The key that was copied by the command before the one at hand. */
  #copied: string | undefined;
  readonly #positions: number[] = [];

  constructor(desk: ConflictDesk, options: ConflictSideOptions) {
    this.#desk = desk;
    this.options = options;
    this.#clock = new WriteClock(options.heartbeatMs);
    this.#stages = Array.from({ length: options.stages }, () => new UnseenWrites(WRITES_MAX));
  }

  /** Its stream is read. */
  get isRead(): boolean {
    return this.#toldFrom.length > 0;
  }

  /** Everything in its stream up to here was told of. */
  get readTo(): bigint {
    return this.#readTo;
  }

  /** A write of its clients to the key is on its way to another side. */
  hasUnseen(id: string): boolean {
    return this.#stages.some((writes) => writes.has(id));
  }

  /** What its clients wrote to the key that this side does not have; several writes as one. */
  unseenBy(side: ConflictSide, id: string): LocalWrite | undefined {
    return this.#unseen(id, this.#desk.distance(this, side));
  }

  begins(offset: bigint): void {
    this.#readTo = offset;
    this.#toldFrom = [offset];
    this.#lastMark = -1n;
    this.#early = new Map();
    // Read once more from here: of its own clients, and what it passes on.
    for (const side of this.#desk.sides) side.#stages[this.#desk.distance(side, this)]?.clear();
    for (const side of this.#desk.sides) if (side !== this) side.tellAnew();
    this.#desk.copyAnew();
  }

  /** From here on all others are there to be told of it. */
  tellAnew(): void {
    if (!this.isRead) return;
    this.#toldFrom = [this.#readTo];
    this.rememberEarly();
  }

  /** Others are not all there to be told of what is written. */
  rememberEarly(): void {
    this.#early ??= new Map();
  }

  arrived(atMs: number): void {
    this.#clock.arrived(atMs);
  }

  heard(offset: bigint): void {
    this.#readTo = offset;
  }

  heartbeat(sentAtMs: number): void {
    this.#clock.heartbeat(sentAtMs);
  }

  wrote(frame: CommandFrame, database: number, offset: bigint): OwnCommands | undefined {
    this.#readTo = offset;
    const isTold = this.#desk.circle.length > 0;
    const kind = kindOf(frame);
    const time = this.#clock.now();
    const places = this.#placesOf(frame, database);
    if (places.length === 0) return undefined;
    const others = places.length > 1 && !isSplit(frame) ? places : undefined;
    const kept: Buffer[] = [];
    for (const place of places) {
      // The other half of a copy.
      if (kind === 'delete' && place.id === this.#copied) continue;
      const write = { ...time, offset, kind, deletes: kind === 'delete', others };
      this.#desk.touch(place.id, write);
      const all = this.#remember(place.id, write, isTold);
      // Else the other links may have run before, and come soon.
      if (isTold) this.#meet(place, all, kept);
    }
    this.#copied = undefined;
    if (others?.some(({ id }) => this.#desk.contests.has(id)) === true) this.#join(others, kept);
    return this.#keep(kept);
  }

  marked({ key, offset }: OriginMark, at: bigint): void {
    const before = this.#desk.before(this);
    if (before === undefined || offset === undefined || key !== checkpointKey(before.options.link)) return;
    for (const side of this.#desk.circle) if (side !== this) side.#pass(this, offset, at);
    for (let distance = this.options.stages; distance > 0; distance--) {
      const from = before.#toldFrom[distance - 1];
      // Not at once: what stands behind a mark is what came before its offset.
      if (from !== undefined && this.#lastMark >= from) this.#toldFrom[distance] ??= at;
    }
    if (this.#toldFrom[this.options.stages] !== undefined) this.#early = undefined;
    this.#lastMark = offset;
  }

  applied(frame: CommandFrame, database: number, offset: bigint, arrival: Arrival): OwnCommands | undefined {
    const early = this.#early;
    const kind = kindOf(frame);
    // A key that had expired here when another side's command came leaves such a DEL, which that side does not hear of.
    const isDelete = this.#desk.resolves && kind === 'delete';
    if (early === undefined && !isDelete) return undefined;
    const kept: Buffer[] = [];
    const places = this.#placesOf(frame, database);
    // Not kept on the target: that would be a write for each of them, and a crash in this instant is not worth it.
    if (isDelete) for (const place of places) this.#desk.look(place);
    if (early === undefined) return undefined;
    const others = places.length > 1 && !isSplit(frame) ? places : undefined;
    for (const place of places) {
      this.#desk.touch(place.id);
      if (arrival.goesOn)
        this.#passOn(arrival.origin, place.id, {
          ...this.#clock.now(),
          errorMs: Infinity,
          offset,
          kind,
          deletes: isDelete,
          others,
        });
      const ours = early.get(place.id);
      if (ours === undefined || commute(ours.kind, kind)) continue;
      push(kept, this.#desk.collided(place, [this, ours], undefined));
      if (ours.others) this.#join(ours.others, kept);
      if (others) this.#join(others, kept);
    }
    return this.#keep(kept);
  }

  copied(frame: CommandFrame, database: number, offset: bigint): Buffer | undefined {
    const copy = readCopy(frame, this.options.link);
    if (copy === undefined) return undefined;
    const id = idOf(database, copy.key);
    // A write of another side that crosses it is a conflict like any other.
    this.#remember(id, { ...this.#clock.now(), offset, kind: 'copy', deletes: false }, true);
    this.#desk.copied(id, this);
    this.#copied = id;
    return copy.commands;
  }

  /** A write of ours and what of other sides it may meet. */
  #meet(place: KeyPlace, write: LocalWrite, kept: Buffer[]): void {
    for (const other of this.#desk.circle) {
      if (other === this) continue;
      const theirs = other.unseenBy(this, place.id);
      if (theirs === undefined || commute(theirs.kind, write.kind)) continue;
      push(kept, this.#desk.collided(place, [this, write], [other, theirs]));
      for (const { others } of [write, theirs]) if (others) this.#join(others, kept);
    }
  }

  /** A command that reads or moves one of them may have made different things of the others, and the next one of these. */
  #join(places: readonly KeyPlace[], kept: Buffer[]): void {
    const seen = new Set<string>();
    const waiting = [...places];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      if (seen.has(place.id)) continue;
      seen.add(place.id);
      push(kept, this.#desk.suspect(place));
      for (const side of this.#desk.sides)
        waiting.push(...(side.#unseen(place.id, side.#stages.length)?.others ?? []));
    }
  }

  #keep(members: readonly Buffer[]): OwnCommands | undefined {
    if (members.length === 0) return undefined;
    return { bytes: encodeCommand(['SADD', contestKey(this.options.link), ...members]), count: 1 };
  }

  #unseen(id: string, stages: number): LocalWrite | undefined {
    let all: LocalWrite | undefined;
    for (let stage = stages - 1; stage >= 0; stage--) {
      const write = this.#stages[stage]?.get(id);
      if (write !== undefined) all = all === undefined ? write : merge(all, write);
    }
    return all;
  }

  /** What the side before `there` has passed on up to `offset` of its stream is there, at a place in its own. */
  #pass(there: ConflictSide, offset: bigint, at: bigint): void {
    const stage = this.#desk.distance(this, there);
    const next = this.#stages[stage];
    for (const [id, write] of this.#stages[stage - 1]?.takeUpTo(offset) ?? [])
      next?.add(id, { ...write, offset: at });
  }

  /** A write of another side's clients that this one is to bring on, and that nobody may have told of. */
  #passOn(origin: string, id: string, write: LocalWrite): void {
    const side = this.#desk.sides.find(({ options }) => options.name === origin);
    if (side !== undefined && side !== this) side.#stages[this.#desk.distance(side, this)]?.add(id, write);
  }

  /** With what is on its way to the next side already. */
  #remember(id: string, write: LocalWrite, isTold: boolean): LocalWrite {
    const [first] = this.#stages;
    const merged = first?.add(id, write) ?? write;
    this.#rememberEarly(id, merged);
    if (isTold && first?.isFull === true) this.#desk.forgotten();
    return merged;
  }

  #rememberEarly(id: string, write: LocalWrite): void {
    this.#early?.set(id, write);
    // The oldest are most likely to be known to the other sides.
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

/** It is the same as one command per key. */
function isSplit({ buffer, argStart, argEnd }: CommandFrame): boolean {
  return traitsOf(buffer, argStart[0]!, argEnd[0]!)?.splits === true;
}

function push(list: Buffer[], item: Buffer | undefined): void {
  if (item !== undefined) list.push(item);
}

export function idOf(database: number, key: Buffer): string {
  return `${database}:${key.toString('latin1')}`;
}
