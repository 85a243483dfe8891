/** One line of the benchmark: ours against the limit it is held to, measured in turn in the same run. */
import { median } from './stopwatch.ts';

export interface Pair {
  oursMs: number;
  referenceMs: number;
  /** CPU seconds and peak resident bytes of our process, where there is one. */
  cpuSeconds?: number;
  peakRssBytes?: number;
}

export interface Measurement {
  name: string;
  /** What the reference is. */
  reference: string;
  /** The ratio we want to stay below. */
  goal: number;
  /** How much work one run is, for a rate. */
  units: number;
  unit: string;
  pairs: Pair[];
}

export interface Row {
  name: string;
  reference: string;
  goal: number;
  /** Median of the ratios run by run, so that a machine whose speed drifts does not matter. */
  ratio: number;
  ratios: number[];
  oursMs: number;
  referenceMs: number;
  perSecond: number;
  unit: string;
  cpuSeconds: number | null;
  peakRssBytes: number | null;
}

export function summarize(measurement: Measurement): Row {
  const { name, reference, goal, units, unit, pairs } = measurement;
  const ratios = pairs.map(({ oursMs, referenceMs }) => oursMs / referenceMs);
  const oursMs = median(pairs.map((pair) => pair.oursMs));
  const cpu = pairs.flatMap((pair) => pair.cpuSeconds ?? []);
  const rss = pairs.flatMap((pair) => pair.peakRssBytes ?? []);
  return {
    name,
    reference,
    goal,
    ratio: median(ratios),
    ratios,
    oursMs,
    referenceMs: median(pairs.map((pair) => pair.referenceMs)),
    perSecond: (units / oursMs) * 1000,
    unit,
    cpuSeconds: cpu.length > 0 ? median(cpu) : null,
    peakRssBytes: rss.length > 0 ? Math.max(...rss) : null,
  };
}
