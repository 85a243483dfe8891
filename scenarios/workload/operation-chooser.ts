/** Chooses the next operation of a client: first each operation once, then by weight. */
import type { Random } from '../data/random.ts';
import type { WeightedOperation } from './mix.ts';
import type { Operation } from './operation.ts';

export class OperationChooser {
  readonly #operations: readonly Operation[];
  /** Cumulative weights. */
  readonly #bounds: readonly number[];
  readonly #first: Operation[];

  /**
   * The clients of a workload divide the first round among themselves, so that even a short run has sent every kind: a
   * run that never sent an XCLAIM says nothing about XCLAIM.
   */
  constructor(operations: readonly WeightedOperation[], client: number, clients: number) {
    this.#operations = operations.map(({ operation }) => operation);
    let sum = 0;
    this.#bounds = operations.map(({ weight }) => (sum += weight));
    this.#first = this.#operations.filter((_, index) => index % clients === client).toReversed();
  }

  next(random: Random): Operation {
    const first = this.#first.pop();
    if (first) return first;
    const ticket = random.fraction() * (this.#bounds.at(-1) ?? 0);
    const chosen = this.#operations[this.#bounds.findIndex((bound) => ticket < bound)];
    if (chosen === undefined)
      throw new RangeError('a workload needs at least one operation with a weight above 0');
    return chosen;
  }
}
