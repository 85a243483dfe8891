/** Everything that writes to the source. Can be stopped, so that both sides hold still for a comparison, and started again. */
import type { Workload } from '../../scenarios/workload/open-loop.ts';
import type { Field } from './field.ts';
import { startLargeWrites } from './large-values.ts';
import { startPairs } from './pairs.ts';
import { startRenewals } from './renewals.ts';
import type { SteadyWriter } from './steady-writer.ts';

export interface TrafficOptions {
  seed: number;
  /** Keys that would expire within a moment and are kept. */
  renewals: boolean;
}

interface Writers {
  workload: Workload;
  pairs: SteadyWriter;
  others: SteadyWriter[];
}

export class Traffic {
  /** Of the workload, and paired transactions; of all the times it ran. */
  readonly counters = { commands: 0, transactions: 0 };
  readonly #field: Field;
  readonly #options: TrafficOptions;
  #writers: Writers | undefined;
  /** Each start draws other commands. */
  #starts = 0;

  constructor(field: Field, options: TrafficOptions) {
    this.#field = field;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { seed, renewals } = this.#options;
    const { endpoint } = this.#field.source;
    const start = ++this.#starts;
    const others = [await startLargeWrites(endpoint, seed + start)];
    if (renewals) others.push(await startRenewals(endpoint, start));
    const pairs = await startPairs(endpoint);
    this.#writers = { workload: await this.#field.startWorkload(seed + start), pairs, others };
  }

  /** Resolves when every command that was sent is answered. @throws what a writer got from the source instead of an answer. */
  async stop(): Promise<void> {
    const writers = this.#writers;
    if (writers === undefined) return;
    this.#writers = undefined;
    const { sent } = await writers.workload.stop();
    this.counters.commands += sent;
    for (const writer of writers.others) await writer.stop();
    this.counters.transactions += await writers.pairs.stop();
  }
}
