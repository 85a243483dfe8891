/** Open-loop client traffic: arrival rate, so a slow server shows as lag, not as a slower client. */

export interface WorkloadPlan {
  name: string;
  into: string[];
  databases: number[];
  /** Commands per second over all clients. */
  ratePerSecond: number;
  clients: number;
  start: 'full-sync' | 'incremental';
  /** Family (`string`, `sets`, `multi`) or command name in lower case → relative weight. See `resolveMix`. */
  mix: Record<string, number>;
  /** Distinct keys per command family the workload touches. */
  keyspace: number;
  prefix: string;
}
