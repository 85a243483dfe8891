/**
 * Reads every key of one database of one source node, on both sides, and compares.
 *
 *   source  SCAN ──▶ MEMORY USAGE ──┬▶ DUMP + PEXPIRETIME ──┐
 *                                   │                       ├──▶ PairBatch
 *   targets                         └▶ DUMP + PEXPIRETIME ──┘
 *
 * Values above `bigValueBytes` are never dumped (a DUMP of a million elements blocks a server for a third of a second)
 * but put aside to be read in pages. Several batches are in flight, so that both servers and this process work at once.
 */
import type { Endpoint } from '../../connect/endpoint.ts';
import type { KeySet } from '../key-set.ts';
import type { CompareSettings } from '../options.ts';
import type { PassState } from '../pass-state.ts';
import type { Node } from '../server-facts.ts';
import { BatchSocket } from './batch-socket.ts';
import { CommandBuffer, commandHead } from './command-buffer.ts';
import {
  encodeReads,
  readKeys,
  repliesPerKey,
  type BatchKeys,
  type Reads,
  type SideReplies,
} from './key-reader.ts';
import { PairBatch } from './pair-batch.ts';
import { ITEM, type ReplyBatch } from './reply-batch.ts';
import { FIRST_KEY, keysIn, scanCursor, selectDatabase, socketOptions } from './scan-keys.ts';

export interface ForwardPassInput {
  source: Node;
  /** Number of the source among the sources. */
  index: number;
  targets: readonly Node[];
  state: PassState;
  /** Keys seen so far; grows. */
  seen: KeySet;
  reads: Reads;
  signal: AbortSignal;
  onKeys: (keys: number) => void;
}

const BATCHES_IN_FLIGHT = 4;
/** Most bytes of memory that the values of one batch may have together: bounds what replies need here. */
const BATCH_BYTES_MAX = 2 * 1024 * 1024;
const MEMORY_USAGE = commandHead(3, 'MEMORY', 'USAGE');

interface Reader {
  socket: BatchSocket;
  /** PEXPIRETIME, not PTTL. */
  absolute: boolean;
}

export class ForwardPass implements AsyncDisposable {
  readonly #input: ForwardPassInput;
  readonly #scan: BatchSocket;
  readonly #source: Reader;
  readonly #targets: Reader[];
  /** Targets that have the database. */
  #present: Reader[] = [];
  readonly #gate: boolean;
  readonly #pairs: PairBatch;
  readonly #out = new CommandBuffer();
  readonly #inFlight = new Set<Promise<void>>();
  #failure: unknown;

  private constructor(input: ForwardPassInput, scan: BatchSocket, source: Reader, targets: Reader[]) {
    this.#input = input;
    this.#scan = scan;
    this.#source = source;
    this.#targets = targets;
    const limited = Number.isFinite(input.state.settings.bigValueBytes);
    this.#gate = input.source.facts.hasMemoryUsage && input.reads !== 'expiry' && limited;
    this.#pairs = new PairBatch(input.state);
  }

  /** @throws SyncError CONNECT, AUTH. */
  static async open(input: ForwardPassInput): Promise<ForwardPass> {
    const settings = { ...input.state.settings, signal: input.signal };
    const nodes = [input.source, input.source, ...input.targets];
    const sockets = await openAll(
      nodes.map((node) => node.endpoint),
      settings,
    );
    const [scan, source, ...targets] = sockets.map((socket, index) => ({
      socket,
      absolute: nodes[index]?.facts.hasExpireTime === true && !settings.relativeExpiry,
    }));
    if (scan === undefined || source === undefined) throw new Error('two sockets to the source are needed');
    return new ForwardPass(input, scan.socket, source, targets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sockets = [this.#scan, this.#source.socket, ...this.#targets.map(({ socket }) => socket)];
    await Promise.all(sockets.map((socket) => socket.close()));
  }

  /** @throws SyncError CONNECT, PERMISSION, ABORTED. */
  async run(database: number): Promise<void> {
    await this.#select(database);
    const { settings } = this.#input.state;
    let cursor = '0';
    let keys: BatchKeys | undefined;
    do {
      this.#out.command('SCAN', cursor, 'COUNT', settings.scanCount);
      const gated = this.#gate && keys !== undefined ? this.#askSizes(keys) : 0;
      const reply = await this.#scan.send(this.#out.take(), 1 + gated);
      cursor = scanCursor(reply, this.#scan);
      const found = this.#choose(reply, database);
      if (keys !== undefined) await this.#dispatch(keys, reply, FIRST_KEY + keysIn(reply));
      keys = found;
    } while (cursor !== '0');
    await this.#dispatchLast(keys);
    await Promise.all(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #select(database: number): Promise<void> {
    await selectDatabase(this.#scan, database);
    await selectDatabase(this.#source.socket, database);
    this.#present = [];
    for (const target of this.#targets) {
      if (await selectDatabase(target.socket, database)) this.#present.push(target);
    }
  }

  #askSizes(keys: BatchKeys): number {
    for (let index = 0; index < keys.count; index++) {
      this.#out.keyCommand(MEMORY_USAGE, keys.scan, keys.items[index]!);
    }
    return keys.count;
  }

  /** The keys of a SCAN reply that are new and not ignored. */
  #choose(scan: ReplyBatch, database: number): BatchKeys {
    const { state, seen, index, reads } = this.#input;
    const last = FIRST_KEY + keysIn(scan);
    const keys: BatchKeys = { database, scan, items: new Int32Array(last - FIRST_KEY), count: 0 };
    for (let item = FIRST_KEY; item < last; item++) {
      const start = scan.start[item]!;
      const end = scan.end[item]!;
      const added = seen.add(database, scan.bytes, start, end, index);
      if (added === 'again') continue;
      if (state.isIgnored(scan.bytes, start, end)) {
        if (reads !== 'expiry') state.ignoredOnSource.unread.add(database, scan.bytes, start, end);
      } else if (added === 'added') keys.items[keys.count++] = item;
      else if (reads !== 'expiry') state.tally.unverifiedKey('the key is on more than one source node');
    }
    return keys;
  }

  async #dispatchLast(keys: BatchKeys): Promise<void> {
    if (!this.#gate || keys.count === 0) return this.#dispatch(keys, keys.scan, 0);
    const count = this.#askSizes(keys);
    const sizes = await this.#scan.send(this.#out.take(), count);
    await this.#dispatch(keys, sizes, 0);
    this.#scan.release(sizes);
  }

  /** Puts big values aside and sends the reads for the rest; waits only when enough batches are in flight. */
  async #dispatch(keys: BatchKeys, sizes: ReplyBatch, firstSize: number): Promise<void> {
    const { state, reads, onKeys } = this.#input;
    if (reads !== 'expiry') state.tally.keysRead += keys.count;
    onKeys(keys.count);
    const parts = this.#gate ? splitBySize(keys, sizes, firstSize, state) : [keys];
    await state.settings.pace?.(state.tally.keysRead);
    const use = { left: parts.length };
    for (const part of parts) await this.#start(part, use);
  }

  async #start(keys: BatchKeys, use: { left: number }): Promise<void> {
    const work = this.#compare(keys)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#inFlight.delete(work);
        if (--use.left === 0) this.#scan.release(keys.scan);
      });
    this.#inFlight.add(work);
    if (this.#inFlight.size >= BATCHES_IN_FLIGHT) await Promise.race(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #compare(keys: BatchKeys): Promise<void> {
    if (keys.count === 0) return;
    const { reads } = this.#input;
    const encoded = new Map<boolean, Buffer>();
    const replies = { count: keys.count, perKey: repliesPerKey(reads) };
    const ask = ({ socket, absolute }: Reader): ReturnType<typeof readKeys> => {
      const known = encoded.get(absolute) ?? encodeReads(this.#out, keys, reads, absolute);
      encoded.set(absolute, known);
      return readKeys(socket, known, replies, absolute);
    };
    const present = this.#present;
    const [source, ...targets] = await Promise.all([ask(this.#source), ...present.map(ask)]);
    refuseIfDenied(this.#source.socket, source);
    targets.forEach((side, index) => refuseIfDenied(present[index]?.socket, side));
    this.#pairs.compare(keys, reads, source, targets);
    this.#source.socket.release(source.batch);
    targets.forEach((side, index) => present[index]?.socket.release(side.batch));
  }
}

/** A node that refuses a command refuses it for every key: there is no point in going on. */
function refuseIfDenied(socket: BatchSocket | undefined, { batch, first }: SideReplies): void {
  if (batch.kind[first] !== ITEM.ERROR || !DENIED.test(batch.text(first))) return;
  if (socket !== undefined) throw socket.refused(batch, first, 'DUMP');
}

const DENIED = /^(NOPERM|NOAUTH|LOADING|MASTERDOWN|ERR unknown command)/;

/**
 * Puts aside the keys whose MEMORY USAGE, from item `firstSize` on, is above the limit, and cuts the rest where a part
 * gets too large. At least one part.
 */
function splitBySize(keys: BatchKeys, sizes: ReplyBatch, firstSize: number, state: PassState): BatchKeys[] {
  const { items, scan, database } = keys;
  const parts: BatchKeys[] = [];
  let kept = 0;
  let first = 0;
  let bytes = 0;
  for (let index = 0; index < keys.count; index++) {
    const item = items[index]!;
    const reply = firstSize + index;
    const size = sizes.kind[reply] === ITEM.INTEGER ? sizes.number[reply]! : 0;
    if (size > state.settings.bigValueBytes) {
      state.bigKey(database, scan.bytes, scan.start[item]!, scan.end[item]!);
      continue;
    }
    if (bytes + size > BATCH_BYTES_MAX && kept > first) {
      parts.push({ database, scan, items: items.subarray(first, kept), count: kept - first });
      first = kept;
      bytes = 0;
    }
    items[kept++] = item;
    bytes += size;
  }
  parts.push({ database, scan, items: items.subarray(first, kept), count: kept - first });
  return parts;
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
