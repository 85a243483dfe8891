/** All named rehearsals. Adding one is one file and one line here. */
import type { Scenario } from './scenario.ts';
import { aclRevokeSource } from './acl-revoke-source.ts';
import { aclRevokeTarget } from './acl-revoke-target.ts';
import { backlogOverrun } from './backlog-overrun.ts';
import { bgsaveFail } from './bgsave-fail.ts';
import { busyScript } from './busy-script.ts';
import { clientKill } from './client-kill.ts';
import { clockSkew } from './clock-skew.ts';
import { clusterDown } from './cluster-down.ts';
import { clusterMultidb } from './cluster-multidb.ts';
import { clusterRedirect } from './cluster-redirect.ts';
import { codisRebalance } from './codis-rebalance.ts';
import { commandsSweep } from './commands-sweep.ts';
import { conditionalStale } from './conditional-stale.ts';
import { conflictSameKey } from './conflict-same-key.ts';
import { crashLoopTarget } from './crash-loop-target.ts';
import { crossslotWrite } from './crossslot-write.ts';
import { endpointMoveSource } from './endpoint-move-source.ts';
import { endpointMoveTarget } from './endpoint-move-target.ts';
import { engineCrash } from './engine-crash.ts';
import { enginePause } from './engine-pause.ts';
import { engineRestart } from './engine-restart.ts';
import { engineStarve } from './engine-starve.ts';
import { evalEffects } from './eval-effects.ts';
import { evictTarget } from './evict-target.ts';
import { expireStale } from './expire-stale.ts';
import { failoverSource } from './failover-source.ts';
import { failoverSourceCrash } from './failover-source-crash.ts';
import { failoverTarget } from './failover-target.ts';
import { failoverTargetLossy } from './failover-target-lossy.ts';
import { flushSource } from './flush-source.ts';
import { flushdbSource } from './flushdb-source.ts';
import { foreignWrite } from './foreign-write.ts';
import { heartbeatDelete } from './heartbeat-delete.ts';
import { killSourceEmpty } from './kill-source-empty.ts';
import { linkPause } from './link-pause.ts';
import { listResend } from './list-resend.ts';
import { loadFullsync } from './load-fullsync.ts';
import { maxClients } from './max-clients.ts';
import { netBlackhole } from './net-blackhole.ts';
import { netCut } from './net-cut.ts';
import { netDelay } from './net-delay.ts';
import { netHalfclose } from './net-halfclose.ts';
import { netThrottle } from './net-throttle.ts';
import { noReplicas } from './no-replicas.ts';
import { oomShard } from './oom-shard.ts';
import { oomTarget } from './oom-target.ts';
import { outputbufferOverrun } from './outputbuffer-overrun.ts';
import { passwordRotate } from './password-rotate.ts';
import { publish } from './publish.ts';
import { replTimeout } from './repl-timeout.ts';
import { retryExhaust } from './retry-exhaust.ts';
import { reversePause } from './reverse-pause.ts';
import { scaleSource } from './scale-source.ts';
import { scaleTarget } from './scale-target.ts';
import { slowTarget } from './slow-target.ts';
import { snapshotCorrupt } from './snapshot-corrupt.ts';
import { sourceOldSnapshot } from './source-old-snapshot.ts';
import { sourcePause } from './source-pause.ts';
import { specChange } from './spec-change.ts';
import { splitBrain } from './split-brain.ts';
import { swapdb } from './swapdb.ts';
import { targetFlush } from './target-flush.ts';
import { targetLoading } from './target-loading.ts';
import { targetPause } from './target-pause.ts';
import { targetReadonly } from './target-readonly.ts';
import { targetRestart } from './target-restart.ts';
import { targetWritePause } from './target-write-pause.ts';
import { tlsExpireSource } from './tls-expire-source.ts';
import { tlsExpireTarget } from './tls-expire-target.ts';

export const SCENARIOS: readonly Scenario[] = [
  aclRevokeSource,
  aclRevokeTarget,
  backlogOverrun,
  bgsaveFail,
  busyScript,
  clientKill,
  clockSkew,
  clusterDown,
  clusterMultidb,
  clusterRedirect,
  codisRebalance,
  commandsSweep,
  conditionalStale,
  conflictSameKey,
  crashLoopTarget,
  crossslotWrite,
  endpointMoveSource,
  endpointMoveTarget,
  engineCrash,
  enginePause,
  engineRestart,
  engineStarve,
  evalEffects,
  evictTarget,
  expireStale,
  failoverSource,
  failoverSourceCrash,
  failoverTarget,
  failoverTargetLossy,
  flushSource,
  flushdbSource,
  foreignWrite,
  heartbeatDelete,
  killSourceEmpty,
  linkPause,
  listResend,
  loadFullsync,
  maxClients,
  netBlackhole,
  netCut,
  netDelay,
  netHalfclose,
  netThrottle,
  noReplicas,
  oomShard,
  oomTarget,
  outputbufferOverrun,
  passwordRotate,
  publish,
  replTimeout,
  retryExhaust,
  reversePause,
  scaleSource,
  scaleTarget,
  slowTarget,
  snapshotCorrupt,
  sourceOldSnapshot,
  sourcePause,
  specChange,
  splitBrain,
  swapdb,
  targetFlush,
  targetLoading,
  targetPause,
  targetReadonly,
  targetRestart,
  targetWritePause,
  tlsExpireSource,
  tlsExpireTarget,
];

/** The scenario of that name, or null. */
export function findScenario(name: string): Scenario | null {
  return SCENARIOS.find((scenario) => scenario.name === name) ?? null;
}
