/**
 * Collects translated stream commands for a cluster: those of one slot together, in order. Sans-IO.
 *
 *   round   slot 7: MULTI · HSET checkpoint of slot 7 · commands … · EXEC
 *           slot 93: MULTI · …                     all slots of a round are sent at once, each to its shard
 *   barrier a command that concerns every shard (FLUSHALL, FUNCTION …): alone, when everything before it is applied
 *
 * The order of commands is kept within a slot, and so for each key. A transaction of the source is never cut within a slot;
 * over several slots it is applied slot by slot. What a slot has already, by its checkpoint, is left out.
 */
import { clusterSlot } from '../../keys/cluster-slot.ts';
import { findKeys, NO_KEYS, slotOf } from '../../keys/key-positions.ts';
import { traitsOf, type CommandTraits } from '../../keys/command-traits.ts';
import { CommandFramer, type CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommand } from '../../resp/encode.ts';
import type { EnvelopeSink } from '../envelope-sink.ts';
import type { CircleMarks } from './circle-marks.ts';
import type { SlotOffsets } from './slot-checkpoints.ts';

/** All commands of one slot in a round. */
export interface SlotGroup {
  slot: number;
  /** Source offset behind the last of them. */
  offset: number;
  commands: Buffer[];
  count: number;
}

export type Stage =
  | {
      kind: 'round';
      groups: SlotGroup[];
      offset: number;
      commands: number;
      transactions: number;
      heartbeats: number[];
      scripts: string[];
      /** Nothing of an unfinished transaction is in it: the stream may be begun anew behind it. */
      complete: boolean;
    }
  | { kind: 'barrier'; name: string; bytes: Buffer; offset: number };

/** Keeps commands of slots that are not the link's yet (slot-handover.ts). */
export interface SlotGate {
  /** True: it waits there. @param boundary the last offset behind a whole unit. */
  keep(item: Item, boundary: number): boolean;
  /** What is behind this is not all applied; Infinity: nothing waits. */
  readonly boundary: number;
}

/** A command whose keys are in several slots. */
export interface CrossSlotCommand {
  name: string;
  keys: Buffer[];
  slots: number[];
  frame: CommandFrame;
  inTransaction: boolean;
  offset: number;
}

export interface SlotRoundsOptions {
  /** Source offset behind the command being appended, and whether it stands in a transaction. */
  place: () => { offset: number; inTransaction: boolean };
  start: number;
  /** For a link of a circle: says within a slot's transaction that what follows has come another way than its checkpoint says. */
  marks?: CircleMarks | undefined;
  /** Up to where each slot has everything already. */
  have: SlotOffsets;
  /** What to apply of it: one command per slot, or nothing (it was dealt with). @throws what stops the link. */
  onCrossSlot: (command: CrossSlotCommand) => readonly { slot: number; bytes: Buffer }[];
  /** A command for another database than 0. @throws what stops the link. */
  onDatabase: (database: number, name: string, offset: number) => void;
  /** A transaction of the source was taken apart: its commands are in so many slots. */
  onSplitTransaction: (slots: number, offset: number) => void;
  /** Looks at a command with keys before it is taken; true: it is dealt with. */
  intercept?: (
    frame: CommandFrame,
    slot: number,
    offset: number,
  ) => readonly { slot: number; bytes: Buffer }[] | undefined;
  gate?: SlotGate | undefined;
  /** Traits of commands that only the target knows. */
  others?: (name: string) => CommandTraits | undefined;
}

export interface Item {
  /** -1: a barrier. */
  slot: number;
  bytes: Buffer;
  /** What the slot's checkpoint says behind it. */
  offset: number;
  /** The stream can be begun anew there behind it. */
  unit: number;
  name: string;
  /** Where it has been; undefined where nobody asks. */
  path: string | undefined;
}

const BARRIERS = new Set(['FLUSHALL', 'FLUSHDB', 'FUNCTION', 'SCRIPT']);

export class SlotRounds implements EnvelopeSink {
  readonly separate = true;
  readonly repeatsCheckpoint = false;
  readonly #options: SlotRoundsOptions;
  readonly #framer: CommandFramer;
  #items: Item[] = [];
  /** Items that are complete: no transaction of the source ends behind them. */
  #complete = 0;
  #offset: number;
  #bytes = 0;
  #database = 0;
  #transactions = 0;
  #heartbeats: number[] = [];
  #scripts: string[] = [];
  readonly #transactionSlots = new Set<number>();
  readonly #positions: number[] = [];
  #path: string | undefined;

  constructor(options: SlotRoundsOptions) {
    this.#options = options;
    this.#path = options.marks?.path;
    this.#offset = options.start;
    this.#framer = new CommandFramer((frame) => this.#take(frame));
  }

  get bytes(): number {
    return this.#bytes;
  }

  get queued(): number {
    return this.#items.length;
  }

  /** Source offset of the last complete unit in front of what waits. */
  get offset(): number {
    return Math.min(this.#offset, this.#options.gate?.boundary ?? Infinity);
  }

  /** Source offset of the last complete unit. */
  get boundary(): number {
    return this.#offset;
  }

  /** A command of our own, behind everything so far. */
  pushOwn(item: Item): void {
    this.#items.push(item);
    this.#bytes += item.bytes.length;
    if (!this.#options.place().inTransaction) this.#complete = this.#items.length;
  }

  /** What has waited goes before everything else. */
  release(items: readonly Item[]): void {
    this.#items.unshift(...items);
    this.#complete += items.length;
    for (const { bytes } of items) this.#bytes += bytes.length;
  }

  get hasUnits(): boolean {
    return this.#complete > 0;
  }

  get hasHeartbeats(): boolean {
    return this.#heartbeats.length > 0;
  }

  append(source: Buffer, start: number, end: number, _count: number, database: number): void {
    this.#database = database;
    this.#framer.push(source.subarray(start, end));
  }

  setPath(path: string): void {
    this.#path = path;
  }

  addHeartbeat(sentAtMs: number): void {
    this.#heartbeats.push(sentAtMs);
  }

  addSweeping(): void {
    // Such a command is a barrier already.
  }

  addScript(sha: string): void {
    this.#scripts.push(sha);
  }

  addTransaction(): void {
    this.#transactions++;
    if (this.#transactionSlots.size > 1)
      this.#options.onSplitTransaction(this.#transactionSlots.size, this.#options.place().offset);
    this.#transactionSlots.clear();
  }

  repeatCheckpoint(): void {
    // Checkpoints outlive a flush: it leaves our own keys alone.
  }

  mark(offset: bigint): void {
    this.#offset = Number(offset);
    this.#complete = this.#items.length;
  }

  /** The complete commands up to the next barrier, or the barrier. */
  take(): Stage {
    const at = this.#items.findIndex(({ slot }, index) => slot === -1 && index < this.#complete);
    if (at === 0) {
      const [barrier] = this.#items.splice(0, 1);
      this.#complete--;
      if (barrier === undefined) throw new Error('no barrier');
      this.#bytes -= barrier.bytes.length;
      return {
        kind: 'barrier',
        name: barrier.name,
        bytes: barrier.bytes,
        offset: Math.min(this.offset, barrier.offset),
      };
    }
    const end = at === -1 ? this.#complete : at;
    const taken = this.#items.splice(0, end);
    this.#complete -= end;
    const isAll = at === -1;
    const stage: Stage = {
      kind: 'round',
      groups: groupBySlot(taken, this.#options.marks),
      offset: isAll ? this.offset : Math.min(this.offset, taken.at(-1)?.unit ?? this.#offset),
      commands: taken.length,
      transactions: isAll ? this.#transactions : 0,
      heartbeats: isAll ? this.#heartbeats : [],
      scripts: this.#scripts,
      complete: isAll,
    };
    for (const { bytes } of taken) this.#bytes -= bytes.length;
    this.#scripts = [];
    if (isAll) {
      this.#transactions = 0;
      this.#heartbeats = [];
    }
    return stage;
  }

  #take(frame: CommandFrame): void {
    const { place, onDatabase, onCrossSlot, intercept, others } = this.#options;
    const { offset, inTransaction } = place();
    const { buffer, argStart, argEnd } = frame;
    if (this.#database !== 0) this.#completeBefore(inTransaction);
    if (this.#database !== 0) return onDatabase(this.#database, nameOf(frame), offset);
    const positions = this.#positions;
    positions.length = 0;
    if (!findKeys(frame, positions, others)) positions.push(...(frame.argc > 1 ? [1] : []));
    const slot = slotOf(frame, positions);
    if (slot >= 0) {
      const instead = intercept?.(frame, slot, offset);
      if (instead === undefined)
        return this.#add(slot, Buffer.from(buffer.subarray(frame.start, frame.end)), offset, inTransaction);
      for (const each of instead) this.#add(each.slot, each.bytes, offset, inTransaction);
      return;
    }
    if (slot === NO_KEYS) return this.#everywhere(frame, offset);
    const keys = positions.map((at) => buffer.subarray(argStart[at], argEnd[at]));
    const command: CrossSlotCommand = {
      name: nameOf(frame),
      keys,
      slots: keys.map((key) => clusterSlot(key)),
      frame,
      inTransaction,
      offset,
    };
    this.#completeBefore(inTransaction);
    for (const part of onCrossSlot(command)) this.#add(part.slot, part.bytes, offset, inTransaction);
  }

  /** The link may stop with the command at hand: what came before it is applied all the same. */
  #completeBefore(inTransaction: boolean): void {
    if (inTransaction) return;
    this.#complete = this.#items.length;
    this.#offset = Math.max(this.#offset, this.#items.at(-1)?.unit ?? 0);
  }

  #add(slot: number, bytes: Buffer, offset: number, inTransaction: boolean): void {
    if (inTransaction) this.#transactionSlots.add(slot);
    if (offset <= (this.#options.have[slot] ?? -1)) return;
    const item: Item = { slot, bytes, offset, unit: offset, name: '', path: this.#path };
    if (this.#options.gate?.keep(item, this.#offset) === true) return;
    this.#items.push(item);
    this.#bytes += bytes.length;
  }

  #everywhere(frame: CommandFrame, offset: number): void {
    const name = nameOf(frame);
    const bytes = Buffer.from(frame.buffer.subarray(frame.start, frame.end));
    // A message goes to one node, which tells the others.
    const slot = BARRIERS.has(name) ? -1 : 0;
    this.#items.push({ slot, bytes, offset, unit: offset, name, path: this.#path });
    this.#bytes += bytes.length;
  }
}

/** One command per slot, of one that is the same as a command per key. Undefined when it is not. */
export function splitBySlot({
  buffer,
  argStart,
  argEnd,
  argc,
}: CommandFrame): { slot: number; bytes: Buffer }[] | undefined {
  const traits = traitsOf(buffer, argStart[0]!, argEnd[0]!);
  if (traits?.splits !== true) return undefined;
  const word = (at: number): Buffer => buffer.subarray(argStart[at], argEnd[at]);
  const bySlot = new Map<number, Buffer[]>();
  for (let at = traits.first; at < argc; at += traits.step) {
    const slot = clusterSlot(word(at));
    const words = bySlot.get(slot) ?? [word(0)];
    for (let next = at; next < Math.min(at + traits.step, argc); next++) words.push(word(next));
    bySlot.set(slot, words);
  }
  return [...bySlot].map(([slot, words]) => ({ slot, bytes: encodeCommand(words) }));
}

/** Each begins with its slot's checkpoint, which says that it was written to the source itself. */
function groupBySlot(items: readonly Item[], marks: CircleMarks | undefined): SlotGroup[] {
  const groups = new Map<number, SlotGroup & { path: string | undefined }>();
  for (const { slot, bytes, offset, path } of items) {
    const group = groups.get(slot) ?? { slot, offset, commands: [], count: 0, path: marks?.path };
    groups.set(slot, group);
    if (marks !== undefined && path !== undefined && path !== group.path) {
      group.commands.push(marks.encode(slot, path));
      group.count++;
      group.path = path;
    }
    group.commands.push(bytes);
    group.count++;
    group.offset = offset;
  }
  return [...groups.values()].map(({ slot, offset, commands, count }) => ({ slot, offset, commands, count }));
}

function nameOf({ buffer, argStart, argEnd }: CommandFrame): string {
  return buffer.toString('latin1', argStart[0], argEnd[0]).toUpperCase();
}
