/** Every precheck, in the order of the rows: can we talk, who is it, may we, will it fit, will it hold. */
import { archMatch } from './checks/arch-match.ts';
import { authLogin } from './checks/auth-login.ts';
import { capacityMemory } from './checks/capacity-memory.ts';
import { connDestination, connSource } from './checks/conn.ts';
import { destinationEmpty } from './checks/destination-empty.ts';
import { evictionDestination } from './checks/eviction-destination.ts';
import { heartbeatCollision } from './checks/heartbeat-collision.ts';
import { modulesSource } from './checks/modules-source.ts';
import { privReplication } from './checks/priv-replication.ts';
import { privWriteDestination } from './checks/priv-write-destination.ts';
import { privWriteSource } from './checks/priv-write-source.ts';
import { replBacklog } from './checks/repl-backlog.ts';
import { replOutputBuffer } from './checks/repl-outputbuffer.ts';
import { replPsync2 } from './checks/repl-psync2.ts';
import { replTimeout } from './checks/repl-timeout.ts';
import { restoreCompat } from './checks/restore-compat.ts';
import { roleDestination } from './checks/role-destination.ts';
import { roleSource } from './checks/role-source.ts';
import { clusterCrossSlot } from './checks/cluster-crossslot.ts';
import { clusterDatabases } from './checks/cluster-databases.ts';
import { topologyDistinct } from './checks/topology-distinct.ts';
import { topologyOwnership } from './checks/topology-ownership.ts';
import { versionDestination, versionOrder, versionSource } from './checks/version.ts';
import type { Precheck } from './precheck.ts';

export const PRECHECKS: readonly Precheck[] = [
  connSource,
  connDestination,
  authLogin,
  archMatch,
  roleSource,
  roleDestination,
  topologyDistinct,
  topologyOwnership,
  clusterDatabases,
  clusterCrossSlot,
  privReplication,
  replPsync2,
  privWriteSource,
  privWriteDestination,
  versionSource,
  versionDestination,
  versionOrder,
  restoreCompat,
  modulesSource,
  destinationEmpty,
  heartbeatCollision,
  capacityMemory,
  evictionDestination,
  replTimeout,
  replBacklog,
  replOutputBuffer,
];
