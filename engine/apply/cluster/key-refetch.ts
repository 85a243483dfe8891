/**
 * Keys that a command over several slots has written, which a cluster cannot take: left out of the stream and read from the
 * source again (policy `refetch`). Which keys those are is kept on the target, in the transaction of the slot that passes the
 * command, until they are right:
 *
 *   RENAME a b ─▶ HSET redis-sync:refetch:<id>:{tag of a's slot} a …, the same for b ─▶ key-repair.ts ─▶ HDEL with the value
 */
import { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import { clusterSlot, tagOfSlot } from '../../keys/cluster-slot.ts';
import { OWN_KEY_PREFIX } from '../../link/options.ts';
import { delay } from '../../psync/backoff.ts';
import { encodeCommand } from '../../resp/encode.ts';
import { scanKeys } from '../target-contents.ts';
import type { ClusterTarget } from './cluster-target.ts';
import { repairKeys } from './key-repair.ts';

const TURN_MS = 50;
const POLL_MS = 2;
const APPLIED_TIMEOUT_MS = 5000;
const REPLY_TIMEOUT_MS = 10_000;
const AT_ONCE = 100;

export interface KeyRefetchOptions {
  link: string;
  cluster: ClusterTarget;
  source: (() => Whereabouts) | undefined;
  /** Source offset up to which everything is on the target. */
  appliedOffset: () => bigint;
  onRefetched: (keys: number) => void;
}

export class KeyRefetch {
  readonly #options: KeyRefetchOptions;
  /** Keys that are not right yet, by their bytes, with the offset of the last command that wrote them. */
  readonly #pending = new Map<string, { key: Buffer; offset: number }>();

  constructor(options: KeyRefetchOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#pending.size;
  }

  has(key: Buffer): boolean {
    return this.#pending.size > 0 && this.#pending.has(key.toString('latin1'));
  }

  /** What is to be written instead of the command: one note per key, in the key's slot. */
  note(keys: readonly Buffer[], offset: number): { slot: number; bytes: Buffer }[] {
    return keys.map((each) => {
      const key = Buffer.from(each);
      this.#pending.set(key.toString('latin1'), { key, offset });
      const slot = clusterSlot(key);
      return { slot, bytes: encodeCommand(['HSET', this.#noteKey(slot), key, offset]) };
    });
  }

  /** What an earlier life of the link has noted and not put right. @throws SyncError. */
  async recall(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    await cluster.useAll(signal, async (connection) => {
      for await (const { keys } of scanKeys(connection, `${this.#prefix}*`))
        for (const note of keys) {
          const noted = await connection.call('HKEYS', note);
          for (const key of Array.isArray(noted) ? noted : [])
            if (Buffer.isBuffer(key)) this.#pending.set(key.toString('latin1'), { key, offset: -1 });
        }
    });
  }

  /** Runs until the signal aborts. Never throws: what does not work now is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.pending > 0) await this.#turn(signal).catch(() => undefined);
      await delay(TURN_MS, signal);
    }
  }

  get #prefix(): string {
    return `${OWN_KEY_PREFIX}refetch:${this.#options.link}:`;
  }

  #noteKey(slot: number): string {
    return `${this.#prefix}{${tagOfSlot(slot)}}`;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { source, cluster } = this.#options;
    if (source === undefined) return;
    await using from = await openWhere(source(), { replyTimeoutMs: REPLY_TIMEOUT_MS, signal });
    for (const [name, { key, offset }] of [...this.#pending].slice(0, AT_ONCE)) {
      const endpoint = cluster.shardOfKey(key)?.facts?.primary.endpoint;
      if (endpoint === undefined) return cluster.refresh(signal);
      await using target = await Connection.open(endpoint, { replyTimeoutMs: REPLY_TIMEOUT_MS, signal });
      const slot = clusterSlot(key);
      const written = await repairKeys({
        keys: [key],
        source: from,
        target,
        isApplied: (moment) => this.#isApplied(moment.offset, signal),
        // A note that comes meanwhile stays.
        alsoWatch: [this.#noteKey(slot)],
        besides: [['HDEL', this.#noteKey(slot), key]],
        signal,
      });
      if (written === undefined) continue;
      if (this.#pending.get(name)?.offset === offset) this.#pending.delete(name);
      this.#options.onRefetched(written);
    }
  }

  async #isApplied(offset: number, signal: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + APPLIED_TIMEOUT_MS;
    while (performance.now() < deadline) {
      signal.throwIfAborted();
      if (this.#options.appliedOffset() >= BigInt(offset)) return true;
      await delay(POLL_MS, signal);
    }
    return false;
  }
}
