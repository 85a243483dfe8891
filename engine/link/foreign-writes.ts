/**
 * Tells the writes of others from our own in a target's replication stream. Pure.
 *
 * Ours are                                                 how they are recognised
 *   envelopes (of any link)                                the first command of the transaction is for a key of our own
 *   single commands for keys of our own, heartbeats        the key begins with our prefix
 *   everything between the first and the last command      HSET redis-sync:loading:<id> … until HSET redis-sync:link:<id>:
 *   of a full sync (RESTOREs are not in transactions)      nobody's writes can be told apart then
 * Nobody's are
 *   PING, SELECT, REPLCONF, messages, script loading, PFCOUNT (a cache)
 *   single deletions as many as the target says that keys expired or were evicted (INFO stats, at a known offset)
 * Everything else is foreign.
 *
 * An envelope without effect leaves its checkpoint as a single HSET; Redis 7.0 drops the MULTI around it. A key that expires
 * inside an envelope is deleted there and counted by the target: as many foreign deletions of the same interval go unseen.
 */
import { OWN_KEY_PREFIX } from './options.ts';
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
}

export interface ForeignWritesOptions {
  /** The heartbeats of links that start at this target are not data. */
  heartbeatPrefix: string;
  onForeign: (write: ForeignWrite) => void;
  /** Deletions that nothing of the target's own explains, but of which only the number is known. */
  onForeignDeletions: (count: number) => void;
}

interface Deletion extends ForeignWrite {
  offset: bigint;
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
/** Between two counts. Beyond it only the number is kept, and beyond the second one nothing can be said. */
const DELETIONS_NAMED_MAX = 1000;
const DELETIONS_MAX = 1_000_000;

export class ForeignWrites {
  readonly #options: ForeignWritesOptions;
  readonly #heartbeatPrefix: Buffer;
  #database: number | undefined;
  /** Whose transaction we are in; undefined before its first command. */
  #transaction: { own: boolean | undefined } | undefined;
  /** Links that copy their snapshot at this moment. */
  readonly #loading = new Set<string>();
  /** Single deletions that no count covers yet, in the order of the stream. */
  #deletions: Deletion[] = [];
  #unnamedDeletions: bigint[] = [];
  #counts: DeletionCounts | undefined;

  constructor(options: ForeignWritesOptions) {
    this.#options = options;
    this.#heartbeatPrefix = Buffer.from(options.heartbeatPrefix);
  }

  /** A link whose full sync runs when we begin to look. */
  loading(link: string): void {
    this.#loading.add(link);
  }

  /** @param offset the target's own, behind the command. */
  take({ words, argc }: Outline, offset: bigint): void {
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
      default:
        if (NEUTRAL.has(command)) return;
    }
    const key = argc > 1 ? (words[1] ?? Buffer.alloc(0)) : Buffer.alloc(0);
    const isOwn = startsWith(key, OWN) || startsWith(key, this.#heartbeatPrefix);
    if (isOwn) this.#followFullSync(command, key);
    const transaction = this.#transaction;
    if (transaction) transaction.own ??= isOwn;
    if (isOwn || transaction?.own === true || this.#loading.size > 0) return;
    const write = { command, key: Buffer.from(key), database: this.#database };
    const isLonely = transaction === undefined && isDeletion(command, argc);
    if (isLonely) this.#keepDeletion({ ...write, offset });
    else this.#options.onForeign(write);
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
    const covered = this.#deletions.filter(({ offset }) => offset <= counts.offset);
    const unnamed = this.#unnamedDeletions.filter((offset) => offset <= counts.offset).length;
    this.#deletions = this.#deletions.slice(covered.length);
    this.#unnamedDeletions = this.#unnamedDeletions.slice(unnamed);
    if (before === undefined || before.runId !== counts.runId) return;
    const fields = covered.filter(({ command }) => command === 'HDEL');
    const keys = covered.filter(({ command }) => command !== 'HDEL');
    const expired = counts.expiredKeys - before.expiredKeys + counts.evictedKeys - before.evictedKeys;
    this.#judge(keys, unnamed, Math.max(0, expired));
    // One HDEL removes many fields: where any have expired, nobody can say which HDELs were theirs.
    if ((counts.expiredFields ?? 0) === (before.expiredFields ?? 0)) this.#judge(fields, 0, 0);
  }

  /** Bytes were missed, or the stream belongs to another server: what is not settled cannot be. */
  forget(): void {
    this.#database = undefined;
    this.#transaction = undefined;
    this.#forgetDeletions();
  }

  #forgetDeletions(): void {
    this.#deletions = [];
    this.#unnamedDeletions = [];
    this.#counts = undefined;
  }

  #judge(deletions: readonly Deletion[], unnamed: number, explained: number): void {
    const { onForeign, onForeignDeletions } = this.#options;
    const foreign = deletions.length + unnamed - explained;
    if (foreign <= 0) return;
    if (explained > 0 || unnamed > 0) return onForeignDeletions(foreign);
    for (const { command, key, database } of deletions) onForeign({ command, key, database });
  }

  #keepDeletion(deletion: Deletion): void {
    if (this.#deletions.length < DELETIONS_NAMED_MAX) this.#deletions.push(deletion);
    else this.#unnamedDeletions.push(deletion.offset);
    if (this.#unnamedDeletions.length > DELETIONS_MAX) this.#forgetDeletions();
  }

  #followFullSync(command: string, key: Buffer): void {
    if (command !== 'HSET') return;
    const name = key.toString();
    if (name.startsWith(LOADING)) this.#loading.add(name.slice(LOADING.length));
    else if (name.startsWith(LINK)) this.#loading.delete(name.slice(LINK.length));
  }
}

/** What a server says when a key, or a field of one, goes by itself. */
function isDeletion(command: string, argc: number): boolean {
  return ((command === 'DEL' || command === 'UNLINK') && argc === 2) || command === 'HDEL';
}

function startsWith(key: Buffer, prefix: Buffer): boolean {
  return prefix.length > 0 && key.length >= prefix.length && key.subarray(0, prefix.length).equals(prefix);
}
