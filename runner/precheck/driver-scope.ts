/** Which prechecks speak of whoever replicates: the rights that our own engine needs say nothing about another one. */
import type { DriverKind } from '../plan/driver.ts';
import { PRECHECKS } from './registry.ts';

/** What must be so whoever replicates; of a service that runs already the two sides may well share a history. */
const ALWAYS = ['conn.source', 'conn.destination', 'auth.login', 'arch.match'];
/** Of an engine that nobody knows, before it starts. */
const BEFORE_A_COPY = [
  ...ALWAYS,
  'topology.distinct',
  'topology.ownership',
  'role.source',
  'role.destination',
  'version.source',
  'version.destination',
  'version.order',
  'modules.source',
  'destination.empty',
  'capacity.memory',
  'eviction.destination',
];
/** Only our own engine writes a heartbeat, or anything at all, through a client. */
const NOT_OF_A_REPLICA = ['priv.write.source', 'priv.write.destination', 'heartbeat.collision'];

/** The ids that apply; all of them without `only`. */
export function precheckScope(driver: DriverKind): { only?: readonly string[] } {
  switch (driver) {
    case 'redis-sync':
      return {};
    case 'replica':
      return { only: PRECHECKS.map(({ id }) => id).filter((id) => !NOT_OF_A_REPLICA.includes(id)) };
    case 'command':
      return { only: BEFORE_A_COPY };
    case 'external':
      return { only: ALWAYS };
    default:
      return driver satisfies never;
  }
}
