/**
 * Puts slots right that have left our source shard: what was still on its way through our stream was left out, and what the
 * stream had said before may have come after the new owner's. Every key of such a slot is compared with the source, and
 * written anew where it differs (key-repair.ts), as soon as the slot stands still and the new owner's link has come so far.
 */
import { askTopology, readTopology } from '../../connect/cluster-topology.ts';
import { Connection } from '../../connect/connection.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import type { Endpoint } from '../../connect/endpoint.ts';
import type { SourceSlots } from '../../link/source-slots.ts';
import { delay } from '../../psync/backoff.ts';
import { textOf } from '../../resp/reply-text.ts';
import { checkpointKey } from '../checkpoint.ts';
import { isOwnKey } from '../target-contents.ts';
import type { ClusterTarget } from './cluster-target.ts';
import { confirmKeys, repairKeys, type StreamMoment } from './key-repair.ts';
import { taggedLink } from './slot-checkpoints.ts';

const TURN_MS = 100;
const KEYS_AT_ONCE = 64;
const SLOTS_AT_ONCE = 64;
const POLL_MS = 5;
const APPLIED_TIMEOUT_MS = 5000;
const REPLY_TIMEOUT_MS = 10_000;

export interface SlotHealerOptions {
  cluster: ClusterTarget;
  slots: SourceSlots;
  /** Slots that are not right yet, or may not be; emptied. */
  unsettled: Set<number>;
  source: () => Whereabouts;
  /** This link and those of the other shards: one of them applies the new owner's stream. */
  links: readonly string[];
  heartbeatPrefix: string;
  onHealed: (keys: number) => void;
}

/** Where a slot of the source is now. */
interface Owner {
  endpoint: Endpoint;
  slots: number[];
}

export class SlotHealer {
  readonly #options: SlotHealerOptions;

  constructor(options: SlotHealerOptions) {
    this.#options = options;
  }

  /** Slots that are not right yet, or may not be. */
  get pending(): number {
    return this.#options.unsettled.size;
  }

  /** Runs until the signal aborts. Never throws: what does not work now is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.pending > 0) await this.#turn(signal).catch(() => undefined);
      await delay(TURN_MS, signal);
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { slots, unsettled, cluster } = this.#options;
    await slots.look(signal);
    const owners = await this.#owners(signal);
    await cluster.refresh(signal);
    for (const { endpoint, slots: wanted } of owners) {
      await using source = await Connection.open(endpoint, { replyTimeoutMs: REPLY_TIMEOUT_MS, signal });
      for (const slot of await this.#confirm(wanted, source, signal)) {
        signal.throwIfAborted();
        if (await this.#heal(slot, source, signal)) unsettled.delete(slot);
      }
    }
  }

  /** Takes out the slots that are right, many at a time. @returns those that differ, or are being written to. */
  async #confirm(wanted: readonly number[], source: Connection, signal: AbortSignal): Promise<number[]> {
    const { cluster, unsettled } = this.#options;
    const left: number[] = [];
    for (const { facts } of cluster.shards) {
      if (facts === undefined) continue;
      const here = wanted.filter((slot) => cluster.shardOfSlot(slot)?.facts === facts);
      if (here.length === 0) continue;
      await using target = await Connection.open(facts.primary.endpoint, {
        replyTimeoutMs: REPLY_TIMEOUT_MS,
        signal,
      });
      for (let from = 0; from < here.length; from += SLOTS_AT_ONCE) {
        const some = here.slice(from, from + SLOTS_AT_ONCE);
        const keys = await Promise.all(some.map((slot) => this.#keysOn([source, target], slot)));
        const right = await confirmKeys(keys, {
          source,
          target,
          isApplied: (moment) => this.#isApplied(moment, target, signal),
        });
        for (const [index, slot] of some.entries()) {
          if (right[index] === true) unsettled.delete(slot);
          else left.push(slot);
        }
      }
    }
    return left;
  }

  async #keysOn(connections: readonly Connection[], slot: number): Promise<Buffer[]> {
    const found = await Promise.all(connections.map((connection) => keysIn(connection, slot)));
    const byName = found.flat().map((key) => [key.toString('latin1'), key] as const);
    return [...new Map(byName).values()].filter((key) => this.#isData(key));
  }

  /** Of unsettled slots those that stand still, by the node that has them. One that is ours again is in our stream. */
  async #owners(signal: AbortSignal): Promise<Owner[]> {
    const { source, unsettled } = this.#options;
    const topology = await askTopology(seedsOf(source()), { replyTimeoutMs: REPLY_TIMEOUT_MS, signal });
    const owners: Owner[] = [];
    for (const { primary } of topology.shards) {
      if (topology.failed.has(primary.id)) continue;
      const mine = [...unsettled].filter(
        (slot) => topology.shards[topology.owners[slot] ?? -1]?.primary.id === primary.id,
      );
      if (mine.length === 0) continue;
      // Only the owner itself knows what it is giving away.
      await using connection = await Connection.open(primary.endpoint, {
        replyTimeoutMs: REPLY_TIMEOUT_MS,
        signal,
      });
      const own = await readTopology(connection);
      const moving = new Set(own.moving.map(({ slot }) => slot));
      const still = mine.filter(
        (slot) => !moving.has(slot) && own.shards[own.owners[slot] ?? -1]?.primary.id === own.self,
      );
      if (still.length > 0) owners.push({ endpoint: primary.endpoint, slots: still });
    }
    return owners;
  }

  /** True when every key of the slot is right. */
  async #heal(slot: number, source: Connection, signal: AbortSignal): Promise<boolean> {
    const shard = this.#options.cluster.shardOfSlot(slot);
    const endpoint = shard?.facts?.primary.endpoint;
    if (endpoint === undefined) return false;
    await using target = await Connection.open(endpoint, { replyTimeoutMs: REPLY_TIMEOUT_MS, signal });
    const all = await this.#keysOn([source, target], slot);
    for (let from = 0; from < all.length; from += KEYS_AT_ONCE) {
      const some = all.slice(from, from + KEYS_AT_ONCE);
      const written = await repairKeys({
        keys: some,
        source,
        target,
        isApplied: (moment) => this.#isApplied(moment, target, signal),
        signal,
      });
      if (written === undefined) return false;
      this.#options.onHealed(written);
    }
    return true;
  }

  #isData(key: Buffer): boolean {
    return !isOwnKey(key) && !key.toString('latin1').startsWith(this.#options.heartbeatPrefix);
  }

  /** Waits until the link of the shard with this history has applied this offset. */
  async #isApplied(
    { replid, offset }: StreamMoment,
    target: Connection,
    signal: AbortSignal,
  ): Promise<boolean> {
    const deadline = performance.now() + APPLIED_TIMEOUT_MS;
    while (performance.now() < deadline) {
      signal.throwIfAborted();
      for (const link of this.#options.links) {
        const key = checkpointKey(taggedLink(link));
        const shard = this.#options.cluster.shardOfKey(Buffer.from(key));
        const at = shard?.facts?.primary.endpoint;
        if (at === undefined) continue;
        const isHere = at.host === target.endpoint.host && at.port === target.endpoint.port;
        const fields = isHere ? await readRecord(target, key) : await this.#ask(at, key, signal);
        if (fields.replid === replid && fields.offset >= offset) return true;
      }
      await delay(POLL_MS, signal);
    }
    return false;
  }

  async #ask(at: Endpoint, key: string, signal: AbortSignal): Promise<{ replid: string; offset: number }> {
    await using connection = await Connection.open(at, { replyTimeoutMs: REPLY_TIMEOUT_MS, signal });
    // Awaited before the connection is closed.
    return await readRecord(connection, key);
  }
}

/** Any node will do: the shard itself may be gone. */
function seedsOf(source: Whereabouts): readonly Endpoint[] {
  if (!('kind' in source)) return [source];
  return source.kind === 'cluster-shard' || source.kind === 'cluster' ? source.seeds : [];
}

async function keysIn(connection: Connection, slot: number): Promise<Buffer[]> {
  const count = Number(await connection.call('CLUSTER', 'COUNTKEYSINSLOT', slot));
  if (count === 0) return [];
  // Some may come meanwhile: those are the new owner's alone.
  const reply = await connection.call('CLUSTER', 'GETKEYSINSLOT', slot, count);
  return Array.isArray(reply) ? reply.filter((key) => Buffer.isBuffer(key)) : [];
}

async function readRecord(connection: Connection, key: string): Promise<{ replid: string; offset: number }> {
  const reply = await connection.tryCall('HMGET', key, 'replid', 'offset');
  const [replid, offset] = Array.isArray(reply) ? reply.map(textOf) : [];
  return { replid: replid ?? '', offset: Number(offset ?? Number.NaN) };
}
