/**
 * How far a copy is, seen from outside: the keys of both sides, and whether the target still changes. It shows when it is worth
 * comparing; whether the data is right it cannot show.
 */
import { keysOf, totalKeys, type ServerView } from './server-view.ts';

/** Keys come and go while a copy is made: this share of the source's counts as all. */
const COPIED_SHARE = 0.99;

export class DataWatch {
  readonly #source: ServerView;
  readonly #target: ServerView;
  readonly #now: () => number;
  #mark = '';
  #changedAtMs: number;
  #info = { source: empty(), target: empty() };

  /** @param now monotonic milliseconds. */
  constructor(source: ServerView, target: ServerView, now: () => number) {
    this.#source = source;
    this.#target = target;
    this.#now = now;
    this.#changedAtMs = now();
  }

  /** Looks at both sides, the source first. @throws SyncError CONNECT, AUTH, PERMISSION; then nothing is quiet. */
  async look(): Promise<void> {
    try {
      const source = await this.#source.info('keyspace');
      const target = await this.#target.info('keyspace', 'persistence', 'server');
      this.#info = { source, target };
      // Every write counts one up, a snapshot that was saved counts down.
      this.#notice(`${target['run_id']} ${target['rdb_changes_since_last_save']} ${totalKeys(target)}`);
    } catch (error) {
      this.#notice(`${this.#now()}`);
      throw error;
    }
  }

  get sourceKeys(): number {
    return totalKeys(this.#info.source);
  }

  get targetKeys(): number {
    return totalKeys(this.#info.target);
  }

  /** The target has about what the source has. */
  get isCopied(): boolean {
    return this.targetKeys >= this.sourceKeys * COPIED_SHARE;
  }

  /** For how long the target has not changed, ms. */
  get quietMs(): number {
    return this.#now() - this.#changedAtMs;
  }

  /** Keys without expiry are equal in number, database by database. */
  get hasEqualCounts(): boolean {
    return lasting(this.#info.source) === lasting(this.#info.target);
  }

  #notice(mark: string): void {
    if (mark === this.#mark) return;
    this.#mark = mark;
    this.#changedAtMs = this.#now();
  }
}

function empty(): Readonly<Record<string, string>> {
  return {};
}

function lasting(info: Readonly<Record<string, string>>): string {
  const counts = keysOf(info).map(({ database, keys, expires }) => [database, keys - expires] as const);
  return JSON.stringify(counts.filter(([, keys]) => keys > 0).toSorted(([a], [b]) => a - b));
}
