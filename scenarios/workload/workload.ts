/** Open-loop client traffic: arrival rate, so a slow server shows as lag, not as a slower client. */

export const CLIENT_KINDS = ['direct', 'codis-proxy'] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

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
  /**
   * direct: a client of the servers themselves. codis-proxy: what a Codis proxy would let through, one key at a time where
   * it would split a command. Default direct.
   */
  client?: ClientKind;
}
