/**
 * The pending entries of one consumer group, 32 bytes each: a group of a million takes 32 MB instead of some 200. They are
 * stored in ascending order of their ids, which is how they are found again when the consumers name what they own.
 */
const ID_BYTES = 16;
const ROW_BYTES = 32;
const START_ROWS = 64;

export class PendingTable {
  #rows = Buffer.allocUnsafe(START_ROWS * ROW_BYTES);
  #count = 0;
  #claimed = 0;

  get size(): number {
    return this.#count;
  }

  /** Entries that `find` has not found yet. */
  get unclaimed(): number {
    return this.#count - this.#claimed;
  }

  clear(): void {
    this.#count = 0;
    this.#claimed = 0;
  }

  /** `id` is 16 bytes, big-endian; ids come in ascending order. False when this one does not. */
  add(id: Buffer, deliveryTimeMs: number, deliveryCount: number): boolean {
    const at = this.#count * ROW_BYTES;
    if (
      this.#count > 0 &&
      this.#rows.compare(id, 0, ID_BYTES, at - ROW_BYTES, at - ROW_BYTES + ID_BYTES) >= 0
    ) {
      return false;
    }
    if (at === this.#rows.length) {
      const grown = Buffer.allocUnsafe(this.#rows.length * 2);
      this.#rows.copy(grown);
      this.#rows = grown;
    }
    id.copy(this.#rows, at);
    this.#rows.writeDoubleLE(deliveryTimeMs, at + ID_BYTES);
    this.#rows.writeDoubleLE(deliveryCount, at + ID_BYTES + 8);
    this.#count++;
    return true;
  }

  /** When and how often the entry was delivered; undefined when it is not there. */
  find(id: Buffer): { deliveryTimeMs: number; deliveryCount: number } | undefined {
    let low = 0;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = middle * ROW_BYTES;
      const order = this.#rows.compare(id, 0, ID_BYTES, at, at + ID_BYTES);
      if (order === 0) {
        this.#claimed++;
        return {
          deliveryTimeMs: this.#rows.readDoubleLE(at + ID_BYTES),
          deliveryCount: this.#rows.readDoubleLE(at + ID_BYTES + 8),
        };
      }
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}
