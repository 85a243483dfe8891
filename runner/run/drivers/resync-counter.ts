/**
 * Tells full and partial resyncs of a native replica apart by the source's own counters (`sync_full`, `sync_partial_ok` of INFO
 * stats). They count every replica of the source: of several readers only the first copy is certain.
 */
import type { LinkReporter } from './link-reporter.ts';

interface Counters {
  full: number;
  partial: number;
}

export class ResyncCounter {
  readonly #reporter: LinkReporter;
  readonly #isOnlyReader: boolean;
  #last: Counters = { full: 0, partial: 0 };
  #total: Counters = { full: 0, partial: 0 };
  /** A full copy under way: when it began. */
  #copyingSinceMs: number | undefined;

  constructor(reporter: LinkReporter, { isOnlyReader }: { isOnlyReader: boolean }) {
    this.#reporter = reporter;
    this.#isOnlyReader = isOnlyReader;
  }

  /** What was counted before the link began does not count. */
  begin(source: Readonly<Record<string, string>>): void {
    this.#last = countersOf(source);
  }

  get counts(): { fullResyncs: number; partialResyncs: number } {
    return { fullResyncs: Math.max(0, this.#total.full - 1), partialResyncs: this.#total.partial };
  }

  /** @param keys on the target now. */
  observe(source: Readonly<Record<string, string>>, { isUp, keys }: { isUp: boolean; keys: number }): void {
    const now = countersOf(source);
    // A source that was restarted counts from 0.
    const base = now.full < this.#last.full || now.partial < this.#last.partial;
    const before = base ? { full: 0, partial: 0 } : this.#last;
    this.#last = now;
    const isCertain = this.#isOnlyReader || this.#total.full === 0;
    const full = isCertain ? now.full - before.full : 0;
    const partial = this.#isOnlyReader ? now.partial - before.partial : 0;
    for (let each = 0; each < full; each++) this.#onFull(source);
    for (let each = 0; each < partial; each++) this.#onPartial(source, isUp);
    if (isUp) this.#onUp(keys);
  }

  #onFull(source: Readonly<Record<string, string>>): void {
    this.#total.full++;
    this.#copyingSinceMs = performance.now();
    const cause = this.#total.full === 1 ? 'first copy' : 'sync_full of the source has grown';
    this.#reporter.syncStarted('full', source['master_replid'] ?? '', offsetOf(source), cause);
  }

  #onPartial(source: Readonly<Record<string, string>>, isUp: boolean): void {
    this.#total.partial++;
    const replid = source['master_replid'] ?? '';
    this.#reporter.syncStarted(
      'partial',
      replid,
      offsetOf(source),
      'sync_partial_ok of the source has grown',
    );
    if (isUp) this.#reporter.syncFinished('partial', { keys: 0, bytes: 0, durationMs: 0 });
  }

  #onUp(keys: number): void {
    if (this.#copyingSinceMs === undefined) return;
    const durationMs = performance.now() - this.#copyingSinceMs;
    this.#copyingSinceMs = undefined;
    this.#reporter.syncFinished('full', { keys, bytes: 0, durationMs });
  }
}

function countersOf(source: Readonly<Record<string, string>>): Counters {
  return { full: Number(source['sync_full'] ?? 0), partial: Number(source['sync_partial_ok'] ?? 0) };
}

function offsetOf(source: Readonly<Record<string, string>>): bigint {
  return BigInt(source['master_repl_offset'] ?? -1);
}
