/**
 * What one metric is. Names and units follow Prometheus: seconds and bytes, `_total` for what only grows, a help line each.
 * Counters begin at 0 with every start of `redis-sync run`.
 */
import type { LinkMonitor } from '../link-monitor.ts';

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

export interface Metric {
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  /** Names of the labels of its samples, for the documentation. */
  labels: readonly string[];
  /** No sample means: not known. */
  measure: (monitors: readonly LinkMonitor[]) => Sample[];
}
