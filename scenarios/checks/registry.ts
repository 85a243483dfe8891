/** All checks. Adding one is one file and one line here. The order is the order of reports. */
import type { CheckDefinition } from './check.ts';
import { convergence } from './convergence.ts';
import { counterBounds } from './counter-bounds.ts';
import { counts } from './counts.ts';
import { dataEqual } from './data-equal.ts';
import { dbIsolation } from './db-isolation.ts';
import { dropsAccounted } from './drops-accounted.ts';
import { errorAccounting } from './error-accounting.ts';
import { expectedFindings } from './expected-findings.ts';
import { expectedLedger } from './expected-ledger.ts';
import { heartbeatLeak } from './heartbeat-leak.ts';
import { leaks } from './leaks.ts';
import { ledgerDuplicated } from './ledger-duplicated.ts';
import { ledgerLost } from './ledger-lost.ts';
import { ledgerReordered } from './ledger-reordered.ts';
import { ledgerUnexpected } from './ledger-unexpected.ts';
import { linksInSync } from './links-in-sync.ts';
import { liveness } from './liveness.ts';
import { logPatterns } from './log-patterns.ts';
import { metrics } from './metrics.ts';
import { monotone } from './monotone.ts';
import { offsetAccounting } from './offset-accounting.ts';
import { recovery } from './recovery.ts';
import { resync } from './resync.ts';
import { runCompleted } from './run-completed.ts';
import { slotPlacement } from './slot-placement.ts';
import { sourceImpact } from './source-impact.ts';
import { timelineVacuity } from './timeline-vacuity.ts';
import { trafficQuiet } from './traffic-quiet.ts';
import { transactionRing } from './transaction-ring.ts';
import { unexpectedFindings } from './unexpected-findings.ts';
import { workloadVacuity } from './workload-vacuity.ts';

export const CHECKS: readonly CheckDefinition[] = [
  runCompleted,
  dataEqual,
  counts,
  convergence,
  linksInSync,
  recovery,
  liveness,
  resync,
  offsetAccounting,
  ledgerLost,
  ledgerDuplicated,
  ledgerReordered,
  ledgerUnexpected,
  counterBounds,
  transactionRing,
  monotone,
  dbIsolation,
  slotPlacement,
  trafficQuiet,
  dropsAccounted,
  errorAccounting,
  heartbeatLeak,
  sourceImpact,
  logPatterns,
  leaks,
  unexpectedFindings,
  expectedFindings,
  expectedLedger,
  metrics,
  timelineVacuity,
  workloadVacuity,
];
