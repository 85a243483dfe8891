/**
 * Remembers what became of every ledgered write: each has an element of its own, so that a later look at a server tells
 * which acknowledged writes are lost, which came twice, and whether their order was kept.
 *
 * Compact: one byte per write. A lane is one key written by one client only, in ascending numbers. A ring is several keys
 * that each write sets to its number in one transaction: whoever reads them together sees the same number in all.
 */
import type { LaneKind } from '../../reports/evidence.ts';
import type { Outcome } from './tally.ts';

export const LANE_KINDS: readonly LaneKind[] = ['list', 'set', 'stream', 'counter', 'ring'];
export type { LaneKind } from '../../reports/evidence.ts';

const RING_KEYS = 3;

const STATES: Record<Outcome, number> = { unknown: 0, ok: 1, failed: 2 };

export interface LaneOptions {
  kind: LaneKind;
  database: number;
  key: string;
  /** The instance its client writes to; absent when the client chooses by key. */
  origin?: string;
}

export class Lane {
  readonly kind: LaneKind;
  readonly database: number;
  readonly key: string;
  readonly workload: string;
  readonly origin: string | undefined;
  #states = new Uint8Array(1024);
  #length = 0;

  constructor({ kind, database, key, origin }: LaneOptions, workload: string) {
    this.kind = kind;
    this.database = database;
    this.key = key;
    this.origin = origin;
    this.workload = workload;
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

/** The keys of a ring, all in the slot of its lane, and beginning like it: who owns keys by their prefix owns them. */
export function ringKeys(lane: string): string[] {
  return Array.from({ length: RING_KEYS }, (_, index) => `${lane}:${index}:{${lane}}`);
}

export class Ledger {
  readonly #workload: string;
  /** Part of every key's name, so that what an earlier run left is never taken for this one's. */
  readonly token: string;
  readonly kinds: readonly LaneKind[];
  readonly #lanes = new Map<string, Lane>();

  /** @param workload whose writes these are. */
  constructor(workload = '', token = '0', kinds = LANE_KINDS) {
    this.#workload = workload;
    this.token = token;
    this.kinds = kinds;
  }

  get lanes(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  /** The lane of a key, made on first use. */
  lane(kind: LaneKind, database: number, key: string, origin?: string): Lane {
    const id = laneId(database, key);
    const known = this.#lanes.get(id);
    if (known) return known;
    const options = origin === undefined ? { kind, database, key } : { kind, database, key, origin };
    const lane = new Lane(options, this.#workload);
    this.#lanes.set(id, lane);
    return lane;
  }

  /** Whether a key of this name in this database is a lane. */
  has(database: number, key: string): boolean {
    return this.#lanes.has(laneId(database, key));
  }

  /** Writes by outcome, over all lanes. */
  counts(): Record<Outcome, number> {
    const sum = (outcome: Outcome): number =>
      this.lanes.reduce((total, lane) => total + lane.count(outcome), 0);
    return { ok: sum('ok'), failed: sum('failed'), unknown: sum('unknown') };
  }
}

function laneId(database: number, key: string): string {
  return `${database} ${key}`;
}
