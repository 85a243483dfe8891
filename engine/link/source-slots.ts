/**
 * Which slots a shard of a source cluster has, looked at all the time: what the shard's stream says of a slot counts only
 * while the slot is there. When a slot moves, the old owner's stream says DEL (MIGRATE took the keys away) and the new owner's
 * RESTORE-ASKING; two links race, and the old one must not remove what the new one brought.
 *
 *   settled   ours, and not on the move        commands are applied
 *   coming    another's, we are getting it     commands are applied: its keys arrive
 *   leaving   ours, another one is getting it  ┐ commands are left out, and the slot is compared with the source when it has
 *   gone      another's                        ┘ arrived (apply/cluster/slot-healer.ts); in a circle it is handed over
 *                                                (apply/cluster/slot-handover.ts)
 */
import { ClusterShard } from '../connect/cluster-shard.ts';
import { Connection } from '../connect/connection.ts';
import { readTopology, type ClusterTopology } from '../connect/cluster-topology.ts';
import type { ClusterShard as Description } from '../connect/discovery.ts';
import { SyncError } from '../errors.ts';
import { SLOTS } from '../keys/cluster-slot.ts';
import { delay } from '../psync/backoff.ts';

const TIMEOUT_MS = 5000;

export type SlotState = 'gone' | 'settled' | 'leaving' | 'coming';

export interface SourceSlotsOptions {
  /** Asked before every connection: the shard may have failed over. */
  source: () => Description;
  intervalMs: number;
  /** The clock by which arrivals are stamped, ms. */
  wallClock: () => number;
  /** Slots came or went since the last look, or are on the move now. */
  onChanged: (change: { came: number; went: number }) => void;
  /** The shard is no more, and others have its slots. Called once. */
  onGone: () => void;
}

const STATES: readonly SlotState[] = ['gone', 'settled', 'leaving', 'coming'];

export class SourceSlots {
  readonly #options: SourceSlotsOptions;
  #states = new Uint8Array(SLOTS);
  /** When each slot was last seen to be away or leaving. */
  readonly #awayAtMs = new Float64Array(SLOTS).fill(-Infinity);
  #connection: Connection | undefined;
  /** Remembers who came to the shard; a new one when the shard is described anew. */
  #shard: { of: Description; discovery: ClusterShard } | undefined;
  #isGone = false;
  #observedAtMs = -Infinity;
  #looking: Promise<void> | undefined;
  #isGlancing = false;
  #isGlanceDue = false;
  readonly #followers: Set<number>[] = [];

  constructor(options: SourceSlotsOptions) {
    this.#options = options;
  }

  stateOf(slot: number): SlotState {
    return STATES[this.#states[slot] ?? 0] ?? 'gone';
  }

  /** What the shard's stream says of this slot is to be applied. */
  has(slot: number): boolean {
    const state = this.#states[slot];
    return state === 1 || state === 3;
  }

  /** A set to which every slot is added that leaves from now on; whoever asked for it takes them out. */
  follow(): Set<number> {
    const unsettled = new Set<number>();
    this.#followers.push(unsettled);
    return unsettled;
  }

  /** The slot was seen to be away, or leaving, since then (wall clock, ms). */
  wasAwaySince(slot: number, atMs: number): boolean {
    return (this.#awayAtMs[slot] ?? -Infinity) >= atMs;
  }

  /** Looked at since then (wall clock, ms). */
  isKnownAt(atMs: number): boolean {
    return this.#observedAtMs > atMs;
  }

  /** Looks now. @throws SyncError CONNECT … when the shard cannot be asked. */
  async look(signal: AbortSignal): Promise<void> {
    this.#looking ??= this.#look(signal).finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  /** Looks as soon as one that has begun is over: what it sees is later than now. Never throws. */
  glance(signal: AbortSignal): void {
    this.#isGlanceDue = true;
    if (!this.#isGlancing) void this.#glance(signal);
  }

  async #glance(signal: AbortSignal): Promise<void> {
    this.#isGlancing = true;
    while (this.#isGlanceDue && !signal.aborted) {
      await this.#looking?.catch(() => undefined);
      this.#isGlanceDue = false;
      await this.look(signal).catch(() => undefined);
    }
    this.#isGlancing = false;
  }

  /** Looks again and again until the signal aborts. Never throws. */
  async watch(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => void this.#connection?.close();
    signal.addEventListener('abort', onAbort, { once: true });
    while (!signal.aborted) {
      await this.look(signal).catch(() => undefined);
      await delay(this.#options.intervalMs, signal);
    }
    signal.removeEventListener('abort', onAbort);
    await this.#connection?.close();
  }

  async #look(signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#options.wallClock();
    if (this.#isGone) {
      this.#observedAtMs = askedAtMs;
      return;
    }
    try {
      if (this.#connection?.closed !== false) {
        const endpoint = await this.#discovery.locate({ signal });
        this.#connection = await Connection.open(endpoint, {
          name: 'redis-sync:slots',
          replyTimeoutMs: TIMEOUT_MS,
          signal,
        });
      }
      this.#adopt(await readTopology(this.#connection), askedAtMs);
      this.#observedAtMs = askedAtMs;
    } catch (error) {
      await this.#connection?.close();
      this.#connection = undefined;
      if (!(await this.#discovery.isGone(signal).catch(() => false))) throw error;
      this.#isGone = true;
      this.#observedAtMs = askedAtMs;
      this.#replace(new Uint8Array(SLOTS));
      this.#options.onGone();
    }
  }

  get #discovery(): ClusterShard {
    const of = this.#options.source();
    if (this.#shard?.of !== of) this.#shard = { of, discovery: new ClusterShard(of) };
    return this.#shard.discovery;
  }

  #adopt(topology: ClusterTopology, askedAtMs: number): void {
    const own = topology.shards.findIndex(({ primary }) => primary.id === topology.self);
    // A replica knows nothing of slots on the move: a failover is going on, or the shard has been given up.
    if (own === -1 && this.#observedAtMs !== -Infinity) throw notPrimary(this.#options.source());
    const now = new Uint8Array(SLOTS);
    for (let slot = 0; slot < SLOTS; slot++) if (topology.owners[slot] === own) now[slot] = 1;
    for (const { slot, direction } of topology.moving) now[slot] = direction === 'leaving' ? 2 : 3;
    for (let slot = 0; slot < SLOTS; slot++)
      if (now[slot] === 0 || now[slot] === 2) this.#awayAtMs[slot] = askedAtMs;
    if (this.#observedAtMs === -Infinity) this.#states = now;
    else this.#replace(now);
  }

  /** What has left is told to whoever follows. */
  #replace(now: Uint8Array<ArrayBuffer>): void {
    const before = this.#states;
    this.#states = now;
    let came = 0;
    let went = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      const had = before[slot] === 1 || before[slot] === 3;
      const has = now[slot] === 1 || now[slot] === 3;
      if (has && !had) came++;
      if (!had || has) continue;
      went++;
      for (const unsettled of this.#followers) unsettled.add(slot);
    }
    if (came + went > 0) this.#options.onChanged({ came, went });
  }
}

function notPrimary({ members }: Description): SyncError {
  return new SyncError('CONNECT', `Node ${members[0] ?? ''} is a replica now.`, { retryable: true });
}
