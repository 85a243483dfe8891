/**
 * Follows how far a target's replicas have what was applied (`durability: { replicas: n }`), on connections of its own, so
 * that applying never waits for them:
 *
 *   applied up to a ─▶ n replicas of each server have what it has at this moment (replica-count.ts) ─▶ durable up to a
 *
 * One server, or every shard of a cluster that the link writes to: a is durable when all of them say so in the same round.
 */
import type { LinkFinding } from '../apply/finding.ts';
import type { LanePlace } from '../apply/link-lane.ts';
import { delay } from '../psync/backoff.ts';
import type { DurabilityPolicy } from './options.ts';
import { ReplicaCount } from './replica-count.ts';

export interface DurabilityOptions {
  policy: Exclude<DurabilityPolicy, 'none'>;
  /** Where the link writes. Asked before every round: the target may have moved. */
  places: () => readonly LanePlace[];
  /** Source offset up to which everything is on the target; below 0 while there is none. */
  appliedOffset: () => bigint;
  onDurable: (offset: bigint) => void;
  onFinding: (finding: LinkFinding) => void;
}

const RETRY_MS = 200;
const IDLE_MS = 200;

export class Durability {
  readonly #options: DurabilityOptions;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #counts = new Map<string, ReplicaCount>();
  #durable = -1n;
  #wake: (() => void) | undefined;
  #isRefused = false;

  constructor(options: DurabilityOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Source offset up to which enough replicas of the target have everything; -1 while there is none. */
  get offset(): bigint {
    return this.#durable;
  }

  /** Something was applied. */
  advanced(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Waits once more for what was applied last, at most as long as the policy waits, unless there is no time. Never throws. */
  async close(isHasty: boolean): Promise<void> {
    const { policy, appliedOffset } = this.#options;
    const deadlineMs = performance.now() + (isHasty ? 0 : policy.timeoutMs);
    while (this.#durable < appliedOffset() && !this.#isRefused && performance.now() < deadlineMs)
      await delay(10);
    this.#ending.abort();
    this.advanced();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    const { appliedOffset, onDurable } = this.#options;
    while (!signal.aborted) {
      const applied = appliedOffset();
      if (applied <= this.#durable) {
        await this.#progress();
        continue;
      }
      if (!(await this.#isConfirmed(signal))) continue;
      this.#durable = applied;
      onDurable(applied);
    }
    await Promise.all([...this.#counts.values()].map((count) => count.close()));
  }

  /** Resolves when something was applied; after a while in any case: that the stream has begun is told by nobody. */
  async #progress(): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await delay(IDLE_MS, woken.signal);
  }

  /** Whether enough replicas have everything that the target has at this moment. False has waited. */
  async #isConfirmed(signal: AbortSignal): Promise<boolean> {
    const { places } = this.#options;
    const asked = places();
    if (asked.length === 0) {
      await delay(RETRY_MS, signal);
      return false;
    }
    await this.#leaveOthers(asked);
    const confirmed = await Promise.all(asked.map((place) => this.#countOf(place).confirm(place, signal)));
    // A shard that is new may have taken writes meanwhile.
    return confirmed.every(Boolean) && namesOf(places()) === namesOf(asked);
  }

  #countOf({ name }: LanePlace): ReplicaCount {
    const known = this.#counts.get(name);
    if (known !== undefined) return known;
    const { policy } = this.#options;
    const count = new ReplicaCount({
      policy,
      onLate: (confirmed, where) => this.#late(confirmed, where),
      onRefused: (error) => this.#refused(error),
    });
    this.#counts.set(name, count);
    return count;
  }

  /** Shards that have no slots any more. */
  async #leaveOthers(places: readonly LanePlace[]): Promise<void> {
    const names = new Set(places.map(({ name }) => name));
    for (const [name, count] of this.#counts) {
      if (names.has(name)) continue;
      this.#counts.delete(name);
      await count.close();
    }
  }

  #late(confirmed: number, where: string): void {
    const { policy, appliedOffset, onFinding } = this.#options;
    const { replicas, timeoutMs } = policy;
    onFinding({
      code: 'LAG',
      severity: 'warning',
      message: `Of ${replicas} replicas of ${where} that are to have every write, ${confirmed} had confirmed them after ${timeoutMs} ms: the source is not told that they are durable.`,
      evidence: {
        shard: where,
        wanted: replicas,
        confirmed,
        timeoutMs,
        durableOffset: String(this.#durable),
        appliedOffset: String(appliedOffset()),
      },
    });
  }

  #refused(error: Error): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.#options.onFinding({
      code: 'NOT_DURABLE',
      severity: 'error',
      message: `Whether replicas of the target have what was applied cannot be told: ${error.message}`,
      evidence: { policy: this.#options.policy, durableOffset: String(this.#durable) },
    });
  }
}

function namesOf(places: readonly LanePlace[]): string {
  return places
    .map(({ name }) => name)
    .toSorted()
    .join(' ');
}
