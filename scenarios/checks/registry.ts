/** All checks. Adding one is one file and one line here. The order is the order of reports. */
import type { CheckDefinition } from './check.ts';
import { counts } from './counts.ts';
import { dataEqual } from './data-equal.ts';
import { dropsAccounted } from './drops-accounted.ts';
import { expectedFindings } from './expected-findings.ts';
import { heartbeatLeak } from './heartbeat-leak.ts';
import { linksInSync } from './links-in-sync.ts';
import { metrics } from './metrics.ts';
import { runCompleted } from './run-completed.ts';
import { timelineVacuity } from './timeline-vacuity.ts';
import { unexpectedFindings } from './unexpected-findings.ts';
import { workloadVacuity } from './workload-vacuity.ts';

export const CHECKS: readonly CheckDefinition[] = [
  runCompleted,
  dataEqual,
  counts,
  linksInSync,
  dropsAccounted,
  heartbeatLeak,
  unexpectedFindings,
  expectedFindings,
  metrics,
  timelineVacuity,
  workloadVacuity,
];
