/**
 * Keeps the target from expiring a key by its own clock while the source may still have something to say about it.
 *
 * The source is the authority: it sends DEL when it expires a key, and before it touches one that is overdue. So a stream
 * applied to a target that never expires anything gives exactly what the source holds. A target that does expire loses what
 * the source renewed in time, when the renewal is still on its way: `PEXPIREAT` finds nothing, `INCR` begins at 0, `RENAME`
 * fails. This is what happens to keys during a long full sync, and to short-lived ones at any lag.
 *
 *   A        source time that is applied: everything the source wrote before A, by its own clock, is on the target
 *   near     D < now + guard, by the target's clock; while the link is behind or in full sync: D < now + grace
 *
 *   D set, near ──▶ written as D + grace, remembered ──┬─ DEL, SET, … came ──▶ forgotten
 *   D set, else ──▶ written as D                       ├─ A > D            ──▶ D given back: the key expires at once,
 *                                                      │                       as it did at the source, which only has not
 *                                                      │                       sent its DEL (it expires lazily)
 *                                                      └─ caught up, D not near any more, or settled ──▶ D given back
 *
 * Given back (settlement.ts) is only what still is exactly D + n × grace on the target, so nobody has to know which commands
 * change an expiry. n is 1, unless D is so long ago (a stream that is hours behind) that D + grace would be near itself.
 *
 * Why grace is finite (1 h): a target whose link never comes back gets rid of its keys by itself, that much later.
 *
 * Why only near deadlines: deferring all would need one record per key with an expiry, and a target that shows other
 * expiries than its source for as long as the link runs. What it costs: a key whose deadline was not near when it was
 * written is lost if the link stands still when the deadline comes, for that time is the target's own. `guard` is how long a
 * link may stand still before that can happen; how many keys the target has expired meanwhile is reported (EXPIRY_AT_RISK).
 * Keys that live for less than `guard` are never at risk, up to a standstill of `grace`.
 *
 * What is remembered is in memory, beyond a limit in a file. A crash loses it, but not the fact: the checkpoint says that
 * deadlines are deferred and by how much, in the same transaction as each of them (`graceMs`). The next life finds them again:
 * deadlines that are n × grace later than the source's own (recovery.ts). While nothing is near, nothing of this costs
 * anything. A link that is stopped in order leaves them late just so: keys that are renewed while it is stopped must still
 * be there when it starts again. Only the cutover (`settle`: the source is quiet and all of it is applied) gives every
 * deadline back; from then on the target goes by its own clock, and nothing is deferred any more.
 *
 * Clocks: D is a time of the source's clock; a target whose clock is ahead expires it earlier. Near is therefore judged by
 * the target's clock and A by the source's, so that during the link no skew does harm to near ones; far ones, and all after the
 * link, have only the target's clock: a skew of more than a second is reported (CLOCK_SKEW), and how many keys a target expired
 * whose clock was set ahead (EXPIRY_AT_RISK).
 *
 * A target in import mode (Valkey 8.1) expires nothing by itself: then every deadline is written as it is.
 */
import type { LinkFinding } from '../finding.ts';
import { DeferredSpool } from './deferred-spool.ts';
import { DeferredTable, type Deferred } from './deferred-table.ts';
import { LagGuard } from './lag-guard.ts';
import { MovedKeys } from './moved-keys.ts';
import type { Sample, SourceTimeline } from './source-timeline.ts';

/** In memory, unless said otherwise; what comes beyond goes to disk. */
const ENTRIES_MAX = 50_000;
const ENTRY_BYTES_MAX = 32 * 1024 * 1024;
/** Of them that must be left when some come back from disk. */
const REFILL_SHARE = 0.5;
/** What is given back because it is not near must not become near in the same second. */
const REARM_MARGIN_MS = 1000;
const SKEW_REPORTED_MS = 1000;
/** The process that writes a snapshot looks at the clock a moment after it was forked. */
const FORK_SECONDS = 5;

export interface ExpiryLimits {
  /** How much later a near deadline is written, ms. */
  graceMs: number;
  /** Deadlines closer than this are near while the link keeps up, ms. */
  guardMs: number;
  /** Deadlines remembered in memory; more go to disk. Default 50,000. */
  rememberedMax?: number | undefined;
}

export interface ExpiryKeeperOptions {
  limits: ExpiryLimits;
  /** Where deferred deadlines go that memory has no room for: the beginning of a file's path. */
  spoolPath: string;
  diskBytesMax: number;
  timeline: SourceTimeline;
  wallClock: () => number;
  /** The source's and the target's clock minus ours, ms; undefined while not known. */
  sourceOffsetMs: () => number | undefined;
  targetOffsetMs: () => number | undefined;
  /** Where the target has several clocks: the one that is furthest from the source's, which is told. Default: as above. */
  worstOffsetMs?: () => number | undefined;
  /** The target expires nothing by itself. */
  isImporting: () => boolean;
  onFinding: (finding: LinkFinding) => void;
}

export class ExpiryKeeper {
  readonly #options: ExpiryKeeperOptions;
  readonly #table = new DeferredTable();
  readonly #spool: DeferredSpool;
  readonly #moved = new MovedKeys();
  readonly #guard: LagGuard;
  #graceMs: number;
  readonly #entriesMax: number;
  /** Keys that had expired when the snapshot was taken, by the source's clock. */
  #deadBeforeMs = -Infinity;
  /** Taken out to be given back, and not answered yet. */
  #settling = 0;
  /** There are deferred deadlines on the target that nobody remembers: how often that was found out, and up to where searched. */
  #losses = 0;
  #searched = 0;
  #unsearched = 0;
  /** Some of them could not be found. */
  #unfound = false;
  #marked = false;
  #appliedAt: Sample | undefined;
  #applied = -1;
  #settled = false;
  #due = false;
  #reportedSkewMs = 0;

  constructor(options: ExpiryKeeperOptions) {
    this.#options = options;
    const { limits, spoolPath, diskBytesMax } = options;
    this.#graceMs = limits.graceMs;
    this.#entriesMax = limits.rememberedMax ?? ENTRIES_MAX;
    this.#guard = new LagGuard(limits.guardMs);
    this.#spool = new DeferredSpool({ path: spoolPath, diskBytesMax });
  }

  /** Deadlines on the target that are not the source's; while some have to be searched for, the keys not looked at yet. */
  get count(): number {
    return this.known + (this.hasUnknown ? Math.max(1, this.#unsearched) : 0);
  }

  /** Of them, those that are remembered. */
  get known(): number {
    return this.#table.size + this.#spool.size + this.#settling;
  }

  /** For the checkpoint: by how much deadlines on the target are later, 0 = none is; undefined when none ever was. */
  get mark(): number | undefined {
    const some = this.count > 0 || this.#unfound;
    if (some) this.#marked = true;
    if (!this.#marked) return undefined;
    return some ? this.#graceMs : 0;
  }

  /** The mark when so many of those that were taken out are given back. */
  markWithout(settled: number): number {
    return this.known > settled || this.hasUnknown || this.#unfound ? this.#graceMs : 0;
  }

  /** Multiples of this stand between a deferred deadline and its true one. */
  get graceMs(): number {
    return this.#graceMs;
  }

  /** Every deadline is written as it is: the target expires nothing by itself, or goes by its own clock. */
  get defersNothing(): boolean {
    return this.#settled || this.#options.isImporting();
  }

  /** The source has everything up to this distance of the target applied. */
  get caughtUp(): boolean {
    return this.#guard.caughtUp;
  }

  /** The target goes by its own clock. */
  get settled(): boolean {
    return this.#settled;
  }

  /** There are deferred deadlines that have to be found. */
  get hasUnknown(): boolean {
    return this.#losses > this.#searched;
  }

  /** The checkpoint that the link continues from says that deadlines are deferred. */
  inherit(graceMs: number): void {
    this.#graceMs = graceMs;
    this.#marked = true;
    this.#losses++;
  }

  /** Begins a search for what is unknown now; to be called when it is over: everything was found, or nobody can find it. */
  search(): () => void {
    const losses = this.#losses;
    return () => (this.#searched = losses);
  }

  /** The target was away: what is looked at now is not new. */
  fellBehind(): void {
    this.#guard.behind();
  }

  /** So many keys are still to be looked at. */
  searching(left: number): void {
    this.#unsearched = left;
  }

  /** Nobody can find them: the next start may try again. */
  giveUpSearch(): void {
    this.#searched = this.#losses;
    this.#unfound = true;
  }

  /** The target's account may not read or write deadlines: what is deferred stays so, until a start with that right. */
  async leaveLate(reason: string): Promise<void> {
    if (!this.#unfound) this.#options.onFinding(this.wordLate(reason));
    this.#unfound = true;
    await this.#forgetAll();
  }

  /** A snapshot comes, with every key anew: what was known of those on the target is void. */
  async beginSnapshot(): Promise<void> {
    this.#guard.behind();
    this.#applied = -1;
    this.#appliedAt = undefined;
    this.#searched = this.#losses;
    this.#unfound = false;
    this.#settled = false;
    await this.#forgetAll();
  }

  /** The snapshot was begun at this second of the source's clock; what had expired before is not brought back. */
  snapshotTaken(seconds: number): void {
    this.#deadBeforeMs = (seconds - FORK_SECONDS) * 1000;
  }

  snapshotDone(): void {
    this.#deadBeforeMs = -Infinity;
  }

  /**
   * The deadline to write for one that the source has set; the key's, or that of one of its fields. What is written later
   * than set is remembered. `offset`: the end of the command in the stream, 0 for the snapshot.
   */
  deadline(
    database: number,
    key: Buffer,
    field: Buffer | undefined,
    deadlineMs: number,
    offset: number,
  ): number {
    const written = this.place(deadlineMs);
    if (written === deadlineMs) {
      if (field === undefined) this.#table.delete(database, key);
      return deadlineMs;
    }
    this.remember({ database, key, field, deadlineMs, offset });
    return written;
  }

  /** Where this deadline would be written now. */
  place(deadlineMs: number): number {
    if (this.defersNothing || deadlineMs < this.#deadBeforeMs) return deadlineMs;
    const nowMs = this.targetNowMs();
    const grace = this.#graceMs;
    if (deadlineMs >= nowMs + this.#guard.horizonMs(grace)) return deadlineMs;
    const least = nowMs + grace / 2;
    return deadlineMs + grace * Math.max(1, Math.ceil((least - deadlineMs) / grace));
  }

  /** The target's clock. */
  targetNowMs(): number {
    return this.#options.wallClock() + (this.#options.targetOffsetMs() ?? 0);
  }

  /** What the source has set, ms since the epoch, when this key's deadline is later on the target; fields apart. */
  deferredDeadlineMs(database: number, key: Buffer): number | undefined {
    return this.#table.get(database, key);
  }

  /** A deferred deadline on the target. */
  remember(deferred: Deferred): void {
    const isKnown = this.#table.has(deferred.database, deferred.key, deferred.field);
    const hasRoom = this.#table.size < this.#entriesMax && this.#table.bytes < ENTRY_BYTES_MAX;
    if (isKnown || hasRoom) this.#table.add(deferred);
    else if (!this.#spool.write(deferred)) this.#losses++;
  }

  /** The same, unless something newer is known of this key. */
  rememberOlder(deferred: Deferred): void {
    if (!this.#table.has(deferred.database, deferred.key, deferred.field)) this.remember(deferred);
  }

  /** The key was deleted. */
  forget(database: number, key: Buffer): void {
    this.#table.delete(database, key);
  }

  /** RENAME, COPY, MOVE: the expiry went with the value. */
  moved(
    from: { database: number; key: Buffer },
    to: { database: number; key: Buffer },
    offset: number,
  ): void {
    const deadlineMs = this.#table.get(from.database, from.key);
    if (deadlineMs !== undefined) this.remember({ ...to, field: undefined, deadlineMs, offset });
    if (this.#spool.size === 0) return;
    if (!this.#moved.add(from, to)) this.#losses++;
  }

  /** Databases were exchanged, with what is remembered of them: it has to be found anew. */
  swapped(): void {
    if (this.count > 0) this.#losses++;
  }

  /** Everything on the target was deleted. */
  flushed(): void {
    this.#table.clear();
  }

  /** The cutover: everything is given back, and nothing is deferred any more until there is another snapshot. */
  settle(): void {
    this.#settled = true;
  }

  /** Bytes that arrived `agoMs` ago are looked at only now. */
  waited(agoMs: number): void {
    this.#guard.waited(agoMs);
  }

  /** Something may be given back now. As of the last `tick`. */
  get due(): boolean {
    return this.#due;
  }

  /** Looks at the clocks; everything up to offset `applied` is on the target. */
  tick(applied: bigint): void {
    const { timeline, wallClock, sourceOffsetMs } = this.#options;
    this.#applied = Number(applied);
    this.#appliedAt = timeline.timeAt(applied);
    const sourceNowMs = wallClock() + (sourceOffsetMs() ?? 0);
    this.#guard.measured(
      this.#appliedAt === undefined ? undefined : sourceNowMs - this.#appliedAt.sourceMs,
      wallClock(),
    );
    this.#reportSkew();
    const tells = this.#settled || this.#appliedAt !== undefined;
    const mayRefill = tells && this.#spool.size > 0 && this.#table.size < this.#entriesMax * REFILL_SHARE;
    this.#due = mayRefill || this.#table.hasDue((deadlineMs, offset) => this.#isDue(deadlineMs, offset));
  }

  /** Takes out up to `most` deadlines that are to be given back: to be answered by `givenBack` or `notGivenBack`. */
  async take(most: number): Promise<Deferred[]> {
    await this.#refill();
    const taken = this.#table.take(most, this.#applied, (deadlineMs, offset) =>
      this.#isDue(deadlineMs, offset),
    );
    this.#settling += taken.length;
    if (taken.length < most) this.#due = false;
    return taken;
  }

  /** These were given back, or are not on the target any more. */
  givenBack(deferred: readonly Deferred[]): void {
    this.#settling -= deferred.length;
  }

  /** The target did not answer: another time. */
  notGivenBack(deferred: readonly Deferred[]): void {
    this.#settling -= deferred.length;
    for (const each of deferred) this.rememberOlder(each);
    this.#due = false;
  }

  /** Removes the temporary file. */
  async close(): Promise<void> {
    await this.#spool.drop();
  }

  /** There are some that nobody gives back. `reason`: why not. */
  wordLate(reason: string): LinkFinding {
    return {
      code: 'EXPIRY_LATE',
      severity: 'warning',
      message: `${this.#describeLate()}, and could not be told the true time: ${reason}`,
      evidence: { keys: this.known, graceMs: this.#graceMs, reason },
    };
  }

  /** The link is stopped before the cutover. */
  wordDeferred(): LinkFinding {
    return {
      code: 'EXPIRY_LATE',
      severity: 'notice',
      message: `${this.#describeLate()}. The link goes on with them when it is started again; at the cutover, when nobody writes to the source any more, "redis-sync run --until synced" gives them their true time.`,
      evidence: { keys: this.known, graceMs: this.#graceMs },
    };
  }

  #describeLate(): string {
    const keys = this.known > 0 ? `Keys of the target (${this.known} now)` : 'Some keys of the target';
    const minutes = Math.round(this.#graceMs / 60_000);
    return `${keys} expire ${minutes} minutes later than at the source: they were near their end when they were written`;
  }

  /** `offset`: where it was set. One set behind the last known time of the source may be of a clock that was set back since. */
  #isDue(deadlineMs: number, offset: number): boolean {
    if (this.#settled) return true;
    const at = this.#appliedAt;
    if (at !== undefined && offset <= at.offset && deadlineMs < at.sourceMs) return true;
    if (!this.#guard.caughtUp) return false;
    return deadlineMs >= this.targetNowMs() + this.#guard.horizonMs(this.#graceMs) + REARM_MARGIN_MS;
  }

  async #refill(): Promise<void> {
    try {
      while (this.#spool.size > 0 && this.#table.size < this.#entriesMax * REFILL_SHARE) {
        for (const record of await this.#spool.read()) {
          this.#table.addOlder(record);
          for (const to of this.#moved.from(record)) this.#table.addOlder({ ...record, ...to });
        }
      }
      if (this.#spool.size === 0) this.#moved.clear();
    } catch {
      // What was in the file is lost, but it can be found on the target as after a crash.
      await this.#spool.drop();
      this.#losses++;
    }
  }

  async #forgetAll(): Promise<void> {
    this.#table.clear();
    this.#moved.clear();
    this.#due = false;
    await this.#spool.drop();
  }

  #reportSkew(): void {
    const source = this.#options.sourceOffsetMs();
    const target = (this.#options.worstOffsetMs ?? this.#options.targetOffsetMs)();
    if (source === undefined || target === undefined) return;
    const skewMs = Math.round(target - source);
    const isSmall = Math.abs(skewMs) <= SKEW_REPORTED_MS;
    if (!isSmall && Math.abs(skewMs - this.#reportedSkewMs) <= SKEW_REPORTED_MS) return;
    this.#reportedSkewMs = isSmall ? 0 : skewMs;
    if (isSmall) return;
    const seconds = Math.abs(skewMs / 1000).toFixed(1);
    const [how, what] =
      skewMs > 0
        ? ['ahead of', 'earlier, and until then those whose end was not near when they were written']
        : ['behind', 'later'];
    this.#options.onFinding({
      code: 'CLOCK_SKEW',
      severity: 'warning',
      message: `The target's clock is ${seconds} s ${how} the source's: from the cutover on its keys expire that much ${what}.`,
      evidence: { skewMs },
    });
  }
}
