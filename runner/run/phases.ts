/** Runs the phases of a run one after another, each an event at its start and end, timed for the report. */
import type { RunPhase } from '../../reports/events.ts';
import type { PhaseResult } from '../../reports/results.ts';
import { asError } from '../../engine/errors.ts';
import type { History } from './history.ts';

export class Phases {
  readonly results: PhaseResult[] = [];
  readonly #history: History;
  #current: RunPhase = 'provision';

  constructor(history: History) {
    this.#history = history;
  }

  get current(): RunPhase {
    return this.#current;
  }

  /** Runs `work` as this phase; what it returns becomes the phase's detail. */
  async run(phase: RunPhase, work: () => Promise<string | void>): Promise<void> {
    this.#current = phase;
    const startedMs = this.#history.elapsedMs;
    this.#history.emit({ kind: 'phase', phase, status: 'started' });
    try {
      this.#end(phase, 'finished', startedMs, (await work()) ?? undefined);
    } catch (error) {
      this.#end(phase, 'failed', startedMs, asError(error).message);
      throw error;
    }
  }

  #end(phase: RunPhase, status: 'finished' | 'failed', startedMs: number, detail: string | undefined): void {
    const more = detail === undefined ? {} : { detail };
    this.#history.emit({ kind: 'phase', phase, status, ...more });
    this.results.push({ phase, status, startedMs, durationMs: this.#history.elapsedMs - startedMs, ...more });
  }
}
