/** Open-loop client traffic: arrival rate, so a slow server shows as lag, not as a slower client. */

import type { WorkloadResult } from '../../reports/results.ts';

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

/** What is reported of a planned workload that never started: zeros. */
export function unstartedResult({
  name,
  into,
  ratePerSecond,
}: {
  name: string;
  into: readonly string[];
  ratePerSecond: number;
}): WorkloadResult {
  return {
    name,
    target: into.join(', '),
    requestedRate: ratePerSecond,
    sent: 0,
    ok: 0,
    failed: 0,
    unknown: 0,
    perCommand: {},
  };
}
