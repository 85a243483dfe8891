/** The append-only history of a run: every event goes to `events.ndjson` before anybody acts on it. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent, RunEventBody } from '../../reports/events.ts';

export const EVENTS_FILE = 'events.ndjson';

export interface HistoryOptions {
  /** Monotonic milliseconds. */
  now?: () => number;
  /** Keep the events in memory too, for judging. Default true; what runs for months must not. */
  retain?: boolean;
}

export class History {
  readonly #file: number;
  readonly #events: RunEvent[] = [];
  readonly #startedMs: number;
  readonly #now: () => number;
  readonly #listeners: ((event: RunEvent) => void)[] = [];
  readonly #retain: boolean;
  #seq = 0;
  #open = true;

  constructor(folder: string, { now = () => performance.now(), retain = true }: HistoryOptions = {}) {
    this.#file = openSync(join(folder, EVENTS_FILE), 'ax');
    this.#now = now;
    this.#startedMs = now();
    this.#retain = retain;
  }

  /** So far; none when they are not retained. */
  get events(): readonly RunEvent[] {
    return this.#events;
  }

  /** Milliseconds since the run began. */
  get elapsedMs(): number {
    return Math.round(this.#now() - this.#startedMs);
  }

  /** Told of every event from now on, after it is on disk. */
  subscribe(listener: (event: RunEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Written synchronously: a run that crashes in the next line can still be judged. */
  emit(body: RunEventBody): RunEvent {
    const event: RunEvent = {
      seq: ++this.#seq,
      at: new Date().toISOString(),
      ms: this.elapsedMs,
      ...body,
    };
    if (this.#open) writeSync(this.#file, `${JSON.stringify(event)}\n`);
    if (this.#retain) this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#file);
  }
}
