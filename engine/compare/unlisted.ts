/**
 * Differences seen once and not kept for another look, because there are too many. What becomes of them is decided by
 * those that were looked at again: when these stayed, so did the rest; when some of these went away, nothing is known.
 */
import type { DifferenceClass } from './difference.ts';
import type { Tally } from './tally.ts';

/** Of the keys read again, this share may have gone away without casting doubt on the others. */
const SETTLED_SHARE_MAX = 0.01;
const DOUBT = 'more keys differed than can be read again, and some of those read again were equal then';

interface Row {
  database: number;
  type: string;
  classes: readonly DifferenceClass[];
  /** Counted as equal by an earlier pass. */
  counted: boolean;
  keys: number;
}

export class UnlistedDifferences {
  readonly #rows = new Map<string, Row>();

  add(database: number, type: string, classes: readonly DifferenceClass[], counted: boolean): void {
    const name = `${database} ${type} ${classes.join()} ${counted}`;
    const row = this.#rows.get(name);
    if (row === undefined) this.#rows.set(name, { database, type, classes, counted, keys: 1 });
    else row.keys++;
  }

  /** Counts them, as differences or as unverified. `again`: keys read again, and how many of these did not differ then. */
  settle(tally: Tally, again: { keys: number; settled: number }): void {
    const doubtful = again.settled > again.keys * SETTLED_SHARE_MAX;
    for (const { database, type, classes, counted, keys } of this.#rows.values()) {
      if (doubtful) tally.unverifiedKey(DOUBT, keys);
      else {
        // The type of a key that was counted as equal is not known here: only the totals can tell of it.
        tally.different(database, type, classes, counted ? 0 : keys, keys);
        tally.notRechecked += keys;
      }
    }
    this.#rows.clear();
  }
}
