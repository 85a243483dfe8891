/**
 * Tells the writes of others from our own in a target's replication stream. Pure.
 *
 * Ours are                                                 how they are recognised
 *   envelopes (of any link)                                the first command of the transaction is for a key of our own
 *   single commands for keys of our own, heartbeats        the key begins with our prefix
 *   everything between the first and the last command      HSET redis-sync:loading:<id> … until HSET redis-sync:link:<id>:
 *   of a full sync (RESTOREs are not in transactions),     nobody's writes can be told apart then. On a cluster both keys
 *   and on a cluster of other things of many slots         have the tag of a slot behind them (apply/cluster/own-turns.ts)
 * Nobody's are
 *   PING, SELECT, REPLCONF, messages, script loading, PFCOUNT (a cache)
 *   single deletions as many as the target says that keys expired or were evicted (INFO stats, at a known offset)
 *   on a cluster: deletions, and RESTORE-ASKINGs, in a slot that was not the shard's, or was on the move, when it was looked
 *   at before or after (MIGRATE; on a shard that has lost a slot, what it deletes of it), or has come in between: one that
 *   was away and is back brings the keys of our own that every slot has
 *   Valkey 9: writes to a slot that is not the shard's, from CLUSTER SYNCSLOTS ESTABLISH until FINISH (atomic migration)
 * Everything else is foreign.
 *
 * An envelope without effect leaves its checkpoint as a single HSET; Redis 7.0 drops the MULTI around it. A key that expires
 * inside an envelope is deleted there and counted by the target: as many foreign deletions of the same interval go unseen.
 */
import { OWN_KEY_PREFIX } from './options.ts';
import { clusterSlot } from '../keys/cluster-slot.ts';
import type { Outline } from '../resp/command-outline.ts';

export interface ForeignWrite {
  command: string;
  /** Empty for a command without a key. */
  key: Buffer;
  /** Undefined until the stream has named one. */
  database: number | undefined;
}

/** What the target counts, at an offset of its stream. */
export interface DeletionCounts {
  /** Changes with every start of the server process: the counts begin anew. */
  runId: string;
  offset: bigint;
  expiredKeys: number;
  evictedKeys: number;
  /** Fields of hashes (Redis 7.4, Valkey 9); undefined where the server has no such thing. */
  expiredFields: number | undefined;
  /** Of a shard of a cluster, by slot: 1 where it has the slot, and the slot is not on the move. */
  steady?: Uint8Array;
}

export interface ForeignWritesOptions {
  /** The heartbeats of links that start at this target are not data. */
  heartbeatPrefix: string;
  onForeign: (write: ForeignWrite) => void;
  /** Deletions that nothing of the target's own explains, but of which only the number is known. */
  onForeignDeletions: (count: number) => void;
}

/** What may have other reasons than somebody's command: a deletion, or on a cluster a key that arrives. */
interface Doubt {
  offset: bigint;
  slot: number;
}

interface NamedDoubt extends ForeignWrite, Doubt {
  /** No key that expires, and none that is evicted, leaves such a command behind. */
  isCommand: boolean;
}

const NEUTRAL: ReadonlySet<string> = new Set([
  'PING',
  'REPLCONF',
  'PUBLISH',
  'SPUBLISH',
  'SCRIPT',
  'PFCOUNT',
]);
const OWN = Buffer.from(OWN_KEY_PREFIX);
const LOADING = `${OWN_KEY_PREFIX}loading:`;
const LINK = `${OWN_KEY_PREFIX}link:`;
const ARRIVAL = 'RESTORE-ASKING';
/** Between two counts. Beyond it only the number is kept, and beyond the second one nothing can be said. */
const NAMED_MAX = 1000;
const UNNAMED_MAX = 1_000_000;

export class ForeignWrites {
  readonly #options: ForeignWritesOptions;
  readonly #heartbeatPrefix: Buffer;
  #database: number | undefined;
  /** Whose transaction we are in; undefined before its first command. */
  #transaction: { own: boolean | undefined } | undefined;
  /** Links that copy their snapshot at this moment, by their names without the tags of slots. */
  readonly #loading = new Set<string>();
  /** Those that no count covers yet, in the order of the stream. */
  #doubts: NamedDoubt[] = [];
  #unnamed: Doubt[] = [];
  /** Slots that have come, in the order of the stream. */
  #arrivals: Doubt[] = [];
  #counts: DeletionCounts | undefined;
  #isShard = false;
  /** Atomic migrations to this shard that go on. */
  #imports = 0;
  #reserve: { until: bigint; writes: ForeignWrite[] } | undefined;

  constructor(options: ForeignWritesOptions) {
    this.#options = options;
    this.#heartbeatPrefix = Buffer.from(options.heartbeatPrefix);
  }

  /** A link whose full sync runs when we begin to look. */
  loading(link: string): void {
    this.#loading.add(untagged(link));
  }

  /**
   * Which links copy a snapshot is known as of this offset only: of one that ends before, everything up to there may be the
   * link's. For after the first counts.
   */
  reserve(until: bigint): void {
    this.#reserve = { until, writes: [] };
  }

  /** @param offset the target's own, behind the command. */
  take({ words, argc }: Outline, offset: bigint): void {
    this.#release(offset);
    const command = (words[0] ?? OWN).toString('latin1').toUpperCase();
    switch (command) {
      case 'SELECT':
        this.#database = Number(words[1]?.toString('latin1'));
        return;
      case 'MULTI':
        this.#transaction = { own: undefined };
        return;
      case 'EXEC':
        this.#transaction = undefined;
        return;
      case 'CLUSTER':
        return this.#followImport(words[2]);
      default:
        if (NEUTRAL.has(command)) return;
    }
    const key = argc > 1 ? (words[1] ?? Buffer.alloc(0)) : Buffer.alloc(0);
    const isOwn = startsWith(key, OWN) || startsWith(key, this.#heartbeatPrefix);
    if (isOwn) this.#followFullSync(command, key, words[2]);
    if (isOwn && command === ARRIVAL) this.#arrive({ offset, slot: clusterSlot(key) });
    const transaction = this.#transaction;
    if (transaction) transaction.own ??= isOwn;
    if (isOwn || transaction?.own === true || this.#loading.size > 0) return;
    if (this.#imports > 0 && this.#counts?.steady?.[clusterSlot(key)] === 0) return;
    const write = { command, key: Buffer.from(key), database: this.#database };
    const isDoubtful = transaction === undefined && this.#isDoubtful(command, argc);
    if (isDoubtful) this.#keep({ ...write, offset, ...this.#particulars(command, argc, key) });
    else if (this.#reserve === undefined) this.#options.onForeign(write);
    else this.#reserve.writes.push(write);
  }

  /** Nobody whose they might be has come forward. @param offset up to which everything was taken. */
  #release(offset: bigint): void {
    const reserve = this.#reserve;
    if (reserve === undefined || offset <= reserve.until) return;
    this.#reserve = undefined;
    for (const write of reserve.writes) this.#options.onForeign(write);
  }

  #isDoubtful(command: string, argc: number): boolean {
    if (isDeletion(command, argc)) return true;
    return this.#isShard && (command === 'DEL' || command === 'UNLINK' || command === ARRIVAL);
  }

  #particulars(command: string, argc: number, key: Buffer): Pick<NamedDoubt, 'slot' | 'isCommand'> {
    return { slot: this.#isShard ? clusterSlot(key) : -1, isCommand: !isDeletion(command, argc) };
  }

  /**
   * What the target counted up to an offset that was taken already. The first counts, and those of another server process,
   * only say where to count from.
   */
  settle(counts: DeletionCounts): void {
    const before = this.#counts;
    // Older than what is settled already.
    if (before?.runId === counts.runId && counts.offset < before.offset) return;
    this.#counts = counts;
    this.#release(counts.offset + 1n);
    this.#isShard ||= counts.steady !== undefined;
    // A cluster has no other.
    if (this.#isShard) this.#database = 0;
    const named = this.#doubts.filter(({ offset }) => offset <= counts.offset);
    const others = this.#unnamed.filter(({ offset }) => offset <= counts.offset);
    this.#doubts = this.#doubts.slice(named.length);
    this.#unnamed = this.#unnamed.slice(others.length);
    const came = this.#arrivals.filter(({ offset }) => offset <= counts.offset);
    this.#arrivals = this.#arrivals.slice(came.length);
    if (before === undefined || before.runId !== counts.runId) return;
    const arrived = new Set(came.map(({ slot }) => slot));
    const isSettled = ({ slot }: Doubt): boolean => !arrived.has(slot) && isSteady(slot, before, counts);
    const covered = named.filter(isSettled);
    const unnamed = others.filter(isSettled).length;
    for (const { command, key, database } of covered.filter(({ isCommand }) => isCommand))
      this.#options.onForeign({ command, key, database });
    const fields = covered.filter(({ command }) => command === 'HDEL');
    const keys = covered.filter(({ command, isCommand }) => !isCommand && command !== 'HDEL');
    const expired = counts.expiredKeys - before.expiredKeys + counts.evictedKeys - before.evictedKeys;
    this.#judge(keys, unnamed, Math.max(0, expired));
    // One HDEL removes many fields: where any have expired, nobody can say which HDELs were theirs.
    if ((counts.expiredFields ?? 0) === (before.expiredFields ?? 0)) this.#judge(fields, 0, 0);
  }

  /** Bytes were missed, or the stream belongs to another server: what is not settled cannot be. */
  forget(): void {
    this.#database = undefined;
    this.#transaction = undefined;
    this.#reserve = undefined;
    this.#imports = 0;
    this.#forgetDoubts();
  }

  #forgetDoubts(): void {
    this.#doubts = [];
    this.#unnamed = [];
    this.#arrivals = [];
    this.#counts = undefined;
  }

  #judge(deletions: readonly NamedDoubt[], unnamed: number, explained: number): void {
    const { onForeign, onForeignDeletions } = this.#options;
    const foreign = deletions.length + unnamed - explained;
    if (foreign <= 0) return;
    if (explained > 0 || unnamed > 0) return onForeignDeletions(foreign);
    for (const { command, key, database } of deletions) onForeign({ command, key, database });
  }

  #keep(doubt: NamedDoubt): void {
    if (this.#doubts.length < NAMED_MAX) this.#doubts.push(doubt);
    else this.#unnamed.push({ offset: doubt.offset, slot: doubt.slot });
    if (this.#unnamed.length > UNNAMED_MAX) this.#forgetDoubts();
  }

  #followImport(what: Buffer | undefined): void {
    const word = what?.toString().toUpperCase();
    if (word === 'ESTABLISH') this.#imports++;
    if (word === 'FINISH') this.#imports = Math.max(0, this.#imports - 1);
  }

  /** Of the keys of one slot one is enough, and those of a slot come together. */
  #arrive(arrival: Doubt): void {
    if (this.#arrivals.at(-1)?.slot === arrival.slot) return;
    this.#arrivals.push(arrival);
    if (this.#arrivals.length > UNNAMED_MAX) this.#forgetDoubts();
  }

  #followFullSync(command: string, key: Buffer, field: Buffer | undefined): void {
    if (command !== 'HSET') return;
    const name = key.toString();
    const isEnd = field?.toString() === 'ends';
    if (name.startsWith(LINK)) this.#loading.delete(untagged(name.slice(LINK.length)));
    if (!name.startsWith(LOADING)) return;
    const link = untagged(name.slice(LOADING.length));
    if (!isEnd) this.#loading.add(link);
    else if (!this.#loading.delete(link) && this.#reserve !== undefined) {
      // It had begun before we did.
      this.#reserve.writes = [];
      this.#doubts = [];
      this.#unnamed = [];
    }
  }
}

/** `<id>:{tag of a slot}` → `<id>`. */
function untagged(name: string): string {
  return name.replace(/:\{[^{}]*\}$/, '');
}

/** Not of a slot that moves: whoever moves it deletes keys, and restores them. */
function isSteady(slot: number, before: DeletionCounts, now: DeletionCounts): boolean {
  return slot === -1 || (before.steady?.[slot] !== 0 && now.steady?.[slot] !== 0);
}

/** What a server says when a key, or a field of one, goes by itself. */
function isDeletion(command: string, argc: number): boolean {
  return ((command === 'DEL' || command === 'UNLINK') && argc === 2) || command === 'HDEL';
}

function startsWith(key: Buffer, prefix: Buffer): boolean {
  return prefix.length > 0 && key.length >= prefix.length && key.subarray(0, prefix.length).equals(prefix);
}
