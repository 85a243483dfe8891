/** All faults. Adding one is one file and one line here. */
import { aclRevoke } from './acl-revoke.ts';
import { backlogOverflow } from './backlog-overflow.ts';
import { bandwidth } from './bandwidth.ts';
import { bgsaveFail } from './bgsave-fail.ts';
import { blackhole } from './blackhole.ts';
import { busyScript } from './busy-script.ts';
import { codisRebalance } from './codis-rebalance.ts';
import { clockSkew } from './clock-skew.ts';
import { clientPause } from './client-pause.ts';
import { configSet } from './config-set.ts';
import { connectionKill } from './connection-kill.ts';
import { corrupt } from './corrupt.ts';
import { crashLoop } from './crash-loop.ts';
import { crossslot } from './crossslot.ts';
import { endpointMove } from './endpoint-move.ts';
import { engineKill } from './engine-kill.ts';
import { enginePause } from './engine-pause.ts';
import { engineRestart } from './engine-restart.ts';
import { engineStarve } from './engine-starve.ts';
import { failover } from './failover.ts';
import type { FaultDefinition } from './fault.ts';
import { flush } from './flush.ts';
import { halfOpen } from './half-open.ts';
import { heartbeatDelete } from './heartbeat-delete.ts';
import { kill } from './kill.ts';
import { latency } from './latency.ts';
import { limitData } from './limit-data.ts';
import { linkSuspend } from './link-suspend.ts';
import { loading } from './loading.ts';
import { maxClients } from './max-clients.ts';
import { noReplicas } from './no-replicas.ts';
import { outputBufferOverflow } from './output-buffer-overflow.ts';
import { passwordRotate } from './password-rotate.ts';
import { pause } from './pause.ts';
import { readOnly } from './read-only.ts';
import { replTimeout } from './repl-timeout.ts';
import { replidChange } from './replid-change.ts';
import { reshard } from './reshard.ts';
import { resetPeer } from './reset-peer.ts';
import { restartOldSnapshot } from './restart-old-snapshot.ts';
import { rogueWriter } from './rogue-writer.ts';
import { script } from './script.ts';
import { silentDrop } from './silent-drop.ts';
import { slicer } from './slicer.ts';
import { slowClose } from './slow-close.ts';
import { slowCommand } from './slow-command.ts';
import { splitBrain } from './split-brain.ts';
import { staleExpiry } from './stale-expiry.ts';
import { stop } from './stop.ts';
import { swapdb } from './swapdb.ts';
import { targetEvict } from './target-evict.ts';
import { targetOom } from './target-oom.ts';
import { timeout } from './timeout.ts';
import { tlsExpire } from './tls-expire.ts';

export const FAULTS: readonly FaultDefinition[] = [
  script,
  // The network.
  latency,
  bandwidth,
  slicer,
  timeout,
  resetPeer,
  slowClose,
  limitData,
  halfOpen,
  blackhole,
  corrupt,
  silentDrop,
  // Roles and addresses.
  failover,
  endpointMove,
  splitBrain,
  reshard,
  codisRebalance,
  replidChange,
  // Processes and disks.
  kill,
  stop,
  pause,
  crashLoop,
  restartOldSnapshot,
  bgsaveFail,
  // Connections.
  connectionKill,
  backlogOverflow,
  outputBufferOverflow,
  replTimeout,
  maxClients,
  // Servers that refuse or are slow.
  targetOom,
  targetEvict,
  readOnly,
  noReplicas,
  loading,
  busyScript,
  slowCommand,
  clientPause,
  aclRevoke,
  passwordRotate,
  tlsExpire,
  // Data and settings.
  rogueWriter,
  flush,
  swapdb,
  crossslot,
  staleExpiry,
  heartbeatDelete,
  configSet,
  // The engine.
  clockSkew,
  engineKill,
  engineRestart,
  enginePause,
  engineStarve,
  linkSuspend,
];

/** The fault of that name, or null. */
export function findFault(name: string): FaultDefinition | null {
  return FAULTS.find((fault) => fault.name === name) ?? null;
}
