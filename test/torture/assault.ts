/** Does to the connections and servers what the schedule says, one nuisance after the other, until told to stop; then everything heals. */
import { Connection } from '../../engine/connect/connection.ts';
import { asError } from '../../engine/errors.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import type { Random } from '../../scenarios/data/random.ts';
import { LINK } from './engine-life.ts';
import type { Field } from './field.ts';
import type { History } from './history.ts';
import { drawNuisance, type Nuisance } from './schedule.ts';

export interface AssaultOptions {
  random: Random;
  /** Counts go on from one assault to the next. */
  counters: AssaultCounters;
  /** Between one nuisance and the next, at most. */
  pauseMsMax: number;
  longStopMs: number;
}

export interface AssaultCounters {
  clientKills: number;
  stops: number;
}

export class Assault {
  readonly #field: Field;
  readonly #history: History;
  readonly #options: AssaultOptions;
  readonly #running: Promise<void>;
  #onTarget: Connection | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(field: Field, history: History, options: AssaultOptions) {
    this.#field = field;
    this.#history = history;
    this.#options = options;
    this.#running = this.#run();
  }

  /** Ends the assault and heals what it did. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
    await this.#onTarget?.close();
    this.#field.toSource.heal();
    this.#field.toTarget.heal();
  }

  async #run(): Promise<void> {
    const { random, pauseMsMax, longStopMs } = this.#options;
    try {
      this.#onTarget = await Connection.open(this.#field.target.endpoint, { name: 'torture-assault' });
      while (!this.#stopped) {
        await this.#pause(random.below(pauseMsMax));
        if (!this.#stopped) await this.#inflict(drawNuisance(random, { longStopMs }), this.#onTarget);
      }
    } catch (error) {
      this.#history.problem(`the assault broke off: ${asError(error).message}`);
    }
  }

  async #inflict(nuisance: Nuisance, onTarget: Connection): Promise<void> {
    const { toSource, toTarget, onSource } = this.#field;
    switch (nuisance.kind) {
      case 'cut': {
        const proxy = nuisance.side === 'source' ? toSource : toTarget;
        const armed = proxy.arm(nuisance.cut, nuisance.connection);
        return this.#history.note('cut', { side: nuisance.side, ...nuisance.cut, armed });
      }
      case 'client-kill': {
        const killed =
          nuisance.side === 'source'
            ? Number(await onSource.call('CLIENT', 'KILL', 'TYPE', 'replica'))
            : await killEngine(onTarget);
        this.#options.counters.clientKills += killed;
        return this.#history.note('client-kill', { side: nuisance.side, killed });
      }
      case 'snapshot-form':
        await onSource.call('CONFIG', 'SET', 'repl-diskless-sync', nuisance.diskless ? 'yes' : 'no');
        return this.#history.note('snapshot-form', { diskless: nuisance.diskless });
      case 'stop-target':
        return this.#stopTarget(nuisance.forMs);
    }
  }

  async #stopTarget(forMs: number): Promise<void> {
    const { pid } = this.#field.target;
    this.#options.counters.stops++;
    this.#history.note('stop-target', { forMs });
    process.kill(pid, 'SIGSTOP');
    try {
      await this.#pause(forMs);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    this.#history.note('continue-target');
  }

  async #pause(forMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, forMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** Ends the link's connections on the target. @returns how many. */
async function killEngine(onTarget: Connection): Promise<number> {
  const list = textOf(await onTarget.call('CLIENT', 'LIST')).split('\n');
  const ids = list
    .filter((line) => line.includes(` name=redis-sync:${LINK}`))
    .flatMap((line) => /^id=(\d+)/.exec(line)?.[1] ?? []);
  for (const id of ids) await onTarget.tryCall('CLIENT', 'KILL', 'ID', id);
  return ids.length;
}
