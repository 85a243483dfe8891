/**
 * The pass over all keys with commands alone, for servers that do not hand out snapshots.
 *
 *   source  SCAN ──▶ MEMORY USAGE ──┬▶ DUMP + PEXPIRETIME ──┐
 *                                   │                        ├──▶ PairBatch
 *   target                          └▶ DUMP + PEXPIRETIME ──┘
 *   target  SCAN ──▶ keys that are not in the source's key set (EXTRA_KEY)
 *
 * Values above `bigValueBytes` are never dumped (a DUMP of a million elements blocks a server for a third of a second)
 * but put aside to be read in pages. Several batches are in flight, so that both servers and this process work at once.
 */
import type { Endpoint } from '../../connect/endpoint.ts';
import type { CompareSettings } from '../options.ts';
import { KeySet, NODES_MAX } from '../key-set.ts';
import type { IgnoredKeys, PassState } from '../pass-state.ts';
import type { Node } from '../server-facts.ts';
import { SyncError } from '../../errors.ts';
import { BatchSocket } from './batch-socket.ts';
import { CommandBuffer, commandHead } from './command-buffer.ts';
import { encodeReads, readKeys } from './key-reader.ts';
import { PairBatch, type BatchKeys } from './pair-batch.ts';
import { ITEM, type ReplyBatch } from './reply-batch.ts';
import { FIRST_KEY, keysIn, scanCursor, scanKeys, selectDatabase, socketOptions } from './scan-keys.ts';

export interface ScanPassInput {
  sources: Node[];
  targets: Node[];
  state: PassState;
  onKeys: (keys: number) => void;
}

const BATCHES_IN_FLIGHT = 4;
const MEMORY_USAGE = commandHead(3, 'MEMORY', 'USAGE');

/** @throws SyncError CONNECT, PERMISSION, ABORTED. */
export async function runScanPass(input: ScanPassInput): Promise<void> {
  const { sources, targets, state } = input;
  if (sources.length > NODES_MAX || targets.length > NODES_MAX) {
    throw new SyncError('USAGE', `At most ${NODES_MAX} nodes of a side can be compared at once.`);
  }
  const seen = new KeySet(sum(sources));
  for (const [index, source] of sources.entries()) {
    for (const { database } of source.facts.keyspace) {
      await using pass = await ForwardPass.open(input, source, index, seen);
      await pass.run(database);
    }
  }
  for (const target of targets) {
    for (const { database } of target.facts.keyspace) await findExtraKeys(target, database, seen, state);
  }
  state.tableBytes = seen.bytes;
}

function sum(nodes: readonly Node[]): number {
  return nodes.flatMap((node) => node.facts.keyspace).reduce((total, row) => total + row.keys, 0);
}

/** One database of one source node against all target nodes. */
class ForwardPass implements AsyncDisposable {
  readonly #input: ScanPassInput;
  readonly #node: number;
  readonly #seen: KeySet;
  readonly #scan: BatchSocket;
  readonly #source: BatchSocket;
  readonly #targets: BatchSocket[];
  readonly #gate: boolean;
  readonly #absolute: { source: boolean; targets: boolean[] };
  readonly #pairs: PairBatch;
  readonly #out = new CommandBuffer();
  readonly #inFlight = new Set<Promise<void>>();
  #failure: unknown;

  private constructor(
    input: ScanPassInput,
    source: { node: Node; index: number },
    seen: KeySet,
    sockets: BatchSocket[],
  ) {
    const { settings } = input.state;
    const [scan, dump, ...targets] = sockets;
    if (scan === undefined || dump === undefined) throw new Error('two sockets to the source are needed');
    this.#input = input;
    this.#node = source.index;
    this.#seen = seen;
    this.#scan = scan;
    this.#source = dump;
    this.#targets = targets;
    this.#gate = source.node.facts.hasMemoryUsage;
    this.#absolute = {
      source: readsAbsolute(source.node, settings),
      targets: input.targets.map((node) => readsAbsolute(node, settings)),
    };
    this.#pairs = new PairBatch(input.state);
  }

  static async open(input: ScanPassInput, source: Node, index: number, seen: KeySet): Promise<ForwardPass> {
    const endpoints = [source.endpoint, source.endpoint, ...input.targets.map((node) => node.endpoint)];
    const sockets = await openAll(endpoints, input.state.settings);
    return new ForwardPass(input, { node: source, index }, seen, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#scan, this.#source, ...this.#targets].map((socket) => socket.close()));
  }

  async run(database: number): Promise<void> {
    for (const socket of [this.#scan, this.#source, ...this.#targets]) await selectDatabase(socket, database);
    const { settings, ignoredOnSource } = this.#input.state;
    let cursor = '0';
    let keys: BatchKeys | undefined;
    do {
      this.#out.command('SCAN', cursor, 'COUNT', settings.scanCount);
      const gated = this.#gate && keys !== undefined ? this.#askSizes(keys) : 0;
      const reply = await this.#send(1 + gated);
      cursor = scanCursor(reply, this.#scan);
      const found = this.#choose(reply, database, ignoredOnSource);
      if (keys !== undefined) await this.#dispatch(keys, reply, FIRST_KEY + keysIn(reply));
      keys = found;
    } while (cursor !== '0');
    if (keys.count > 0 && this.#gate) {
      const sizes = this.#askSizes(keys);
      const reply = await this.#send(sizes);
      await this.#dispatch(keys, reply, 0);
      this.#scan.release(reply);
    } else await this.#dispatch(keys, keys.scan, 0);
    await Promise.all(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #send(replies: number): Promise<ReplyBatch> {
    return this.#scan.send(this.#out.take(), replies);
  }

  #askSizes(keys: BatchKeys): number {
    for (let index = 0; index < keys.count; index++)
      this.#out.keyCommand(MEMORY_USAGE, keys.scan, keys.items[index]!);
    return keys.count;
  }

  /** The keys of a SCAN reply that are new and not ignored. */
  #choose(scan: ReplyBatch, database: number, ignored: IgnoredKeys): BatchKeys {
    const { state } = this.#input;
    const last = FIRST_KEY + keysIn(scan);
    const keys: BatchKeys = { database, scan, items: new Int32Array(last - FIRST_KEY), count: 0 };
    for (let item = FIRST_KEY; item < last; item++) {
      const start = scan.start[item]!;
      const end = scan.end[item]!;
      const added = this.#seen.add(database, scan.bytes, start, end, this.#node);
      if (added === 'again') continue;
      if (state.isIgnored(scan.bytes, start, end)) ignored.unread.add(database, scan.bytes, start, end);
      else if (added === 'added') keys.items[keys.count++] = item;
      else state.tally.unverifiedKey('the key is on more than one source node');
    }
    return keys;
  }

  /** Puts big values aside and sends the reads for the rest; waits only when enough batches are in flight. */
  async #dispatch(keys: BatchKeys, sizes: ReplyBatch, firstSize: number): Promise<void> {
    const { state } = this.#input;
    if (this.#gate) putBigAside(keys, sizes, firstSize, state);
    state.tally.keysRead += keys.count;
    this.#input.onKeys(keys.count);
    if (keys.count === 0) return this.#scan.release(keys.scan);
    await state.settings.pace?.(state.tally.keysRead);
    const work = this.#compare(keys).catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#inFlight.add(work);
    void work.finally(() => this.#inFlight.delete(work));
    if (this.#inFlight.size >= BATCHES_IN_FLIGHT) await Promise.race(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #compare(keys: BatchKeys): Promise<void> {
    const encoded = new Map<boolean, Buffer>();
    const reads = (absolute: boolean): Buffer => {
      const bytes = encoded.get(absolute) ?? encodeReads(this.#out, keys, absolute);
      encoded.set(absolute, bytes);
      return bytes;
    };
    const { source: absolute, targets } = this.#absolute;
    const [source, ...others] = await Promise.all([
      readKeys(this.#source, reads(absolute), keys.count, absolute),
      ...this.#targets.map((socket, index) => {
        const same = targets[index] === true;
        return readKeys(socket, reads(same), keys.count, same);
      }),
    ]);
    this.#pairs.compare(keys, source, others);
    this.#scan.release(keys.scan);
    this.#source.release(source.batch);
    others.forEach((side, index) => this.#targets[index]?.release(side.batch));
  }
}

/** Removes from `keys` those whose MEMORY USAGE, from item `firstSize` on, is above the limit. */
function putBigAside(keys: BatchKeys, sizes: ReplyBatch, firstSize: number, state: PassState): void {
  let kept = 0;
  for (let index = 0; index < keys.count; index++) {
    const item = keys.items[index]!;
    const known = sizes.kind[firstSize + index] === ITEM.INTEGER;
    if (known && sizes.number[firstSize + index]! > state.settings.bigValueBytes) {
      const { bytes, start, end } = keys.scan;
      state.bigKey(keys.database, bytes, start[item]!, end[item]!);
    } else keys.items[kept++] = item;
  }
  keys.count = kept;
}

function readsAbsolute(node: Node, settings: CompareSettings): boolean {
  return node.facts.hasExpireTime && !settings.relativeExpiry;
}

/** Scans one database of a target for keys that no source has. */
async function findExtraKeys(node: Node, database: number, seen: KeySet, state: PassState): Promise<void> {
  await scanKeys(node.endpoint, database, state.settings, (bytes, start, end) => {
    if (state.isIgnored(bytes, start, end)) state.ignoredOnTarget.unread.add(database, bytes, start, end);
    else if (!seen.has(database, bytes, start, end)) {
      state.suspect(database, bytes, start, end, { class: 'EXTRA_KEY', type: 'unknown' });
    }
  });
}

async function openAll(endpoints: readonly Endpoint[], settings: CompareSettings): Promise<BatchSocket[]> {
  const opened: BatchSocket[] = [];
  try {
    for (const endpoint of endpoints) opened.push(await BatchSocket.open(endpoint, socketOptions(settings)));
  } catch (error) {
    await Promise.all(opened.map((socket) => socket.close()));
    throw error;
  }
  return opened;
}
