/**
 * How far the source's clock is from ours, from its answers to TIME: the sample with the shortest way there and back is the
 * best one, and no sample is off by more than half its way. Old samples are forgotten, because clocks drift; all of them at
 * once when the next one contradicts them, because somebody has set the clock.
 */
import type { Connection } from '../connect/connection.ts';
import type { Reply } from '../resp/reply.ts';
import { textOf } from '../resp/reply-text.ts';

const SAMPLES_MAX = 30;
/** Clocks whole milliseconds of which are looked at, and drift a little between two samples. */
const DRIFT_MS = 20;

interface Sample {
  offsetMs: number;
  roundTripMs: number;
}

export class ClockOffset {
  #samples: Sample[] = [];

  /** The source's clock minus ours, ms; undefined before the first sample. */
  get ms(): number | undefined {
    let best: Sample | undefined;
    for (const sample of this.#samples) {
      if (best === undefined || sample.roundTripMs <= best.roundTripMs) best = sample;
    }
    return best?.offsetMs;
  }

  /** `time` is a reply to TIME, asked and answered then by our wall clock. Anything else is passed over. */
  observe(time: Reply | undefined, askedAtMs: number, answeredAtMs: number): void {
    if (!Array.isArray(time)) return;
    const sourceMs = Number(textOf(time[0])) * 1000 + Number(textOf(time[1])) / 1000;
    const roundTripMs = answeredAtMs - askedAtMs;
    // A negative one says that our own clock was set meanwhile.
    if (!Number.isFinite(sourceMs) || roundTripMs < 0) return;
    const sample = { offsetMs: sourceMs - (askedAtMs + answeredAtMs) / 2, roundTripMs };
    if (this.#contradicts(sample)) this.#samples = [];
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  #contradicts({ offsetMs, roundTripMs }: Sample): boolean {
    return this.#samples.some(
      (each) => Math.abs(offsetMs - each.offsetMs) > (roundTripMs + each.roundTripMs) / 2 + DRIFT_MS,
    );
  }

  /** Asks for the time. An account that may not leaves the offset as it is. @throws SyncError CONNECT. */
  async measure(connection: Connection, wallClock: () => number): Promise<void> {
    const askedAtMs = wallClock();
    const time = await connection.tryCall('TIME');
    this.observe(time, askedAtMs, wallClock());
  }
}
