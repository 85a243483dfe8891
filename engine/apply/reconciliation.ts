/**
 * After a second full sync: deletes from the target what the new snapshot does not have. Bounded in memory and disk,
 * whatever the number of keys.
 *
 *   while loading    hash of each snapshot key ─▶ one of 256 partitions on disk
 *   afterwards       partitions are put together into groups that fit into memory; the target is scanned once: a key of the
 *                    first group is looked up at once, a key of a later one is kept on disk until its group's turn
 *
 * The engine's own keys are left alone. Nothing else writes to the target meanwhile: the stream follows afterwards.
 */
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Connection } from '../connect/connection.ts';
import { asError } from '../errors.ts';
import { textOf } from '../resp/reply-text.ts';
import { BYTES_PER_KEY, hashKey, KeyHashSet } from './key-hash-set.ts';
import { PartitionedSpool } from './partitioned-spool.ts';
import { isOwnKey, scanKeys, wordFirstError } from './target-contents.ts';
import type { Target } from './target.ts';

const PARTITIONS = 256;
const HASH_BYTES = 8;
const DELETE_AT_ONCE = 500;
/** Of a key kept on disk: database, length. */
const KEY_HEAD_BYTES = 8;
const MEMORY_BYTES_MAX = 32 * 1024 * 1024;

export interface ReconciliationOptions {
  /** Where temporary files may be made. */
  folder: string;
  diskBytesMax: number;
  /** For the hashes of one group. Default 32 MiB. */
  memoryBytesMax?: number;
  /** Whether a key of the target is the link's to delete. Default: every one but the engine's own. */
  owns?: ((key: Uint8Array) => boolean) | undefined;
  /** Function libraries are left alone: they may be another link's. Default false. */
  keepLibraries?: boolean;
  /** Deletes keys; returns how many there were. Default: many with one command. */
  deleteKeys?: (connection: Connection, database: number, keys: readonly Buffer[]) => Promise<number>;
}

export interface Removed {
  keys: number;
  libraries: number;
}

export class Reconciliation {
  readonly #options: ReconciliationOptions;
  readonly #id = randomBytes(6).toString('hex');
  readonly #hashes: PartitionedSpool;
  readonly #record = Buffer.alloc(HASH_BYTES);
  readonly #hash = new Int32Array(2);
  readonly #libraries = new Set<string>();
  #files = 0;

  constructor(options: ReconciliationOptions) {
    this.#options = options;
    this.#hashes = this.#openSpool(PARTITIONS);
  }

  /** The snapshot has this key. */
  keep(database: number, key: Uint8Array): void {
    hashKey(this.#hash, database, key);
    this.#record.writeInt32LE(this.#hash[0]!, 0);
    this.#record.writeInt32LE(this.#hash[1]!, 4);
    this.#hashes.write(partitionOf(this.#hash), this.#record);
  }

  /** The snapshot has this function library. */
  keepLibrary(code: Buffer): void {
    const name = /^#!\S+[^\n]*\bname=([^\s]+)/.exec(code.toString('utf8'))?.[1];
    if (name !== undefined) this.#libraries.add(name);
  }

  /** Undefined when more keys may come now, else a promise for that. */
  room(): Promise<void> | undefined {
    return this.#hashes.room();
  }

  /**
   * Deletes every key of the target that was not kept, and every function library. Starts over when the connection breaks.
   *
   * @throws SyncError LOG_FULL (disk), and what the target refuses for good.
   */
  async removeOthers(target: Target, signal: AbortSignal): Promise<Removed> {
    const removed: Removed = { keys: 0, libraries: 0 };
    for (;;) {
      try {
        const connection = await target.connect(signal);
        await this.#removeKeys(connection, removed, signal);
        if (this.#options.keepLibraries !== true)
          removed.libraries += await this.#removeLibraries(connection);
        target.worked();
        return removed;
      } catch (error) {
        await target.wait(asError(error), signal);
      }
    }
  }

  /** Deletes the temporary files. */
  async close(): Promise<void> {
    await this.#hashes.remove();
  }

  #openSpool(partitions: number): PartitionedSpool {
    const { folder, diskBytesMax } = this.#options;
    const path = join(folder, `reconcile-${this.#id}-${++this.#files}.spool`);
    return new PartitionedSpool({ path, partitions, diskBytesMax });
  }

  async #removeKeys(connection: Connection, removed: Removed, signal: AbortSignal): Promise<void> {
    const groups = this.#planGroups();
    const later = this.#openSpool(groups.length);
    const groupOf = Array.from({ length: PARTITIONS }, (_, partition) =>
      groups.findIndex((group) => group.includes(partition)),
    );
    try {
      const first = await this.#load(groups[0] ?? []);
      for await (const { database, keys } of scanKeys(connection)) {
        signal.throwIfAborted();
        const doomed: Buffer[] = [];
        for (const key of keys) {
          if (isOwnKey(key) || this.#options.owns?.(key) === false) continue;
          hashKey(this.#hash, database, key);
          const group = groupOf[partitionOf(this.#hash)] ?? 0;
          if (group > 0) later.write(group, encodeKey(database, key));
          else if (!first.has(this.#hash[0]!, this.#hash[1]!)) doomed.push(key);
        }
        removed.keys += await this.#delete(connection, database, doomed);
        await later.room();
      }
      for (let group = 1; group < groups.length; group++) {
        const kept = await this.#load(groups[group] ?? []);
        for await (const block of later.read(group))
          removed.keys += await this.#removeOf(block, kept, connection, signal);
      }
    } finally {
      await later.remove();
    }
  }

  /** The keys of one block that are not in the set. */
  async #removeOf(
    block: Buffer,
    kept: KeyHashSet,
    connection: Connection,
    signal: AbortSignal,
  ): Promise<number> {
    signal.throwIfAborted();
    const doomed = new Map<number, Buffer[]>();
    for (const { database, key } of decodeKeys(block)) {
      hashKey(this.#hash, database, key);
      if (kept.has(this.#hash[0]!, this.#hash[1]!)) continue;
      const keys = doomed.get(database) ?? [];
      doomed.set(database, keys);
      keys.push(key);
    }
    let removed = 0;
    for (const [database, keys] of doomed) removed += await this.#delete(connection, database, keys);
    return removed;
  }

  /** Adjacent partitions, as many together as fit into memory. */
  #planGroups(): number[][] {
    const most = this.#options.memoryBytesMax ?? MEMORY_BYTES_MAX;
    const groups: number[][] = [[]];
    let bytes = 0;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const more = (this.#hashes.bytes(partition) / HASH_BYTES) * BYTES_PER_KEY;
      if (bytes + more > most && bytes > 0) {
        groups.push([]);
        bytes = 0;
      }
      groups.at(-1)?.push(partition);
      bytes += more;
    }
    return groups;
  }

  #delete(connection: Connection, database: number, keys: readonly Buffer[]): Promise<number> {
    return (this.#options.deleteKeys ?? deleteKeys)(connection, database, keys);
  }

  async #load(partitions: readonly number[]): Promise<KeyHashSet> {
    const bytes = partitions.reduce((sum, partition) => sum + this.#hashes.bytes(partition), 0);
    const set = new KeyHashSet(bytes / HASH_BYTES);
    for (const partition of partitions) {
      for await (const block of this.#hashes.read(partition)) {
        for (let at = 0; at < block.length; at += HASH_BYTES)
          set.add(block.readInt32LE(at), block.readInt32LE(at + 4));
      }
    }
    return set;
  }

  async #removeLibraries(connection: Connection): Promise<number> {
    const reply = await connection.tryCall('FUNCTION', 'LIST');
    if (!Array.isArray(reply)) return 0; // Older than 7.0, or not allowed: then we loaded none either.
    const names = reply.flatMap((library) => (Array.isArray(library) ? [textOf(library[1])] : []));
    const doomed = names.filter((name) => !this.#libraries.has(name));
    for (const name of doomed) await connection.call('FUNCTION', 'DELETE', name);
    return doomed.length;
  }
}

function partitionOf(hash: Int32Array): number {
  return hash[0]! >>> 24;
}

function encodeKey(database: number, key: Buffer): Buffer {
  const record = Buffer.allocUnsafe(KEY_HEAD_BYTES + key.length);
  record.writeUInt32LE(database, 0);
  record.writeUInt32LE(key.length, 4);
  key.copy(record, KEY_HEAD_BYTES);
  return record;
}

function* decodeKeys(block: Buffer): Generator<{ database: number; key: Buffer }> {
  for (let at = 0; at < block.length;) {
    const start = at + KEY_HEAD_BYTES;
    const end = start + block.readUInt32LE(at + 4);
    yield { database: block.readUInt32LE(at), key: block.subarray(start, end) };
    at = end;
  }
}

async function deleteKeys(
  connection: Connection,
  database: number,
  keys: readonly Buffer[],
): Promise<number> {
  let removed = 0;
  for (let from = 0; from < keys.length; from += DELETE_AT_ONCE) {
    const some = keys.slice(from, from + DELETE_AT_ONCE);
    const replies = await connection.pipeline([
      ['SELECT', database],
      ['UNLINK', ...some],
      ['SELECT', 0],
    ]);
    if (typeof replies[1] !== 'number') throw wordFirstError('UNLINK', replies, connection);
    removed += replies[1];
  }
  return removed;
}
