/** Writes what a run collected into its history, so that it can be judged from there: now, and by `redis-sync judge`. */
import type { Evidence } from '../../reports/evidence.ts';
import type { History } from './history.ts';
import type { RehearsalOutcome } from './rehearsal.ts';

/** Call once, before the run is judged. */
export function recordOutcome(history: History, outcome: RehearsalOutcome): void {
  const record = (evidence: Evidence): void => void history.emit({ kind: 'evidence', evidence });
  for (const result of outcome.workload) record({ about: 'workload', result });
  for (const result of outcome.links) record({ about: 'link', result });
  record({ about: 'comparison', comparison: outcome.comparison });
  if (outcome.heartbeatKeysOnTargets !== null)
    record({ about: 'heartbeat-keys', keysOnTargets: outcome.heartbeatKeysOnTargets });
  record({ about: 'outcome', error: outcome.error });
}
