/** How far each slot of a cluster target is: as it says itself, and as we know. What a slot lacks that we know is lost. */
import type { Connection } from '../../connect/connection.ts';
import { describeEndpoint } from '../../connect/endpoint.ts';
import { SyncError } from '../../errors.ts';
import { SLOTS, tagOfSlot } from '../../keys/cluster-slot.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { ClusterTarget, TargetShard } from './cluster-target.ts';
import {
  noOffsets,
  readSlotOffsets,
  SlotMarkEncoder,
  writeSlotOffsets,
  type SlotOffsets,
} from './slot-checkpoints.ts';

export interface SlotBookOptions {
  cluster: ClusterTarget;
  link: string;
  /** Whether a key is the source shard's own; undefined: all are. */
  owns: ((key: Uint8Array) => boolean) | undefined;
}

export class SlotBook {
  /** Up to where each slot is known to be applied; -1 where it has no checkpoint of this full sync. */
  readonly confirmed: SlotOffsets = noOffsets();
  /** Slots that lack what was applied, found by a fresh connection; emptied by who brings it back. */
  readonly lost = new Set<number>();
  readonly #options: SlotBookOptions;
  #sync = '';

  constructor(options: SlotBookOptions) {
    this.#options = options;
  }

  /** Every one of these slots has a checkpoint. @param ranges as `ranges` gave them. */
  isComplete(ranges: string): boolean {
    const slots = slotsOfRanges(ranges);
    return slots.length > 0 && slots.every((slot) => (this.confirmed[slot] ?? -1) >= 0);
  }

  /** The slots that the link fills now, as text. */
  get ranges(): string {
    return printRanges(this.#ownSlots());
  }

  /** Nothing is known: a full sync begins. */
  clear(): void {
    this.confirmed.fill(-1);
    this.lost.clear();
  }

  /** Asks every slot. Waits until none is on the move: what it has could not be told then. @throws SyncError. */
  async read(sync: string, signal: AbortSignal): Promise<void> {
    const { cluster, link } = this.#options;
    this.#sync = sync;
    const found = noOffsets().fill(Number.NaN);
    for (;;) {
      await cluster.useAll(signal, async (connection, shard) => {
        const missing = slotsOf(shard).filter((slot) => Number.isNaN(found[slot]));
        await readSlotOffsets(connection, link, sync, missing, found);
      });
      const missing = found.findIndex((offset) => Number.isNaN(offset));
      if (missing === -1) break;
      await cluster.wait(moving(missing), signal);
      await cluster.refresh(signal);
    }
    this.confirmed.set(found);
  }

  /** Gives every one of these slots its checkpoint: the full sync is complete. @throws SyncError. */
  async begin(
    { replid, path, offset }: Checkpoint,
    { sync, ranges }: { sync: string; ranges: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster, link } = this.#options;
    this.#sync = sync;
    const marks = new SlotMarkEncoder(link);
    marks.mark = { replid, path, sync };
    let missing = new Set(slotsOfRanges(ranges));
    while (missing.size > 0) {
      const elsewhere: number[] = [];
      await cluster.refresh(signal);
      await cluster.useAll(signal, async (connection, shard) => {
        const slots = slotsOf(shard).filter((slot) => missing.has(slot));
        elsewhere.push(...(await writeSlotOffsets(connection, marks, slots, Number(offset))));
        for (const slot of slots) this.confirmed[slot] = Number(offset);
      });
      missing = new Set(elsewhere);
      for (const slot of missing) this.confirmed[slot] = -1;
      if (missing.size > 0) await cluster.wait(moving(elsewhere[0] ?? 0), signal);
    }
  }

  /** For a fresh connection to a shard. @throws SyncError APPLY_REFUSED when a slot has lost all its data. */
  async check(connection: Connection, shard: TargetShard): Promise<void> {
    const known = slotsOf(shard).filter((slot) => (this.confirmed[slot] ?? -1) >= 0);
    if (known.length === 0) return;
    const found = noOffsets().fill(Number.NaN);
    await readSlotOffsets(connection, this.#options.link, this.#sync, known, found);
    for (const slot of known) {
      const offset = found[slot] ?? Number.NaN;
      if (offset === -1) throw lostData(slot, describeEndpoint(connection.endpoint));
      if (!(offset < (this.confirmed[slot] ?? -1))) continue;
      this.confirmed[slot] = offset;
      this.lost.add(slot);
    }
  }

  /** Whether the shard has what was applied to the slots that it has now. @throws SyncError CONNECT, PROTOCOL. */
  async holds(connection: Connection, shard: TargetShard): Promise<boolean> {
    if (this.lost.size > 0) return false;
    const wanted = this.confirmed.slice();
    const known = slotsOf(shard).filter((slot) => (wanted[slot] ?? -1) >= 0);
    const found = noOffsets().fill(Number.NaN);
    await readSlotOffsets(connection, this.#options.link, this.#sync, known, found);
    return known.every((slot) => !((found[slot] ?? Number.NaN) < (wanted[slot] ?? -1)));
  }

  #ownSlots(): number[] {
    const { owns } = this.#options;
    const slots = [...Array(SLOTS).keys()];
    return owns === undefined ? slots : slots.filter((slot) => owns(Buffer.from(tagOfSlot(slot))));
  }
}

function slotsOf({ facts }: TargetShard): number[] {
  return (facts?.slots ?? []).flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}

/** `0-5460,10000`. */
function printRanges(slots: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const slot of slots) {
    const last = ranges.at(-1);
    if (last?.[1] === slot - 1) last[1] = slot;
    else ranges.push([slot, slot]);
  }
  return ranges.map(([first, last]) => `${first}-${last}`).join(',');
}

/** Slots of `ranges`. */
export function slotsOfRanges(text: string): number[] {
  return [...text.matchAll(/(\d+)-(\d+)/g)].flatMap(([, first, last]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index),
  );
}

function moving(slot: number): SyncError {
  return new SyncError('CONNECT', `Slot ${slot} of the target is being moved.`, { retryable: true });
}

function lostData(slot: number, where: string): SyncError {
  return new SyncError(
    'APPLY_REFUSED',
    `The target has lost its data: slot ${slot} has no checkpoint any more.`,
    {
      where,
      hint: 'The shard was flushed, or restarted without its data. Start the link again: it does a full sync.',
    },
  );
}
