/**
 * Puts slots right that have left our source shard: what was still on its way through our stream was left out, and what the
 * stream had said before may have come after the new owner's. Every key of such a slot is compared with the source, and
 * written anew where it differs, so that the new owner's link, which goes on writing there, is never disturbed:
 *
 *   target   WATCH keys
 *   source   MULTI · DUMP, PEXPIRETIME of each · INFO replication · EXEC      what they are at offset p of the new owner
 *   target   wait until the new owner's link has applied p
 *            different keys: MULTI · RESTORE … REPLACE, or DEL · EXEC        does nothing if a key was touched meanwhile
 *
 * Nobody touched the keys between WATCH and EXEC, and everything up to p was applied: so what they should be is what the
 * source had at p.
 */
import { readTopology } from '../../connect/cluster-topology.ts';
import { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import type { Endpoint } from '../../connect/endpoint.ts';
import { SyncError } from '../../errors.ts';
import type { SourceSlots } from '../../link/source-slots.ts';
import { delay } from '../../psync/backoff.ts';
import { parseInfo, textOf } from '../../resp/reply-text.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import { checkpointKey } from '../checkpoint.ts';
import { isOwnKey } from '../target-contents.ts';
import type { ClusterTarget } from './cluster-target.ts';
import { taggedLink } from './slot-checkpoints.ts';

const TURN_MS = 100;
const KEYS_AT_ONCE = 64;
const ATTEMPTS = 20;
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
      for (const slot of wanted) {
        signal.throwIfAborted();
        if (await this.#heal(slot, source, signal)) unsettled.delete(slot);
      }
    }
  }

  /** Of unsettled slots those that stand still, by the node that has them. One that is ours again is in our stream. */
  async #owners(signal: AbortSignal): Promise<Owner[]> {
    const { source, unsettled } = this.#options;
    await using any = await openWhere(source(), { replyTimeoutMs: REPLY_TIMEOUT_MS, signal });
    const topology = await readTopology(any);
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
    const keys = new Map<string, Buffer>();
    for (const key of [...(await keysIn(source, slot)), ...(await keysIn(target, slot))])
      if (this.#isData(key)) keys.set(key.toString('latin1'), key);
    const all = [...keys.values()];
    for (let from = 0; from < all.length; from += KEYS_AT_ONCE) {
      const some = all.slice(from, from + KEYS_AT_ONCE);
      if (!(await this.#healKeys(some, source, target, signal))) return false;
    }
    return true;
  }

  #isData(key: Buffer): boolean {
    return !isOwnKey(key) && !key.toString('latin1').startsWith(this.#options.heartbeatPrefix);
  }

  async #healKeys(
    keys: readonly Buffer[],
    source: Connection,
    target: Connection,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      signal.throwIfAborted();
      await target.call('WATCH', ...keys);
      const wanted = await readAt(source, keys);
      if (!(await this.#isApplied(wanted, target, signal))) break;
      const there = await readState(target, keys);
      const writes = keys.flatMap((key, index) => writesFor(key, wanted.states[index], there[index]));
      if (writes.length === 0) {
        await target.call('UNWATCH');
        return true;
      }
      const replies = await target.pipeline([['MULTI'], ...writes, ['EXEC']]);
      const results = replies.at(-1) ?? null;
      if (results === null) continue;
      if (!Array.isArray(results)) throw new SyncError('APPLY_REFUSED', textOf(results), { retryable: true });
      this.#options.onHealed(writes.length);
      return true;
    }
    await target.tryCall('UNWATCH');
    return false;
  }

  /** Waits until the link of the shard with this history has applied this offset. */
  async #isApplied({ replid, offset }: At, target: Connection, signal: AbortSignal): Promise<boolean> {
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
    return readRecord(connection, key);
  }
}

/** A key's payload and deadline. */
interface KeyState {
  payload: Buffer | null;
  /** Absolute, ms; -1 none. */
  expireAtMs: number;
}

interface At {
  replid: string;
  offset: number;
  states: KeyState[];
}

/** All of them at one moment, and which moment of the stream that is. */
async function readAt(source: Connection, keys: readonly Buffer[]): Promise<At> {
  const reads = keys.flatMap((key) => [
    ['DUMP', key],
    ['PEXPIRETIME', key],
  ]);
  const replies = await source.pipeline([['MULTI'], ...reads, ['INFO', 'replication'], ['EXEC']]);
  const results = replies.at(-1) ?? null;
  if (!Array.isArray(results)) throw new SyncError('CONNECT', textOf(results), { retryable: true });
  const info = parseInfo(results.at(-1) ?? null);
  const offset = Number(info['master_repl_offset']);
  if (!Number.isFinite(offset)) throw new SyncError('PROTOCOL', 'The source does not tell its offset.');
  return { replid: info['master_replid'] ?? '', offset, states: statesOf(results, keys.length) };
}

async function readState(target: Connection, keys: readonly Buffer[]): Promise<KeyState[]> {
  const replies = await target.pipeline(
    keys.flatMap((key) => [
      ['DUMP', key],
      ['PEXPIRETIME', key],
    ]),
  );
  return statesOf(replies, keys.length);
}

function statesOf(replies: readonly Reply[], count: number): KeyState[] {
  return Array.from({ length: count }, (_, index): KeyState => {
    const payload = replies[index * 2] ?? null;
    const deadline = replies[index * 2 + 1];
    if (payload instanceof ReplyError) throw new SyncError('CONNECT', payload.message, { retryable: true });
    return {
      payload: Buffer.isBuffer(payload) ? payload : null,
      expireAtMs: typeof deadline === 'number' && deadline >= 0 ? deadline : -1,
    };
  });
}

function writesFor(
  key: Buffer,
  wanted: KeyState | undefined,
  there: KeyState | undefined,
): (string | number | Buffer)[][] {
  if (wanted === undefined || there === undefined) return [];
  if (wanted.payload === null) return there.payload === null ? [] : [['DEL', key]];
  const isSame = there.payload?.equals(wanted.payload) === true && there.expireAtMs === wanted.expireAtMs;
  if (isSame) return [];
  return [['RESTORE', key, Math.max(0, wanted.expireAtMs), wanted.payload, 'REPLACE', 'ABSTTL']];
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
