/**
 * Chooses the next operation of a client: first each operation once, then by weight; now and then one that has not succeeded
 * yet (a fault may have met the only one there was), so that nothing stays untried.
 */
import type { Random } from '../data/random.ts';
import type { WeightedOperation } from './mix.ts';
import type { Operation } from './operation.ts';

/** Every so many operations. */
const SECOND_CHANCE = 16;

export class OperationChooser {
  readonly #operations: readonly Operation[];
  /** Cumulative weights. */
  readonly #bounds: readonly number[];
  readonly #first: Operation[];
  readonly #hasSucceeded: (operation: Operation) => boolean;
  #turn = 0;

  /**
   * The clients of a workload divide the first round among themselves, so that even a short run has sent every kind: a
   * run that never sent an XCLAIM says nothing about XCLAIM.
   *
   * @param hasSucceeded of any client.
   */
  constructor(
    operations: readonly WeightedOperation[],
    client: number,
    clients: number,
    hasSucceeded: (operation: Operation) => boolean = () => true,
  ) {
    this.#hasSucceeded = hasSucceeded;
    this.#operations = operations.map(({ operation }) => operation);
    let sum = 0;
    this.#bounds = operations.map(({ weight }) => (sum += weight));
    this.#first = this.#operations.filter((_, index) => index % clients === client).toReversed();
  }

  next(random: Random): Operation {
    const first = this.#first.pop();
    if (first) return first;
    if (++this.#turn % SECOND_CHANCE === 0) {
      const untried = this.#operations.filter((operation) => !this.#hasSucceeded(operation));
      const again = untried[(this.#turn / SECOND_CHANCE) % untried.length];
      if (again) return again;
    }
    const ticket = random.fraction() * (this.#bounds.at(-1) ?? 0);
    const chosen = this.#operations[this.#bounds.findIndex((bound) => ticket < bound)];
    if (chosen === undefined)
      throw new RangeError('a workload needs at least one operation with a weight above 0');
    return chosen;
  }
}
