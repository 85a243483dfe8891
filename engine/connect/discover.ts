/** The Discovery for an instance's whereabouts, and a connection to wherever it is at this moment. */
import { Connection, type ConnectOptions } from './connection.ts';
import { AddressList } from './address-list.ts';
import { ClusterEntry } from './cluster-entry.ts';
import { ClusterShard } from './cluster-shard.ts';
import type { Discovery, Whereabouts } from './discovery.ts';
import { FixedAddress } from './fixed-address.ts';
import { SentinelWatch } from './sentinel-watch.ts';

export function discoveryOf(whereabouts: Whereabouts): Discovery {
  if (!('kind' in whereabouts)) return new FixedAddress(whereabouts);
  switch (whereabouts.kind) {
    case 'list':
      return new AddressList(whereabouts.endpoints);
    case 'sentinel':
      return new SentinelWatch(whereabouts);
    case 'cluster':
      return new ClusterEntry(whereabouts);
    case 'cluster-shard':
      return new ClusterShard(whereabouts);
    default:
      return whereabouts satisfies never;
  }
}

/** @throws SyncError as Discovery.locate and Connection.open. */
export async function openWhere(whereabouts: Whereabouts, options: ConnectOptions = {}): Promise<Connection> {
  const { signal } = options;
  const endpoint = await discoveryOf(whereabouts).locate(signal === undefined ? {} : { signal });
  return Connection.open(endpoint, options);
}
