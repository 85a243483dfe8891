/**
 * What is done for expiries between two envelopes, when nothing is on its way to the target: giving deadlines back, and
 * looking at the target's clock. Looked for a few times a second; a target that is kept busy is made to pause for it only when
 * it has been due for a while.
 */
import type { Connection } from '../../connect/connection.ts';
import { asError, SyncError } from '../../errors.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { TargetFacts } from '../target-facts.ts';
import type { LaneExpiry } from './lane-expiry.ts';
import { Settlement } from './settlement.ts';

const TICK_MS = 250;
/** Due for so long: the stream makes room for it. */
const OVERDUE_MS = 2000;
/** After a failure. */
const POSTPONED_MS = 2000;

export interface InterludeOptions {
  link: string;
  expiry: LaneExpiry;
  facts: TargetFacts;
  wallClock: () => number;
  /** Something may be due. */
  onTick: () => void;
}

export class Interlude {
  readonly #options: InterludeOptions;
  readonly #settlement: Settlement;
  readonly #timer: NodeJS.Timeout;
  #dueSinceMs = Infinity;
  #postponedToMs = -Infinity;

  constructor(options: InterludeOptions) {
    this.#options = options;
    const { link, facts, expiry } = options;
    expiry.watch.restart();
    this.#settlement = new Settlement({ link, facts, keeper: expiry.keeper });
    this.#timer = setInterval(() => options.onTick(), TICK_MS);
    this.#timer.unref();
  }

  /** Looks at the clocks; everything up to `applied` is on the target. */
  tick(applied: bigint): void {
    const { expiry, wallClock } = this.#options;
    expiry.keeper.tick(applied);
    const nowMs = wallClock();
    if (!this.#isDueAt(nowMs)) this.#dueSinceMs = Infinity;
    else if (this.#dueSinceMs === Infinity) this.#dueSinceMs = nowMs;
  }

  /** There is something to do. Only to look at the target nobody connects to it. */
  isDue(connected: boolean): boolean {
    const nowMs = this.#options.wallClock();
    return this.#isDueAt(nowMs) && (connected || this.#options.expiry.keeper.due);
  }

  /** The stream should pause for it. */
  get isOverdue(): boolean {
    return this.#options.wallClock() - this.#dueSinceMs > OVERDUE_MS;
  }

  /**
   * Does some of it, on a connection that watches the checkpoint and has nothing in flight.
   *
   * @param at the checkpoint on the target.
   * @returns the checkpoint on the target then, or what went wrong: then the connection is not to be used any more, and
   * another time comes.
   */
  async run(connection: Connection, at: Checkpoint): Promise<Checkpoint | SyncError> {
    const outcome = await this.#attempt(connection, at);
    const nowMs = this.#options.wallClock();
    if (outcome instanceof SyncError) this.#postponedToMs = nowMs + POSTPONED_MS;
    this.#dueSinceMs = this.#isDueAt(nowMs) ? nowMs : Infinity;
    return outcome;
  }

  /** Everything is due from now on; `applied` is where the target is. */
  settle(applied: bigint): void {
    const { keeper } = this.#options.expiry;
    keeper.settle();
    keeper.tick(applied);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #attempt(connection: Connection, at: Checkpoint): Promise<Checkpoint | SyncError> {
    const { watch, keeper } = this.#options.expiry;
    try {
      if (watch.isDue(keeper.caughtUp)) await watch.look(connection);
      return await this.#settlement.run(connection, at);
    } catch (error) {
      if (error instanceof SyncError) return error;
      throw asError(error);
    }
  }

  #isDueAt(nowMs: number): boolean {
    const { watch, keeper } = this.#options.expiry;
    return nowMs >= this.#postponedToMs && (keeper.due || watch.isDue(keeper.caughtUp));
  }
}
