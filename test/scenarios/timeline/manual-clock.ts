/** A clock that stands still until it is told to go on. */
import type { Clock } from '../../../scenarios/timeline/clock.ts';

interface Alarm {
  atMs: number;
  action: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 0;
  #alarms: Alarm[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, action: () => void): () => void {
    const alarm = { atMs: this.#nowMs + delayMs, action };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** How many alarms are still set. */
  get pending(): number {
    return this.#alarms.length;
  }

  /** Goes on by `ms`, ringing what falls due in order; after each, everything that follows from it has run. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settled();
      const [next] = this.#alarms
        .filter((alarm) => alarm.atMs <= untilMs)
        .toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#alarms = this.#alarms.filter((other) => other !== next);
      this.#nowMs = next.atMs;
      next.action();
    }
    this.#nowMs = untilMs;
    await settled();
  }
}

/** Every promise that can resolve without time or input has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
