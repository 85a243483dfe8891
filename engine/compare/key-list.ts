/**
 * Keys to be looked at again, in the order they were found: one arena of bytes, no object per key. About 13 bytes plus
 * the key each. Bounded: what does not fit is counted by the caller from its first read.
 */
const CHUNK_BYTES = 1024 * 1024;
const HEADER_BYTES = 13;

export interface ListedKey {
  database: number;
  key: Buffer;
  /** Free for the list's owner. */
  tag: number;
  /** State of the source when the key was listed: equal numbers, equal state. 0 = not known. */
  fingerprint: number;
}

export class KeyList {
  size = 0;
  readonly #bytesMax: number;
  readonly #chunks: Buffer[] = [];
  #used = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False when the list is full; the key was not added. */
  add(database: number, key: Uint8Array, start: number, end: number, tag = 0, fingerprint = 0): boolean {
    const size = HEADER_BYTES + end - start;
    if (this.#bytes + size > this.#bytesMax) return false;
    const chunk = this.#room(size);
    let at = this.#used;
    chunk.writeUInt32LE(end - start, at);
    chunk.writeUInt32LE(database, at + 4);
    chunk[at + 8] = tag;
    chunk.writeInt32LE(fingerprint, at + 9);
    at += HEADER_BYTES;
    for (let index = start; index < end; index++) chunk[at++] = key[index]!;
    this.#used = at;
    this.#bytes += size;
    this.size++;
    return true;
  }

  /** The keys in order, in groups of one database and at most `limit` keys. */
  *groups(limit: number): Generator<ListedKey[]> {
    let group: ListedKey[] = [];
    for (const listed of this.#keys()) {
      if (group.length === limit || (group.length > 0 && group[0]?.database !== listed.database)) {
        yield group;
        group = [];
      }
      group.push(listed);
    }
    if (group.length > 0) yield group;
  }

  *#keys(): Generator<ListedKey> {
    for (const [index, chunk] of this.#chunks.entries()) {
      const stop = index === this.#chunks.length - 1 ? this.#used : chunk.length;
      let at = 0;
      // A chunk's unused end is zeroed in its first header byte range: `none` marks it.
      while (at + HEADER_BYTES <= stop) {
        const length = chunk.readUInt32LE(at);
        if (length === NONE) break;
        const from = at + HEADER_BYTES;
        yield {
          database: chunk.readUInt32LE(at + 4),
          key: chunk.subarray(from, from + length),
          tag: chunk[at + 8] ?? 0,
          fingerprint: chunk.readInt32LE(at + 9),
        };
        at = from + length;
      }
    }
  }

  #room(size: number): Buffer {
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#used + size <= last.length) return last;
    if (last !== undefined && this.#used + 4 <= last.length) last.writeUInt32LE(NONE, this.#used);
    const chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, size));
    this.#chunks.push(chunk);
    this.#used = 0;
    return chunk;
  }
}

const NONE = 0xffffffff;
