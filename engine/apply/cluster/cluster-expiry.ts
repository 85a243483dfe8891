/**
 * Deadlines on a cluster: those that are near are kept away from it as from one server (../expiry/expiry-keeper.ts). What is
 * different here: every shard has a clock of its own, a deadline is given back on the shard that has its slot, and the mark
 * that some are deferred stands in the link's own record, which is written before the first of them.
 *
 * Between two rounds, when nothing is on its way:
 *
 *   each shard   PEXPIRETIME of its keys     is it still D + n × grace, but for what a move has added?
 *                PEXPIREAT key D             may be repeated: what was given back is not D + n × grace any more
 *
 * A key whose slot has left the source shard is another link's: the slot healer compares its deadline too. A round that has
 * to wait for a shard is not looked at again: what becomes near meanwhile is the shard's.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readTopology } from '../../connect/cluster-topology.ts';
import type { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import { asError, SyncError } from '../../errors.ts';
import type { ExpiryOptions } from '../../link/options.ts';
import { ReplyError } from '../../resp/reply.ts';
import type { Deferred } from '../expiry/deferred-table.ts';
import { ExpiryKeeper } from '../expiry/expiry-keeper.ts';
import { ExpiryRecovery } from '../expiry/recovery.ts';
import {
  answer,
  isLater,
  question,
  tellsTimes,
  timeOf,
  TOLERANCE_MS,
  writtenAt,
} from '../expiry/settlement.ts';
import type { SourceTimeline } from '../expiry/source-timeline.ts';
import { TargetClock } from '../expiry/target-clock.ts';
import type { LinkFinding } from '../finding.ts';
import type { TargetFacts } from '../target-facts.ts';
import type { ClusterTarget, TargetShard } from './cluster-target.ts';
import type { OwnTurns } from './own-turns.ts';

/** Two round trips to each shard. */
const AT_ONCE = 2000;
/**
 * A slot that moves takes its keys by MIGRATE, which sends how long a key still lives, not until when (cluster.c, migrateCommand):
 * its deadline on the new shard is off by as long as the way took, and by what the clocks of the two differ.
 */
const MOVE_DRIFT_MS = 60_000;
/** After a failure. */
const POSTPONED_MS = 2000;

export interface ClusterExpiryOptions {
  cluster: ClusterTarget;
  expiry: ExpiryOptions;
  spoolFolder: string;
  diskBytesMax: number;
  timeline: SourceTimeline;
  wallClock: () => number;
  sourceOffsetMs: () => number | undefined;
  source: (() => Whereabouts) | undefined;
  /** Whether a key is the source shard's own; undefined: all are. */
  owns: ((key: Uint8Array) => boolean) | undefined;
  onFinding: (finding: LinkFinding) => void;
  turns: OwnTurns;
}

export class ClusterExpiry {
  readonly keeper: ExpiryKeeper;
  readonly timeline: SourceTimeline;
  readonly guardMs: number;
  readonly #options: ClusterExpiryOptions;
  readonly #recovery: ExpiryRecovery;
  readonly #clocks = new Map<TargetShard, TargetClock>();
  #postponedToMs = -Infinity;
  /** What a shard said that does not let us read or write deadlines. */
  #denied: string | undefined;
  /** A slot is not where we thought. */
  #hasMoved = false;

  constructor(options: ClusterExpiryOptions) {
    this.#options = options;
    const { expiry, spoolFolder, diskBytesMax, timeline, wallClock, sourceOffsetMs, onFinding } = options;
    this.timeline = timeline;
    this.guardMs = expiry.guardMs;
    this.keeper = new ExpiryKeeper({
      limits: expiry,
      spoolPath: join(spoolFolder, `deferred-${randomBytes(6).toString('hex')}`),
      diskBytesMax,
      timeline,
      wallClock,
      sourceOffsetMs,
      targetOffsetMs: () => this.#offsetMs,
      worstOffsetMs: () => this.#worstOffsetMs,
      isImporting: () => this.#isImporting,
      onFinding,
    });
    this.#recovery = new ExpiryRecovery({
      keeper: this.keeper,
      source: options.source,
      targets: () => this.#primaries,
      driftMs: () => this.#driftMs,
      placement: (signal) => placementOn(this.#primaries, signal),
      onFinding,
    });
  }

  /** On every new connection to a shard, before anything is written. @throws SyncError CONNECT. */
  async greet(connection: Connection, shard: TargetShard): Promise<void> {
    await this.#clockOf(shard).greet(connection);
  }

  /** A snapshot comes, with every key anew. */
  async beginSnapshot(): Promise<void> {
    await this.keeper.beginSnapshot();
    for (const clock of this.#clocks.values()) clock.restart();
  }

  /** The stream begins; `graceMs` of the checkpoint that it goes on from. */
  begin(graceMs: number | undefined): void {
    if (graceMs) this.keeper.inherit(graceMs);
    this.#recovery.start();
  }

  /** There is something to do between two rounds. As of the keeper's last `tick`. */
  get isDue(): boolean {
    if (this.#options.wallClock() < this.#postponedToMs) return false;
    return this.keeper.due || this.#shardsToLookAt.length > 0;
  }

  /** Looks at clocks, gives some deadlines back. What fails is tried again later. Nothing else may be on its way. */
  async run(facts: TargetFacts, signal: AbortSignal): Promise<void> {
    for (const shard of this.#shardsToLookAt)
      await this.#onShard(shard, signal, (connection) => this.#clockOf(shard).look(connection));
    const due = await this.keeper.take(AT_ONCE);
    const { owns } = this.#options;
    const foreign = due.filter(({ key }) => owns?.(key) === false);
    this.keeper.givenBack(foreign);
    const byShard = this.#byShard(due.filter((each) => !foreign.includes(each)));
    for (const [shard, deferred] of byShard) await this.#giveBack(shard, deferred, facts, signal);
  }

  /** After the cutover: the shards are left as they were found. */
  async farewell(): Promise<void> {
    for (const [shard, clock] of this.#clocks)
      if (shard.target.current) await clock.farewell(shard.target.current);
  }

  async close(): Promise<void> {
    await this.#recovery.close();
    await this.keeper.close();
  }

  async #giveBack(
    shard: TargetShard | undefined,
    deferred: readonly Deferred[],
    facts: TargetFacts,
    signal: AbortSignal,
  ): Promise<void> {
    const later = new Set(deferred);
    await this.#onShard(shard, signal, async (connection, at) => {
      const waiting = await this.#stillDeferred(connection, deferred, facts, later);
      const replies = await this.#options.turns.pipeline(connection, at, waiting.map(answer));
      for (const [index, each] of waiting.entries()) {
        const reply = replies[index];
        if (reply instanceof ReplyError) this.#noteWhy(reply);
        else later.delete(each);
      }
    });
    this.keeper.givenBack(deferred.filter((each) => !later.has(each)));
    if (later.size === 0) return;
    this.keeper.notGivenBack([...later]);
    this.#postpone();
    if (this.#denied !== undefined) await this.keeper.leaveLate(this.#denied);
    this.#denied = undefined;
    if (this.#hasMoved) await this.#options.cluster.refresh(signal);
    this.#hasMoved = false;
  }

  #byShard(all: readonly Deferred[]): Map<TargetShard | undefined, Deferred[]> {
    const byShard = new Map<TargetShard | undefined, Deferred[]>();
    for (const each of all) {
      const shard = this.#options.cluster.shardOfKey(each.key);
      const list = byShard.get(shard);
      if (list === undefined) byShard.set(shard, [each]);
      else list.push(each);
    }
    return byShard;
  }

  /** Those that the shard still has as we wrote them; those that are not there any more are taken out of `later`. */
  async #stillDeferred(
    connection: Connection,
    deferred: readonly Deferred[],
    facts: TargetFacts,
    later: Set<Deferred>,
  ): Promise<Deferred[]> {
    const readsTimes = tellsTimes(facts);
    const replies = await connection.pipeline([
      ['TIME'],
      ...deferred.map((each) => question(each, readsTimes)),
      ['TIME'],
    ]);
    const began = timeOf(replies[0]);
    const toleranceMs = this.#driftMs + (readsTimes ? 0 : timeOf(replies.at(-1)) - began + TOLERANCE_MS);
    const waiting: Deferred[] = [];
    for (const [index, each] of deferred.entries()) {
      const reply = replies[index + 1] ?? null;
      if (reply instanceof ReplyError) {
        this.#noteWhy(reply);
        continue;
      }
      const writtenMs = writtenAt(reply, each, readsTimes ? 0 : began);
      const { graceMs } = this.keeper;
      if (writtenMs !== undefined && isLater(writtenMs, each.deadlineMs, graceMs, toleranceMs))
        waiting.push(each);
      else later.delete(each);
    }
    return waiting;
  }

  /** A slot that has moved, a shard that is busy: another time. A right that is missing does not come by itself. */
  #noteWhy(reply: ReplyError): void {
    if (reply.kind === 'NOPERM') this.#denied = reply.message;
    if (reply.kind === 'MOVED') this.#hasMoved = true;
  }

  async #onShard(
    shard: TargetShard | undefined,
    signal: AbortSignal,
    work: (connection: Connection, at: TargetShard) => Promise<void>,
  ): Promise<void> {
    // A shard that is away is the stream's business.
    const connection = shard?.target.current;
    if (shard === undefined || connection === undefined) return this.#postpone();
    try {
      await shard.target.use(signal, (each) => work(each, shard));
    } catch (thrown) {
      const error = asError(thrown);
      signal.throwIfAborted();
      if (!(error instanceof SyncError)) throw error;
      this.#postpone();
      await shard.target.close();
    }
  }

  #postpone(): void {
    this.#postponedToMs = this.#options.wallClock() + POSTPONED_MS;
  }

  /** Little beside the grace, by which a deferred deadline is told from any other. */
  get #driftMs(): number {
    return Math.min(MOVE_DRIFT_MS, this.keeper.graceMs / 4);
  }

  get #shardsToLookAt(): TargetShard[] {
    const { caughtUp } = this.keeper;
    return this.#options.cluster.shards.filter(
      (shard) => shard.target.current !== undefined && this.#clockOf(shard).isDue(caughtUp),
    );
  }

  #clockOf(shard: TargetShard): TargetClock {
    const known = this.#clocks.get(shard);
    if (known !== undefined) return known;
    const { expiry, wallClock, onFinding } = this.#options;
    const clock = new TargetClock({ importMode: expiry.importMode, wallClock, onFinding });
    this.#clocks.set(shard, clock);
    return clock;
  }

  /** Of the shard whose clock is the furthest ahead: it expires first. */
  get #offsetMs(): number | undefined {
    const known = this.#offsets;
    return known.length === 0 ? undefined : Math.max(...known);
  }

  /** Of the shard whose clock is the furthest from the source's. */
  get #worstOffsetMs(): number | undefined {
    const sourceMs = this.#options.sourceOffsetMs() ?? 0;
    return this.#offsets.toSorted((a, b) => Math.abs(b - sourceMs) - Math.abs(a - sourceMs))[0];
  }

  get #offsets(): number[] {
    return [...this.#clocks.values()].flatMap(({ offsetMs }) => offsetMs ?? []);
  }

  get #isImporting(): boolean {
    const clocks = [...this.#clocks.values()];
    return clocks.length > 0 && clocks.every(({ importing }) => importing);
  }

  get #primaries(): Whereabouts[] {
    return this.#options.cluster.shards.flatMap(({ facts }) => facts?.primary.endpoint ?? []);
  }
}

/** What every primary says of its own slots; undefined while one of them is on the move. @throws SyncError. */
async function placementOn(
  primaries: readonly Whereabouts[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const own = await Promise.all(
    primaries.map(async (primary) => {
      await using connection = await openWhere(primary, {
        name: 'redis-sync:expiry',
        replyTimeoutMs: 30_000,
        signal,
      });
      const { shards, self, moving } = await readTopology(connection);
      const slots = shards.find((shard) => shard.primary.id === self)?.slots ?? [];
      return moving.length > 0 ? undefined : slots.join(' ');
    }),
  );
  return own.includes(undefined) ? undefined : own.join('; ');
}
