/**
 * Slots that move between the shards of a source cluster, in a circle. Elsewhere the keys of such a slot are compared with the
 * source and written anew (slot-healer.ts). Here the target has writes of its own that the source may not have yet, so nothing
 * may be copied: the two links hand the slot over, and every command is applied once, in its order.
 *
 *   old owner's stream   w1 · DEL k (MIGRATE took it away)                    new owner's stream   RESTORE-ASKING k · w2
 *   applied              w1 · note k · … the slot is gone: "handed over" ───▶  held until then:     (nothing) · w2
 *
 * What has moved is on the target already: RESTORE-ASKING is left out. A DEL of a slot that is on its way may be a client's: it
 * is noted on the target, and applied by the new owner's link when no RESTORE-ASKING came for the key; or by the old one, when
 * the key is written there again. The state of a slot is kept in the slot, with the commands:
 *
 *   HSET redis-sync:handover:<first of the links>:{tag}   owner <link>, or -<link>@<offset> when that has let go   k:<key> noted
 */
import { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import { SyncError } from '../../errors.ts';
import { clusterSlot, SLOTS } from '../../keys/cluster-slot.ts';
import { findKeys } from '../../keys/key-positions.ts';
import { OWN_KEY_PREFIX } from '../../link/options.ts';
import type { SourceSlots } from '../../link/source-slots.ts';
import { delay } from '../../psync/backoff.ts';
import type { CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommand } from '../../resp/encode.ts';
import { parseInfo, textOf } from '../../resp/reply-text.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import { LINK_KEY_PREFIX } from '../checkpoint.ts';
import { isOwnKey } from '../target-contents.ts';
import type { FindingLimit } from '../finding.ts';
import type { LaneOptions } from '../lane.ts';
import { unseenFinding } from './circle-limits.ts';
import type { ClusterTarget, TargetShard } from './cluster-target.ts';
import { slotsOfRanges } from './slot-book.ts';
import { slotTaggedKey, type SlotOffsets } from './slot-checkpoints.ts';
import type { Item, SlotGate } from './slot-rounds.ts';

const TURN_MS = 30;
const REPLY_TIMEOUT_MS = 10_000;
const AT_ONCE = 4096;
const NOTE = 'k:';
/** Of any link; the record of a link has its tag in front. */
const SLOT_CHECKPOINT = new RegExp(`^${LINK_KEY_PREFIX}[^{].*:\\{`);
/** Chunks of the stream that came so close together may be one, with the time of the last. */
const JOINED_MS = 1000;
/** So much is held in memory. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

export interface SlotHandoverOptions {
  link: string;
  /** Links of the other shards of the source. */
  siblings: readonly string[];
  cluster: ClusterTarget;
  slots: SourceSlots;
  source: () => Whereabouts;
  /** Slots that leave the source shard; emptied. */
  leaving: Set<number>;
  /** A slot came back whose leaving nobody saw: what its DELs were taken for cannot be told. */
  onUnseen: (slot: number) => void;
}

/** Where the items go. */
export interface HandoverSink {
  /** Behind everything there is of the slot. */
  pushOwn(item: Item): void;
  /** In front of everything. */
  release(items: readonly Item[]): void;
}

/** What came for a slot while it was another link's. */
interface Arrival {
  /** Keys that moved here. */
  arrived: Set<string>;
  items: Item[];
  /** The stream can be begun anew here. */
  boundary: number;
  /** Offset of the last command of it. */
  last: number;
  /** The slot has left again: what comes behind it is another arrival. */
  left: boolean;
  /** The other link has let go: it is ours when our stream is there. With the keys that were noted. */
  due?: { at: number; noted: Buffer[]; owner: string };
}

/** A slot that leaves, or seems to. */
interface Leaving {
  /** When the stream is there, nothing of it comes any more; undefined while it is on its way. */
  at: number | undefined;
  /** It stayed after all. */
  stays: boolean;
  /** The stream itself says so: what comes to the slot behind it is another arrival. */
  isSure: boolean;
}

export class SlotHandover implements SlotGate {
  readonly #options: SlotHandoverOptions;
  readonly #family: string;
  readonly #ours = new Uint8Array(SLOTS);
  /** When a DEL came last that was taken for a client's. */
  readonly #deletedAtMs = new Float64Array(SLOTS).fill(-Infinity);
  readonly #touched = new Set<number>();
  readonly #noted = new Map<number, Map<string, Buffer>>();
  readonly #leaving = new Map<number, Leaving>();
  readonly #arrivals = new Map<number, Arrival[]>();
  /** What said that a slot was free, when it was taken last. */
  readonly #taken = new Map<number, string>();
  #have: SlotOffsets = new Float64Array(SLOTS);
  #heldBytes = 0;
  #sink: HandoverSink | undefined;
  #onDue: (() => void) | undefined;

  constructor(options: SlotHandoverOptions) {
    this.#options = options;
    this.#family = [options.link, ...options.siblings].toSorted()[0] ?? options.link;
  }

  /** Slots that are being handed over. */
  get pending(): number {
    return this.#leaving.size + this.#arrivals.size;
  }

  /** Some of it was handed over: what its commands were taken for is not to be found out a second time. */
  hasTouched(slot: number): boolean {
    return this.#touched.has(slot);
  }

  get boundary(): number {
    let lowest = Infinity;
    for (const [first] of this.#arrivals.values())
      if (first !== undefined && first.boundary < lowest) lowest = first.boundary;
    return lowest;
  }

  /**
   * The link begins: the slots are its own from now on. @param ranges as `SlotBook.ranges` gives them.
   *
   * @throws SyncError POLICY when slots are on the move just now: nobody has seen which of their keys had moved already.
   */
  async reset(ranges: string, signal: AbortSignal): Promise<void> {
    const { slots } = this.#options;
    for (let slot = 0; slot < SLOTS; slot++)
      if (['coming', 'leaving'].includes(slots.stateOf(slot))) throw onTheMove(slot);
    await this.#ask(
      slotsOfRanges(ranges),
      (slot) => ['DEL', this.#key(slot)],
      () => undefined,
      signal,
    );
  }

  /** Reads who has which slot. @param ranges it began with these. @param have up to where each is applied. @throws SyncError. */
  async begin(ranges: string, have: SlotOffsets, signal: AbortSignal): Promise<void> {
    const { link, slots } = this.#options;
    this.#have = have.slice();
    for (const slot of slotsOfRanges(ranges)) this.#ours[slot] = 1;
    const read = (slot: number, reply: Reply): void => {
      const { owner, noted } = parseState(reply);
      if (owner !== undefined) this.#ours[slot] = owner === link ? 1 : 0;
      if (this.#ours[slot] === 1) for (const key of noted) this.#note(slot, key);
    };
    await this.#ask([...Array(SLOTS).keys()], (slot) => ['HGETALL', this.#key(slot)], read, signal);
    for (let slot = 0; slot < SLOTS; slot++)
      if (this.#ours[slot] === 1 && (!slots.has(slot) || this.#noted.has(slot))) this.#leave(slot);
  }

  /** The stream begins. @param onDue called when `advance` may have something to do. */
  attach(sink: HandoverSink, onDue: () => void): void {
    this.#sink = sink;
    this.#onDue = onDue;
  }

  /** Runs until the signal aborts. Never throws: what does not work now is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#turn(signal).catch(() => undefined);
      await delay(TURN_MS, signal);
    }
  }

  /**
   * A deletion that MIGRATE may have made: the slot was on its way, or away, since it arrived (wall clock, ms). If it was a
   * client's, nothing is lost but a moment.
   */
  departs(slot: number, arrivedAtMs: number): boolean {
    return this.#leaving.get(slot)?.isSure === true || this.#wasSeenAway(slot, arrivedAtMs);
  }

  /** A DEL that takes a slot's checkpoint with it is MIGRATE's: the slot leaves, whether anybody has seen it or not. */
  sees(frame: CommandFrame, { offset, arrivedAtMs }: { offset: number; arrivedAtMs: number }): void {
    if (!isDel(frame)) return;
    const isOwn = wordsFrom(frame, 1).find((key) => SLOT_CHECKPOINT.test(key.toString('latin1')));
    if (isOwn === undefined) return;
    const slot = clusterSlot(isOwn);
    if (offset <= (this.#have[slot] ?? -1) || !this.#isTaken(slot)) return;
    // MIGRATE takes a slot's keys away in several commands, one soon after the other.
    const isRecent = arrivedAtMs - (this.#deletedAtMs[slot] ?? -Infinity) <= 2 * JOINED_MS;
    if (isRecent && !this.#wasSeenAway(slot, arrivedAtMs)) this.#options.onUnseen(slot);
    this.#leave(slot).isSure = true;
  }

  /** What is to be applied instead of a command; undefined: the command itself. */
  intercept(
    frame: CommandFrame,
    slot: number,
    { offset, arrivedAtMs }: { offset: number; arrivedAtMs: number },
  ): { slot: number; bytes: Buffer }[] | undefined {
    if (offset <= (this.#have[slot] ?? -1)) return undefined;
    if (isDel(frame) && this.departs(slot, arrivedAtMs)) {
      const keys = wordsFrom(frame, 1).filter((key) => !isOwnKey(key));
      for (const key of keys) this.#note(slot, key);
      this.#leave(slot);
      if (keys.length === 0) return [];
      const fields = keys.flatMap((key) => [fieldOf(key), 1]);
      return [{ slot, bytes: encodeCommand(['HSET', this.#key(slot), ...fields]) }];
    }
    if (isDel(frame)) this.#deletedAtMs[slot] = arrivedAtMs;
    const noted = this.#noted.get(slot);
    if (noted === undefined) return undefined;
    const positions: number[] = [];
    findKeys(frame, positions);
    const again = positions
      .map((at) => Buffer.from(frame.buffer.subarray(frame.argStart[at], frame.argEnd[at])))
      .filter((key) => noted.has(key.toString('latin1')));
    if (again.length === 0) return undefined;
    // It is written here again: so a client had deleted it.
    const bytes = Buffer.from(frame.buffer.subarray(frame.start, frame.end));
    return [...this.#deletions(slot, again), { slot, bytes }];
  }

  /** RESTORE-ASKING, ending at this offset; `boundary` is the last one behind a whole unit. */
  arrives(key: Buffer, offset: number, boundary: number): void {
    const slot = clusterSlot(key);
    if (offset <= (this.#have[slot] ?? -1)) return;
    const last = this.#arrivals.get(slot)?.at(-1);
    const isOpen = last !== undefined && !last.left;
    const isHere = this.#ours[slot] === 1 || (isOpen && this.#leaving.get(slot)?.isSure === true);
    if (isHere) {
      this.#leaving.delete(slot);
      this.#depart(slot, offset - 1, boundary);
    }
    const arrival = this.#arrival(slot, boundary);
    arrival.arrived.add(key.toString('latin1'));
    arrival.last = offset;
  }

  keep(item: Item, boundary: number): boolean {
    if (this.#ours[item.slot] === 1) return false;
    const arrival = this.#arrival(item.slot, boundary);
    arrival.items.push(item);
    arrival.last = item.offset;
    this.#heldBytes += item.bytes.length;
    if (this.#heldBytes > HELD_BYTES_MAX) throw heldTooLong(this.#arrivals.size);
    return true;
  }

  /** Does what is due; the stream is at this offset, behind a whole unit. */
  advance(offset: number): void {
    for (const [slot, { at, stays }] of this.#leaving) {
      if (at === undefined || offset < at) continue;
      this.#leaving.delete(slot);
      if (stays) this.#stay(slot, offset);
      else this.#depart(slot, offset, offset);
    }
    for (const [slot, [first]] of this.#arrivals)
      if (first?.due !== undefined && offset >= first.due.at) this.#accept(slot, first, first.due);
  }

  /** It is ours, or about to be. */
  #isTaken(slot: number): boolean {
    return this.#ours[slot] === 1 || this.#arrivals.get(slot)?.at(-1)?.left === false;
  }

  #wasSeenAway(slot: number, arrivedAtMs: number): boolean {
    const { slots } = this.#options;
    return !slots.has(slot) || slots.wasAwaySince(slot, arrivedAtMs - JOINED_MS);
  }

  #arrival(slot: number, boundary: number): Arrival {
    this.#touched.add(slot);
    const all = this.#arrivals.get(slot) ?? [];
    this.#arrivals.set(slot, all);
    const last = all.at(-1);
    if (last !== undefined && !last.left) return last;
    this.#leaving.delete(slot);
    const arrival: Arrival = { arrived: new Set(), items: [], boundary, last: boundary, left: false };
    all.push(arrival);
    return arrival;
  }

  #leave(slot: number): Leaving {
    this.#touched.add(slot);
    // What was seen before tells nothing of this.
    const isSure = this.#leaving.get(slot)?.isSure === true;
    const leaving: Leaving = { at: undefined, stays: false, isSure };
    this.#leaving.set(slot, leaving);
    return leaving;
  }

  #note(slot: number, key: Buffer): void {
    const noted = this.#noted.get(slot) ?? new Map<string, Buffer>();
    this.#noted.set(slot, noted);
    noted.set(key.toString('latin1'), key);
  }

  /** Everything of the slot up to here is applied, or about to be: another link may go on. */
  #depart(slot: number, offset: number, unit: number): void {
    this.#noted.delete(slot);
    const bytes = encodeCommand(['HSET', this.#key(slot), 'owner', `-${this.#options.link}@${offset}`]);
    const arrival = this.#put({ slot, bytes, offset, unit, name: '', path: undefined });
    this.#ours[slot] = 0;
    if (arrival !== undefined) arrival.left = true;
  }

  /** The slot has not left: what was noted was deleted by clients. */
  #stay(slot: number, offset: number): void {
    const keys = [...(this.#noted.get(slot)?.values() ?? [])];
    for (const { bytes } of this.#deletions(slot, keys))
      this.#put({ slot, bytes, offset, unit: offset, name: '', path: undefined });
  }

  /** Behind what there is of the slot; the arrival that it belongs to, if it is not ours yet. */
  #put(item: Item): Arrival | undefined {
    if (this.#ours[item.slot] === 1) {
      this.#sink?.pushOwn(item);
      return undefined;
    }
    const last = this.#arrivals.get(item.slot)?.at(-1);
    if (last === undefined || last.left) return undefined;
    last.items.push(item);
    last.last = item.offset;
    this.#heldBytes += item.bytes.length;
    return last;
  }

  #deletions(slot: number, keys: readonly Buffer[]): { slot: number; bytes: Buffer }[] {
    if (keys.length === 0) return [];
    const noted = this.#noted.get(slot);
    for (const key of keys) noted?.delete(key.toString('latin1'));
    if (noted?.size === 0) this.#noted.delete(slot);
    return [
      { slot, bytes: encodeCommand(['DEL', ...keys]) },
      { slot, bytes: encodeCommand(['HDEL', this.#key(slot), ...keys.map(fieldOf)]) },
    ];
  }

  /** What was held may go: what clients had deleted before it is deleted, what has moved is there. */
  #accept(
    slot: number,
    { arrived, items, boundary, last, left }: Arrival,
    { noted, owner }: { noted: readonly Buffer[]; owner: string },
  ): void {
    const item = (offset: number, bytes: Buffer): Item => ({
      slot,
      bytes,
      offset,
      unit: boundary,
      name: '',
      path: undefined,
    });
    this.#taken.set(slot, owner);
    for (const { bytes } of items) this.#heldBytes -= bytes.length;
    const first = items[0]?.offset ?? last;
    const deleted = noted.filter((key) => !arrived.has(key.toString('latin1')));
    const owned = encodeCommand(['HSET', this.#key(slot), 'owner', this.#options.link]);
    this.#sink?.release([
      ...(deleted.length > 0 ? [item(first, encodeCommand(['DEL', ...deleted]))] : []),
      ...(noted.length > 0
        ? [item(first, encodeCommand(['HDEL', this.#key(slot), ...noted.map(fieldOf)]))]
        : []),
      ...(left ? [item(first, owned)] : []),
      ...items.map((each) => ({ ...each, unit: boundary })),
      ...(left ? [] : [item(last, owned)]),
    ]);
    const all = this.#arrivals.get(slot) ?? [];
    all.shift();
    if (all.length > 0) return;
    this.#arrivals.delete(slot);
    if (!left) this.#ours[slot] = 1;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { leaving, slots } = this.#options;
    for (const slot of leaving) {
      leaving.delete(slot);
      if (this.#isTaken(slot)) this.#leave(slot);
    }
    if ([...this.#leaving.values()].some(({ at }) => at === undefined)) {
      await slots.look(signal);
      const decided = [...this.#leaving]
        .filter(([slot, { at }]) => at === undefined && this.#hasDecided(slot))
        .map(([slot, entry]) => ({ entry, stays: slots.stateOf(slot) === 'settled' }));
      // Behind it: the last command of the slot may end there.
      const at = decided.length > 0 ? (await this.#sourceOffset(signal)) + 1 : 0;
      for (const { entry, stays } of decided) Object.assign(entry, { at, stays });
    }
    await this.#lookForReleased(signal);
    if (this.pending > 0) this.#onDue?.();
  }

  /** Whether the slot has left, as of the last look. One that is still arriving is not said to have come back. */
  #hasDecided(slot: number): boolean {
    const state = this.#options.slots.stateOf(slot);
    return state === 'coming' ? this.#ours[slot] === 1 : state !== 'leaving';
  }

  async #lookForReleased(signal: AbortSignal): Promise<void> {
    const { cluster, link } = this.#options;
    const waiting = [...this.#arrivals].filter(
      ([, [first]]) => first !== undefined && first.due === undefined,
    );
    const byShard = new Map<TargetShard, number[]>();
    for (const [slot] of waiting) {
      const shard = cluster.shardOfSlot(slot);
      if (shard !== undefined) byShard.set(shard, [...(byShard.get(shard) ?? []), slot]);
    }
    let hasMoved = false;
    for (const [{ facts }, slots] of byShard) {
      if (facts === undefined) continue;
      await using target = await Connection.open(facts.primary.endpoint, {
        replyTimeoutMs: REPLY_TIMEOUT_MS,
        signal,
      });
      const replies = await target.pipeline(slots.map((slot) => ['HGETALL', this.#key(slot)]));
      hasMoved ||= replies.some((reply) => reply instanceof ReplyError);
      const released = slots.flatMap((slot, index) => {
        const { owner = '', noted } = parseState(replies[index] ?? null);
        const isFree = owner.startsWith('-') && !owner.startsWith(`-${link}@`);
        // What we have taken may still say so, until that is applied.
        return isFree && owner !== this.#taken.get(slot) ? [{ slot, noted, owner }] : [];
      });
      if (released.length === 0) continue;
      // Every key that has moved has said so in our stream before.
      const at = await this.#sourceOffset(signal);
      for (const { slot, noted, owner } of released) {
        const first = this.#arrivals.get(slot)?.[0];
        if (first !== undefined) first.due = { at, noted, owner };
      }
    }
    if (hasMoved) await cluster.refresh(signal);
  }

  async #sourceOffset(signal: AbortSignal): Promise<number> {
    await using source = await openWhere(this.#options.source(), {
      replyTimeoutMs: REPLY_TIMEOUT_MS,
      signal,
    });
    const offset = Number(parseInfo(await source.call('INFO', 'replication'))['master_repl_offset']);
    if (!Number.isFinite(offset)) throw new SyncError('PROTOCOL', 'The source does not tell its offset.');
    return offset;
  }

  /** One command per slot, where the slot is; again for those that are on the move. */
  async #ask(
    wanted: readonly number[],
    command: (slot: number) => string[],
    take: (slot: number, reply: Reply) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster } = this.#options;
    let missing = new Set(wanted);
    for (;;) {
      await cluster.useAll(signal, async (connection, shard) => {
        const slots = [...missing].filter((slot) => cluster.shardOfSlot(slot) === shard);
        for (let from = 0; from < slots.length; from += AT_ONCE)
          for (const slot of await this.#some(connection, slots.slice(from, from + AT_ONCE), command, take))
            missing.delete(slot);
      });
      if (missing.size === 0) return;
      missing = new Set(missing);
      await cluster.wait(
        new SyncError('CONNECT', 'A slot of the target is being moved.', { retryable: true }),
        signal,
      );
      await cluster.refresh(signal);
    }
  }

  async #some(
    connection: Connection,
    slots: readonly number[],
    command: (slot: number) => string[],
    take: (slot: number, reply: Reply) => void,
  ): Promise<number[]> {
    const replies = await connection.pipeline(slots.map(command));
    return slots.filter((slot, index) => {
      const reply = replies[index] ?? null;
      if (reply instanceof ReplyError) return false;
      take(slot, reply);
      return true;
    });
  }

  #key(slot: number): string {
    return slotTaggedKey(`${OWN_KEY_PREFIX}handover:${this.#family}`, slot);
  }
}

/** For a link to a cluster of a circle whose source is a cluster's shard. @param leaving takes slots that leave the shard. */
export function openHandover(
  { link, sourceSlots, source }: Pick<LaneOptions, 'link' | 'sourceSlots' | 'source'>,
  cluster: ClusterTarget,
  leaving: Set<number>,
  findings: FindingLimit,
): SlotHandover | undefined {
  if (link.origins === undefined || sourceSlots === undefined || source === undefined) return undefined;
  const { id, siblings = [] } = link;
  const onUnseen = (slot: number): void => findings.report(unseenFinding(slot));
  return new SlotHandover({ link: id, siblings, cluster, slots: sourceSlots, source, leaving, onUnseen });
}

function onTheMove(slot: number): SyncError {
  return new SyncError(
    'POLICY',
    `Slot ${slot} of the source is on the move, and a link of a circle cannot begin meanwhile.`,
    {
      hint: 'Start it again when the resharding is finished.',
    },
  );
}

/** The link of the old owner does not come on. */
function heldTooLong(slots: number): SyncError {
  return new SyncError(
    'POLICY',
    `The links of other shards do not hand over ${slots} slots, and more than ${HELD_BYTES_MAX} bytes wait for that.`,
    { hint: 'See why the other links of the source cluster do not go on; then start this one again.' },
  );
}

function parseState(reply: Reply): { owner: string | undefined; noted: Buffer[] } {
  const noted: Buffer[] = [];
  let owner: string | undefined;
  if (!Array.isArray(reply)) return { owner, noted };
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const field = reply[at];
    if (!Buffer.isBuffer(field)) continue;
    if (field.toString() === 'owner') owner = textOf(reply[at + 1]);
    else if (field.subarray(0, NOTE.length).toString() === NOTE) noted.push(field.subarray(NOTE.length));
  }
  return { owner, noted };
}

function fieldOf(key: Buffer): Buffer {
  return Buffer.concat([Buffer.from(NOTE), key]);
}

function isDel({ buffer, argStart, argEnd }: CommandFrame): boolean {
  return buffer.toString('latin1', argStart[0], argEnd[0]).toUpperCase() === 'DEL';
}

function wordsFrom({ buffer, argc, argStart, argEnd }: CommandFrame, from: number): Buffer[] {
  return Array.from({ length: argc - from }, (_, index) =>
    Buffer.from(buffer.subarray(argStart[from + index], argEnd[from + index])),
  );
}
