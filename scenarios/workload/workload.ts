/** Open-loop client traffic: arrival rate, so a slow server shows as lag, not as a slower client. */

export interface WorkloadPlan {
  name: string;
  into: string[];
  databases: number[];
  /** Commands per second over all clients. */
  ratePerSecond: number;
  clients: number;
  start: 'full-sync' | 'incremental';
  /** Command name in lower case (or a family word: `multi`, `script`, `function`) → relative weight. */
  mix: Record<string, number>;
  /** Distinct keys per command family the workload touches. */
  keyspace: number;
  prefix: string;
}
