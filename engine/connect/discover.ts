/** The Discovery for an instance's whereabouts, and a connection to wherever it is at this moment. */
import { Connection, type ConnectOptions } from './connection.ts';
import { AddressList } from './address-list.ts';
import { ClusterEntry } from './cluster-entry.ts';
import { ClusterShard } from './cluster-shard.ts';
import type { Discovery, Whereabouts } from './discovery.ts';
import type { Endpoint } from './endpoint.ts';
import { SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';
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

const FAILOVER_MS = 30_000;
const ASK_AGAIN_MS = 200;

/**
 * Where the instance is, also when it is just being failed over: then it is asked again for half a minute.
 *
 * @throws SyncError as Discovery.locate.
 */
export async function locateSoon(whereabouts: Whereabouts, signal?: AbortSignal): Promise<Endpoint> {
  const discovery = discoveryOf(whereabouts);
  for (let waitedMs = 0; ; waitedMs += ASK_AGAIN_MS) {
    try {
      return await discovery.locate(signal === undefined ? {} : { signal });
    } catch (error) {
      const mayPass = error instanceof SyncError && error.retryable && waitedMs < FAILOVER_MS;
      if (!mayPass || signal?.aborted === true) throw error;
      await delay(ASK_AGAIN_MS, signal);
    }
  }
}

/** @throws SyncError as Discovery.locate and Connection.open. */
export async function openWhere(whereabouts: Whereabouts, options: ConnectOptions = {}): Promise<Connection> {
  const { signal } = options;
  const endpoint = await discoveryOf(whereabouts).locate(signal === undefined ? {} : { signal });
  return Connection.open(endpoint, options);
}
