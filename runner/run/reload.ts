/**
 * Reads the spec of a running replication again (SIGHUP): new addresses and logins are taken up at once, anything else is
 * named as something that needs a restart. A spec that is wrong now changes nothing.
 */
import { dirname } from 'node:path';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import { discoveryOf } from '../../engine/connect/discover.ts';
import { asError } from '../../engine/errors.ts';
import type { RunEventBody } from '../../reports/events.ts';
import type { Plan } from '../plan/plan.ts';
import { isExisting } from '../plan/existing.ts';
import { whereaboutsOf } from '../provision/endpoint-url.ts';
import { loadSpec } from '../spec/load.ts';
import { compareSpecs } from './spec-change.ts';

export interface ReloaderOptions {
  plan: Plan;
  env: Readonly<Record<string, string | undefined>>;
  /** Where every instance is looked for; changed by a reload. */
  places: Map<string, Whereabouts>;
  /** Tells the replicators; also without a change, to try again at once. */
  relocate: () => void;
  emit: (event: RunEventBody) => void;
  say: (text: string) => void;
}

export class Reloader implements Disposable {
  readonly #options: ReloaderOptions;
  #plan: Plan;
  #running: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#plan = options.plan;
  }

  /** One after the other, however often it is asked for. Never rejects. */
  reload(): Promise<void> {
    this.#running = this.#running.then(() => this.#reload());
    return this.#running;
  }

  /** Nothing is read or told any more. */
  [Symbol.dispose](): void {
    this.#isOver = true;
  }

  async #reload(): Promise<void> {
    const { env, places, relocate, say } = this.#options;
    try {
      const outcome = await loadSpec(this.#plan.spec, { env, seed: this.#plan.seed });
      if (this.#isOver) return;
      if (outcome.kind === 'invalid') {
        const [first] = outcome.problems;
        return this.#warn(
          `it is not valid now: ${first?.file ?? ''}:${first?.line ?? 0}: ${first?.message ?? ''}`,
        );
      }
      const { moved, needsRestart } = compareSpecs(this.#plan, outcome.plan);
      const secrets = { baseFolder: dirname(this.#plan.spec), env };
      // All of them or none: one that cannot be used must not leave the links half moved.
      const found = moved.map((instance) => {
        if (!isExisting(instance)) throw new Error(`instance ${instance.name} has no url any more`);
        return [instance.name, whereaboutsOf(instance, secrets)] as const;
      });
      for (const [name, place] of found) places.set(name, place);
      // What needs a restart stays as it runs, and is named again next time.
      const instances = this.#plan.instances.map(
        (each) => moved.find(({ name }) => name === each.name) ?? each,
      );
      this.#plan = { ...this.#plan, instances };
      const where = found.map(([name, place]) => `${name} is ${discoveryOf(place).describe()} now`);
      say(
        `The spec was read again: ${where.length === 0 ? 'no address and no login has changed' : where.join(', ')}.`,
      );
      relocate();
      if (needsRestart.length > 0)
        this.#warn(`a restart is needed for what changed in ${needsRestart.join(', ')}`, needsRestart);
    } catch (error) {
      this.#warn(asError(error).message);
    }
  }

  #warn(why: string, needsRestart: readonly string[] = []): void {
    this.#options.emit({
      kind: 'finding',
      code: 'SPEC_CHANGED',
      message: `The spec was read again, and the links go on as before: ${why}.`,
      evidence: { needsRestart },
    });
  }
}
