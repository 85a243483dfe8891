/** One line of the benchmark: ours against the limit it is held to, measured in turn in the same run. */
import { median } from './stopwatch.ts';

/** What work costs the source. */
export interface SourceCost {
  /** Of the server and its children. */
  cpuSeconds: number;
  forks: number;
  /** Sent to everybody. */
  outputBytes: number;
}

export interface Pair {
  oursMs: number;
  referenceMs: number;
  /** Where it is what matters. */
  atSource?: { ours: SourceCost; reference: SourceCost };
  /** CPU seconds and peak resident bytes of our process, where there is one. */
  cpuSeconds?: number;
  peakRssBytes?: number;
}

export interface Measurement {
  name: string;
  /** What the reference is. */
  reference: string;
  /** The ratio we want to stay below; null: there is none. */
  goal: number | null;
  /** How much work one run is, for a rate. */
  units: number;
  unit: string;
  pairs: Pair[];
}

export interface Row {
  name: string;
  reference: string;
  goal: number | null;
  /** Median of the ratios run by run, so that a machine whose speed drifts does not matter. */
  ratio: number;
  ratios: number[];
  oursMs: number;
  referenceMs: number;
  perSecond: number;
  unit: string;
  cpuSeconds: number | null;
  peakRssBytes: number | null;
  atSource: { ours: SourceCost; reference: SourceCost } | null;
}

export function summarize(measurement: Measurement): Row {
  const { name, reference, goal, units, unit, pairs } = measurement;
  const ratios = pairs.map(({ oursMs, referenceMs }) => oursMs / referenceMs);
  const oursMs = median(pairs.map((pair) => pair.oursMs));
  const cpu = pairs.flatMap((pair) => pair.cpuSeconds ?? []);
  const rss = pairs.flatMap((pair) => pair.peakRssBytes ?? []);
  const costs = pairs.flatMap(({ atSource }) => atSource ?? []);
  const costOf = (whose: 'ours' | 'reference'): SourceCost => ({
    cpuSeconds: median(costs.map((cost) => cost[whose].cpuSeconds)),
    forks: median(costs.map((cost) => cost[whose].forks)),
    outputBytes: median(costs.map((cost) => cost[whose].outputBytes)),
  });
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
    atSource: costs.length > 0 ? { ours: costOf('ours'), reference: costOf('reference') } : null,
  };
}
