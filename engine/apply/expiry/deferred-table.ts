/**
 * Keys (and hash fields) whose deadline on the target was deferred, in memory: found by name, and by how near they are.
 *
 *   by name       one text per key: "<database>:<bytes of key>[h]:" + key + field, a byte per character
 *   by deadline   buckets of about a second with the names in them
 */

/** What was deferred. */
export interface Deferred {
  database: number;
  key: Buffer;
  /** Undefined when it is the deadline of the key itself. */
  field: Buffer | undefined;
  /** What the source has set, ms since the epoch. */
  deadlineMs: number;
  /** End of the command in the stream: before that is applied, nothing may be concluded from what the target has. */
  offset: number;
}

/** Whether a deadline is to be given back, from when it is and where in the stream it was set. */
export type IsDue = (deadlineMs: number, offset: number) => boolean;

interface Entry {
  deadlineMs: number;
  offset: number;
}

const BUCKET_MS = 1024;
/** Of two hash tables, besides the name. */
const ENTRY_BYTES = 200;

export class DeferredTable {
  readonly #entries = new Map<string, Entry>();
  readonly #buckets = new Map<number, Set<string>>();
  #nameBytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** About what it holds in memory. */
  get bytes(): number {
    return this.#nameBytes + this.#entries.size * ENTRY_BYTES;
  }

  /** Replaces what was known of the same key. The bytes are copied. */
  add(deferred: Deferred): void {
    const { deadlineMs, offset } = deferred;
    const name = nameOf(deferred.database, deferred.key, deferred.field);
    this.#remove(name);
    this.#entries.set(name, { deadlineMs, offset });
    this.#nameBytes += name.length;
    const bucket = bucketOf(deadlineMs);
    const names = this.#buckets.get(bucket);
    if (names === undefined) this.#buckets.set(bucket, new Set([name]));
    else names.add(name);
  }

  /** The same, unless something newer is known of the key. */
  addOlder(deferred: Deferred): void {
    const known = this.#entries.get(nameOf(deferred.database, deferred.key, deferred.field));
    if (known === undefined || known.offset < deferred.offset) this.add(deferred);
  }

  has(database: number, key: Buffer, field?: Buffer): boolean {
    return this.#entries.size > 0 && this.#entries.has(nameOf(database, key, field));
  }

  get(database: number, key: Buffer, field?: Buffer): number | undefined {
    if (this.#entries.size === 0) return undefined;
    return this.#entries.get(nameOf(database, key, field))?.deadlineMs;
  }

  /** The key is gone: its own deadline need not be given back. Those of its fields are passed over when their time comes. */
  delete(database: number, key: Buffer): void {
    if (this.#entries.size > 0) this.#remove(nameOf(database, key, undefined));
  }

  clear(): void {
    this.#entries.clear();
    this.#buckets.clear();
    this.#nameBytes = 0;
  }

  /** There may be entries that `isDue` says yes to. */
  hasDue(isDue: IsDue): boolean {
    for (const bucket of this.#buckets.keys()) if (isBucketDue(bucket, isDue)) return true;
    return false;
  }

  /** Takes out up to `most` entries that `isDue` says yes to and that are applied. */
  take(most: number, applied: number, isDue: IsDue): Deferred[] {
    const taken: Deferred[] = [];
    for (const [bucket, names] of this.#buckets) {
      if (taken.length >= most) break;
      if (!isBucketDue(bucket, isDue)) continue;
      for (const name of names) {
        if (taken.length >= most) break;
        const entry = this.#entries.get(name);
        if (entry === undefined || entry.offset > applied || !isDue(entry.deadlineMs, entry.offset)) continue;
        this.#remove(name);
        taken.push({ ...parseName(name), ...entry });
      }
    }
    return taken;
  }

  #remove(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#nameBytes -= name.length;
    const bucket = bucketOf(entry.deadlineMs);
    const names = this.#buckets.get(bucket);
    names?.delete(name);
    if (names?.size === 0) this.#buckets.delete(bucket);
  }
}

/** Due are the nearest and the most distant deadlines, so a bucket with neither end due has none. */
function isBucketDue(bucket: number, isDue: IsDue): boolean {
  return isDue(bucket * BUCKET_MS, 0) || isDue((bucket + 1) * BUCKET_MS - 1, 0);
}

function bucketOf(deadlineMs: number): number {
  return Math.floor(deadlineMs / BUCKET_MS);
}

function nameOf(database: number, key: Buffer, field: Buffer | undefined): string {
  const name = key.toString('latin1');
  return field === undefined
    ? `${database}:${key.length}:${name}`
    : `${database}:${key.length}h:${name}${field.toString('latin1')}`;
}

function parseName(name: string): Pick<Deferred, 'database' | 'key' | 'field'> {
  const database = name.indexOf(':');
  const length = name.indexOf(':', database + 1);
  const start = length + 1;
  const end = start + Number.parseInt(name.slice(database + 1, length), 10);
  return {
    database: Number(name.slice(0, database)),
    key: Buffer.from(name.slice(start, end), 'latin1'),
    field: name[length - 1] === 'h' ? Buffer.from(name.slice(end), 'latin1') : undefined,
  };
}
