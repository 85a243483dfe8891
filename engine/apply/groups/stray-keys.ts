/**
 * Sees keys of a Codis group that may be, or may have been, another group's: a slot is moved, one stream says DEL, the other one
 * RESTORE or SLOTSRESTORE, and two links race to the target that the groups share. Whatever the late one does to such a
 * key is put right afterwards (group-healer.ts), so the keys are remembered on the target, in the same transaction as what was
 * applied to them: a link that is killed meanwhile still knows them.
 *
 *   SADD redis-sync:moved:<link>  <database>:<key> …
 *
 * Remembered is every key of the stream and of the snapshot whose slot was not the group's at first, and every key that is
 * restored. Of two groups that have had a key one is always such a one: its link remembers it for both. That the new owner
 * restores a key cannot be relied on: a slot may be moved while the key is deleted, and the key is created anew there.
 *
 * A link that is late leaves out what its stream says of keys that another one has remembered, and remembers them too: so that a
 * late DEL or an old value does not stand in the target until it is put right.
 */
import { CODIS_SLOTS, codisSlotAt } from '../../keys/codis-slot.ts';
import { findKeys } from '../../keys/key-positions.ts';
import { OWN_KEY_PREFIX } from '../../link/options.ts';
import type { CommandFrame } from '../../resp/command-framer.ts';
import { encodeCommand } from '../../resp/encode.ts';
import { movedKey } from '../checkpoint.ts';
import type { LinkFinding } from '../finding.ts';
import type { GrowingFindings } from '../growing-findings.ts';
import type { OwnCommands } from '../origin/conflict-watch.ts';
import { printKey } from '../refusals.ts';
import type { Treatment } from '../treatments.ts';

export interface StrayKeysOptions {
  link: string;
  /** Codis slots that were the source's at first. */
  slots: readonly (readonly [first: number, last: number])[];
  heartbeatPrefix: string;
  growing: GrowingFindings;
  onFinding: (finding: LinkFinding) => void;
  /** Interval of the heartbeats that come back in the stream, ms; 0 = none. */
  heartbeatMs: number;
  /** The link is late when it is behind by more. */
  lateMs: number;
  /** Keys that the links of other groups have remembered, as `<database>:<key in latin1>`. */
  readPeers: () => Promise<ReadonlySet<string>>;
}

export interface StrayKey {
  database: number;
  key: Buffer;
}

/** The key as a member of the set. */
export function memberOf({ database, key }: StrayKey): Buffer {
  return Buffer.concat([Buffer.from(`${database}:`), key]);
}

const NONE: ReadonlySet<string> = new Set();
/** Of so many a heartbeat may be missing. */
const HEARTBEATS = 3;

/** Of a snapshot. More means that somebody has said the wrong slots. */
const SNAPSHOT_MAX = 100_000;

export class StrayKeys {
  readonly #options: StrayKeysOptions;
  readonly #isOwn = new Uint8Array(CODIS_SLOTS);
  readonly #positions: number[] = [];
  /** Offset behind the last command that made a key remembered; -1 before. */
  #lastOffset = -1n;
  #inSnapshot = 0;
  #hasMoved = false;
  #refused: StrayKey[] = [];
  /** What the newest heartbeat in the stream says, ms. */
  #heartbeatMs = -Infinity;
  /** Keys to be left to others; empty while the link is not late. */
  #left: ReadonlySet<string> = NONE;
  /** Of these those that have come back meanwhile. */
  readonly #returned = new Set<string>();

  constructor(options: StrayKeysOptions) {
    this.#options = options;
    for (const [first, last] of options.slots) this.#isOwn.fill(1, first, last + 1);
  }

  /** Everything that is to be remembered is on the target once the link has applied this. */
  get lastOffset(): bigint {
    return this.#lastOffset;
  }

  /** A heartbeat that was sent then, by our wall clock. */
  heartbeat(sentAtMs: number): void {
    this.#heartbeatMs = sentAtMs;
  }

  /** Before the next bytes of the stream, which arrived at `atMs`: finds out what is to be left to others. Never throws. */
  async prepare(atMs: number, nowMs: number): Promise<void> {
    const { heartbeatMs, lateMs, readPeers } = this.#options;
    const isOld = heartbeatMs > 0 && nowMs - this.#heartbeatMs > lateMs + HEARTBEATS * heartbeatMs;
    if (!isOld && nowMs - atMs <= lateMs) {
      this.#left = NONE;
      this.#returned.clear();
      return;
    }
    this.#left = await readPeers();
  }

  /** The link is late, and everything that the command concerns is another group's by now, as far as anybody knows. */
  leavesOut(frame: CommandFrame, treatment: Treatment, database: number): boolean {
    // Scripts, and what goes to another database, may concern keys that nobody names.
    if (this.#left.size === 0 || treatment === 'move' || treatment === 'copy' || isScript(frame))
      return false;
    const names = this.#keysOf(frame).map((key) => nameOf(database, key));
    if (!isRestoring(treatment))
      return names.length > 0 && names.every((name) => this.#left.has(name) && !this.#returned.has(name));
    // It has come back.
    for (const name of names) this.#returned.add(name);
    return false;
  }

  /** A command that was left out. @returns what is to be kept on the target, database 0. */
  leftOut(frame: CommandFrame, database: number, offset: bigint): OwnCommands {
    this.#lastOffset = offset;
    return { bytes: this.#encode(database, this.#keysOf(frame)), count: 1 };
  }

  /** A command of the stream, ending at this offset. @returns what is to be kept on the target, database 0. */
  read(frame: CommandFrame, treatment: Treatment, database: number, offset: bigint): OwnCommands | undefined {
    const positions = this.#positionsOf(frame);
    const isRestored = isRestoring(treatment);
    const { buffer, argStart, argEnd } = frame;
    let keys: Buffer[] | undefined;
    for (const at of positions) {
      const start = argStart[at] ?? 0;
      const end = argEnd[at] ?? 0;
      const isOwn = this.#isOwn[codisSlotAt(buffer, start, end)] === 1;
      if (isOwn && !isRestored) continue;
      const key = buffer.subarray(start, end);
      if (!this.#isData(key)) continue;
      (keys ??= []).push(key);
      if (!isOwn) this.#tell(database, key);
    }
    if (keys === undefined) return undefined;
    this.#lastOffset = offset;
    return { bytes: this.#encode(database, keys), count: 1 };
  }

  /**
   * The target refused a command because of what the key is there: the link of a group that has it now, or had it, was
   * quicker. To be remembered by whoever takes it.
   */
  refused(database: number, key: Buffer): boolean {
    if (!this.#isData(key)) return false;
    this.#refused.push({ database, key: Buffer.from(key) });
    return true;
  }

  /** Keys of refused commands since the last call. */
  takeRefused(): StrayKey[] {
    return this.#refused.splice(0);
  }

  get hasRefused(): boolean {
    return this.#refused.length > 0;
  }

  /** Slots move between the groups, or have moved. Keys that are restored may only be its clients'. */
  get hasMoved(): boolean {
    return this.#hasMoved || this.#inSnapshot > 0;
  }

  /** Is the key in a slot that was the source's at first? */
  owns(key: Uint8Array): boolean {
    const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
    return this.#isOwn[codisSlotAt(bytes, 0, bytes.length)] === 1 && this.#isData(bytes);
  }

  /** A snapshot begins. */
  beginSnapshot(): void {
    this.#inSnapshot = 0;
  }

  /** A key of the snapshot. @returns a command for database 0, to be sent before the key's. */
  entry(database: number, key: Buffer): Buffer | undefined {
    if (this.#isOwn[codisSlotAt(key, 0, key.length)] === 1) return undefined;
    this.#inSnapshot++;
    if (this.#inSnapshot === SNAPSHOT_MAX + 1) this.#options.onFinding(tooMany(this.#options.link));
    return this.#inSnapshot > SNAPSHOT_MAX ? undefined : this.#encode(database, [key]);
  }

  #positionsOf(frame: CommandFrame): readonly number[] {
    const positions = this.#positions;
    positions.length = 0;
    if (!findKeys(frame, positions) && frame.argc > 1) positions.push(1);
    return positions;
  }

  #keysOf(frame: CommandFrame): Buffer[] {
    const { buffer, argStart, argEnd } = frame;
    return this.#positionsOf(frame).map((at) => buffer.subarray(argStart[at], argEnd[at]));
  }

  #isData(key: Buffer): boolean {
    const { heartbeatPrefix } = this.#options;
    const name = key.toString('latin1', 0, Math.max(heartbeatPrefix.length, OWN_KEY_PREFIX.length));
    return !name.startsWith(OWN_KEY_PREFIX) && !name.startsWith(heartbeatPrefix);
  }

  #encode(database: number, keys: readonly Buffer[]): Buffer {
    const members = keys.map((key) => memberOf({ database, key }));
    return encodeCommand(['SADD', movedKey(this.#options.link), ...members]);
  }

  #tell(database: number, key: Buffer): void {
    this.#hasMoved = true;
    this.#options.growing.add(MOVING, { database, key: printKey(key) });
  }
}

function isRestoring(treatment: Treatment): boolean {
  return treatment === 'restore' || treatment === 'slotsrestore' || treatment === 'slotsrestore-async';
}

function isScript({ buffer, argStart, argEnd }: CommandFrame): boolean {
  return /^(eval|fcall)/i.test(buffer.toString('latin1', argStart[0], argEnd[0]));
}

function nameOf(database: number, key: Buffer): string {
  return `${database}:${key.toString('latin1')}`;
}

const MOVING = {
  code: 'TOPOLOGY_CHANGED',
  severity: 'warning',
  message:
    'Slots move between the groups: keys were written to a group that did not have their slots at first. Each is compared with all groups.',
  evidence: { side: 'source' },
} as const;

function tooMany(link: string): LinkFinding {
  return {
    code: 'TOPOLOGY_CHANGED',
    severity: 'warning',
    message: `More than ${SNAPSHOT_MAX} keys of the snapshot are in slots that the group has not got: only these are compared with the other groups.`,
    evidence: { side: 'source', link, hint: 'Say in `slots` which group has which.' },
  };
}
