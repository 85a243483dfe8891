/** Where values went (RENAME, COPY, MOVE) whose deferred deadlines are on disk, under the name they had then. Bounded. */

interface Place {
  database: number;
  key: Buffer;
}

const MOVES_MAX = 10_000;

export class MovedKeys {
  readonly #moves = new Map<string, Place[]>();
  #count = 0;

  /** False when there are too many. */
  add(from: Place, to: Place): boolean {
    if (this.#count >= MOVES_MAX) return false;
    const name = nameOf(from);
    const places = this.#moves.get(name) ?? [];
    this.#moves.set(name, places);
    places.push({ database: to.database, key: Buffer.from(to.key) });
    this.#count++;
    return true;
  }

  /** Every place the value may have come to, in however many steps. */
  from(place: Place): Place[] {
    if (this.#count === 0) return [];
    const found = new Map<string, Place>();
    const open = [place];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const next of this.#moves.get(nameOf(at)) ?? []) {
        const name = nameOf(next);
        if (found.has(name)) continue;
        found.set(name, next);
        open.push(next);
      }
    }
    return [...found.values()];
  }

  clear(): void {
    this.#moves.clear();
    this.#count = 0;
  }
}

function nameOf({ database, key }: Place): string {
  return `${database}:${key.toString('latin1')}`;
}
