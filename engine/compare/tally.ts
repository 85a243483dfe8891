/** What was counted while comparing: rows per database and type, differences by class, what could not be told. */
import type { DifferenceClass, TypeRow } from './difference.ts';
import { RDB_TYPES, rdbTypeName } from './rdb-types.ts';

export class Tally {
  readonly totals: Record<DifferenceClass, number> = {
    MISSING_KEY: 0,
    EXTRA_KEY: 0,
    TYPE_MISMATCH: 0,
    VALUE_MISMATCH: 0,
    TTL_MISMATCH: 0,
  };
  readonly unverified: Record<string, number> = {};
  /** Bytes of serialized source values. */
  bytes = 0;
  /** Keys read from the sources by the pass. */
  keysRead = 0;
  transient = 0;
  expiredInFlight = 0;
  notRechecked = 0;
  readonly #equalInPass = new Map<number, Float64Array>();
  readonly #rows = new Map<string, TypeRow>();

  /** Counters of equal keys of one database, indexed by RDB type byte: for the hot loop of a pass. */
  equalByType(database: number): Float64Array {
    const existing = this.#equalInPass.get(database);
    if (existing !== undefined) return existing;
    const created = new Float64Array(RDB_TYPES);
    this.#equalInPass.set(database, created);
    return created;
  }

  /** Keys of a database that the pass found equal. */
  equalKeys(database: number): number {
    return this.equalByType(database).reduce((sum, count) => sum + count, 0);
  }

  equal(database: number, type: string): void {
    const row = this.#row(database, type);
    row.compared++;
    row.equal++;
  }

  /** Takes back one key that was counted as equal. */
  notEqual(database: number, type: string): void {
    const row = this.#row(database, type);
    row.compared--;
    row.equal--;
  }

  /** One key with these classes; or `keys` keys of which `rows` are not in the rows yet. */
  different(database: number, type: string, classes: readonly DifferenceClass[], rows = 1, keys = 1): void {
    const row = this.#row(database, type);
    row.compared += rows;
    row.different += rows;
    for (const name of classes) this.totals[name] += keys;
  }

  unverifiedKey(reason: string, count = 1): void {
    this.unverified[reason] = (this.unverified[reason] ?? 0) + count;
  }

  /** Rows by database and type name, and the number of keys in them. */
  rows(): { types: TypeRow[]; keysCompared: number } {
    for (const [database, counts] of this.#equalInPass) {
      counts.forEach((count, type) => {
        if (count === 0) return;
        const row = this.#row(database, rdbTypeName(type));
        row.compared += count;
        row.equal += count;
      });
      counts.fill(0);
    }
    const filled = [...this.#rows.values()].filter((row) => row.compared > 0);
    const types = filled.toSorted((a, b) => a.database - b.database || (a.type < b.type ? -1 : 1));
    return { types, keysCompared: types.reduce((sum, row) => sum + row.compared, 0) };
  }

  #row(database: number, type: string): TypeRow {
    const name = `${database} ${type}`;
    const existing = this.#rows.get(name);
    if (existing !== undefined) return existing;
    const created: TypeRow = { database, type, compared: 0, equal: 0, different: 0 };
    this.#rows.set(name, created);
    return created;
  }
}
