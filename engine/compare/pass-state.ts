/** What a pass over all keys leaves behind, whichever method made it: counters, and the keys to read again. */
import type { DifferenceClass } from './difference.ts';
import { KeyList } from './key-list.ts';
import { hasPrefix, type CompareSettings } from './options.ts';
import { Tally } from './tally.ts';
import { UnlistedDifferences } from './unlisted.ts';

/** Keys of one side that are left out by prefix, per database. */
export class IgnoredKeys {
  /** Keys whose expiry is not known yet. */
  readonly unread: KeyList;
  readonly #counts = new Map<number, { keys: number; expires: number }>();

  constructor(bytesMax: number) {
    this.unread = new KeyList(bytesMax);
  }

  count(database: number, keys: number, expires: number): void {
    const row = this.#counts.get(database) ?? { keys: 0, expires: 0 };
    row.keys += keys;
    row.expires += expires;
    this.#counts.set(database, row);
  }

  of(database: number): { keys: number; expires: number } {
    return this.#counts.get(database) ?? { keys: 0, expires: 0 };
  }

  get total(): number {
    let total = 0;
    for (const row of this.#counts.values()) total += row.keys;
    return total;
  }
}

/** Tags of listed keys. */
export const LOOKED_DIFFERENT = 1;
export const COUNTED_EQUAL = 2;

const IGNORED_LIST_BYTES = 4 * 1024 * 1024;

export class PassState {
  readonly settings: CompareSettings;
  readonly tally = new Tally();
  /** Keys that looked different. */
  readonly suspects: KeyList;
  /** Differences beyond what can be kept for another look. */
  readonly unlisted = new UnlistedDifferences();
  /** Keys whose value is read in pages; nothing is known about them yet. */
  readonly big: KeyList;
  readonly ignoredOnSource = new IgnoredKeys(IGNORED_LIST_BYTES);
  readonly ignoredOnTarget = new IgnoredKeys(IGNORED_LIST_BYTES);
  /** Of the table of keys. */
  tableBytes = 0;

  constructor(settings: CompareSettings) {
    this.settings = settings;
    this.suspects = new KeyList(settings.suspectBytes);
    this.big = new KeyList(settings.suspectBytes);
  }

  isIgnored(bytes: Uint8Array, start: number, end: number): boolean {
    return hasPrefix(this.settings.ignorePrefixes, bytes, start, end);
  }

  /**
   * A key that looks different by `seen`. Kept for another look; counted as it is when there is no room. `counted`: the
   * pass has counted it as equal before.
   */
  suspect(
    database: number,
    key: Uint8Array,
    start: number,
    end: number,
    seen: { class: DifferenceClass; type: string; counted?: boolean },
  ): void {
    const tag = LOOKED_DIFFERENT | (seen.counted === true ? COUNTED_EQUAL : 0);
    if (this.suspects.add(database, key, start, end, tag)) return;
    this.unlisted.add(database, seen.type, [seen.class], seen.counted === true);
  }

  bigKey(database: number, key: Uint8Array, start: number, end: number): void {
    if (!this.big.add(database, key, start, end))
      this.tally.unverifiedKey('too many values above the size limit');
  }
}
