/**
 * Remembers what became of every ledgered write: each has an element of its own, so that a later look at a server tells
 * which acknowledged writes are lost, which came twice, and whether their order was kept.
 *
 * Compact: one byte per write. A lane is one key written by one client only, in ascending numbers.
 */
import type { Outcome } from './tally.ts';

export const LANE_KINDS = ['list', 'set', 'stream', 'counter'] as const;
export type LaneKind = (typeof LANE_KINDS)[number];

const STATES: Record<Outcome, number> = { unknown: 0, ok: 1, failed: 2 };

export class Lane {
  readonly kind: LaneKind;
  readonly database: number;
  readonly key: string;
  #states = new Uint8Array(1024);
  #length = 0;

  constructor(kind: LaneKind, database: number, key: string) {
    this.kind = kind;
    this.database = database;
    this.key = key;
  }

  /** Numbers handed out so far: 0 … length-1. */
  get length(): number {
    return this.#length;
  }

  /** The number of the next write. Until settled its outcome is unknown. */
  next(): number {
    if (this.#length === this.#states.length) {
      const grown = new Uint8Array(this.#states.length * 2);
      grown.set(this.#states);
      this.#states = grown;
    }
    return this.#length++;
  }

  settle(number: number, outcome: Outcome): void {
    this.#states[number] = STATES[outcome];
  }

  outcome(number: number): Outcome {
    const state = this.#states[number];
    return state === STATES.ok ? 'ok' : state === STATES.failed ? 'failed' : 'unknown';
  }

  count(outcome: Outcome): number {
    let count = 0;
    for (let number = 0; number < this.#length; number++)
      if (this.#states[number] === STATES[outcome]) count++;
    return count;
  }
}

export class Ledger {
  readonly #lanes = new Map<string, Lane>();

  get lanes(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  /** The lane of a key, made on first use. */
  lane(kind: LaneKind, database: number, key: string): Lane {
    const id = `${database} ${key}`;
    const known = this.#lanes.get(id);
    if (known) return known;
    const lane = new Lane(kind, database, key);
    this.#lanes.set(id, lane);
    return lane;
  }

  /** Writes by outcome, over all lanes. */
  counts(): Record<Outcome, number> {
    const sum = (outcome: Outcome): number =>
      this.lanes.reduce((total, lane) => total + lane.count(outcome), 0);
    return { ok: sum('ok'), failed: sum('failed'), unknown: sum('unknown') };
  }
}
