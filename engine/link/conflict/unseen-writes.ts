/** Writes of one side's clients that are on their way over one link: by key, in the order of their offsets, bounded. */
import type { LocalWrite } from './conflict-side.ts';

export class UnseenWrites {
  /** By `database:key`. */
  readonly #writes = new Map<string, LocalWrite>();
  readonly #max: number;
  constructor(max: number) {
    this.#max = max;
  }

  /** The next one pushes the oldest out. */
  get isFull(): boolean {
    return this.#writes.size >= this.#max;
  }

  has(id: string): boolean {
    return this.#writes.has(id);
  }

  get(id: string): LocalWrite | undefined {
    return this.#writes.get(id);
  }

  clear(): void {
    this.#writes.clear();
  }

  /** @returns it with what was on its way to the same key already. */
  add(id: string, write: LocalWrite): LocalWrite {
    const before = this.#writes.get(id);
    const merged = before === undefined ? write : merge(before, write);
    this.#writes.delete(id);
    this.#writes.set(id, merged);
    if (this.#writes.size > this.#max) forgetOldest(this.#writes);
    return merged;
  }

  /** Those that have arrived. */
  takeUpTo(offset: bigint): [string, LocalWrite][] {
    const taken: [string, LocalWrite][] = [];
    for (const entry of this.#writes) {
      if (entry[1].offset > offset) break;
      taken.push(entry);
    }
    for (const [id] of taken) this.#writes.delete(id);
    return taken;
  }
}

/** Both are on their way: what the one commutes with, and what depends on it, the other one may not. */
export function merge(before: LocalWrite, write: LocalWrite): LocalWrite {
  const kind = before.kind === write.kind ? write.kind : 'write';
  const others = before.others && write.others ? [...before.others, ...write.others] : undefined;
  return { ...write, kind, others: others ?? before.others ?? write.others };
}

export function forgetOldest(writes: Map<string, LocalWrite>): void {
  const [oldest] = writes.keys();
  if (oldest !== undefined) writes.delete(oldest);
}
