/** Puts one lane's account together from what is read of it. Pure. */
import type { LaneAccount } from '../../reports/evidence.ts';
import type { Lane } from './ledger.ts';

const SAMPLES_MAX = 20;

type Fault = 'duplicated' | 'reordered' | 'unexpected';

export class LaneReading {
  readonly #lane: Lane;
  readonly #account: LaneAccount;
  readonly #seen: Uint8Array;
  #highest = -1;

  constructor(lane: Lane) {
    this.#lane = lane;
    this.#seen = new Uint8Array(lane.length);
    this.#account = {
      lane: lane.key,
      kind: lane.kind,
      database: lane.database,
      workload: lane.workload,
      ...(lane.origin === undefined ? {} : { origin: lane.origin }),
      ok: lane.count('ok'),
      failed: lane.count('failed'),
      unknown: lane.count('unknown'),
      missing: [],
      duplicated: 0,
      reordered: 0,
      unexpected: 0,
      samples: [],
    };
  }

  /** The next element of a list or stream in its order, or a member of a set. NaN: not a number. */
  element(number: number): void {
    const lane = this.#lane;
    const isWritten = Number.isInteger(number) && number >= 0 && number < lane.length;
    if (!isWritten || lane.outcome(number) === 'failed') {
      this.#note('unexpected', 1, `${lane.key} has ${number}, which was refused or never written`);
      return;
    }
    if (this.#seen[number] === 1) this.#note('duplicated', 1, `${lane.key} has ${number} again`);
    else if (lane.kind !== 'set' && lane.outcome(number) === 'ok') {
      if (number < this.#highest)
        this.#note('reordered', 1, `${lane.key} has ${number} after ${this.#highest}`);
      this.#highest = Math.max(this.#highest, number);
    }
    this.#seen[number] = 1;
  }

  /** Every write adds one, so the value says how many there are. */
  counter(value: number): void {
    const { key } = this.#lane;
    const { ok, unknown } = this.#account;
    this.#account.values = [value];
    this.#seen.fill(1);
    if (value < ok) this.#miss(value, ok - 1, `${key} is ${value}, at least ${ok} were acknowledged`);
    if (value > ok + unknown)
      this.#note('duplicated', value - ok - unknown, `${key} is ${value}, at most ${ok + unknown} were sent`);
  }

  /** Every write sets all keys to its number, so they say which was the last. */
  ring(values: readonly (number | null)[]): void {
    const lane = this.#lane;
    this.#account.values = [...values];
    this.#seen.fill(1);
    const value = Math.min(...values.map((each) => each ?? -1));
    const last = this.#lastAcknowledged();
    if (value < last) this.#miss(value + 1, last, `${lane.key} is at ${value}, ${last} was acknowledged`);
    if (value >= lane.length)
      this.#note('unexpected', 1, `${lane.key} is at ${value}, which was never written`);
  }

  finish(): LaneAccount {
    const lane = this.#lane;
    for (let number = 0; number < lane.length; number++) {
      if (this.#seen[number] === 0 && lane.outcome(number) === 'ok')
        this.#miss(number, number, `${lane.key} lacks ${number}`);
    }
    return this.#account;
  }

  #lastAcknowledged(): number {
    let number = this.#lane.length - 1;
    while (number >= 0 && this.#lane.outcome(number) !== 'ok') number--;
    return number;
  }

  #miss(from: number, to: number, sample: string): void {
    const last = this.#account.missing.at(-1);
    if (last !== undefined && last[1] === from - 1) last[1] = to;
    else this.#account.missing.push([from, to]);
    this.#sample(`lost: ${sample}`);
  }

  #note(what: Fault, count: number, sample: string): void {
    this.#account[what] += count;
    this.#sample(`${what}: ${sample}`);
  }

  #sample(text: string): void {
    if (this.#account.samples.length < SAMPLES_MAX) this.#account.samples.push(text);
  }
}
