/**
 * Where a server is may change while a link runs: after a failover, a move, a changed DNS record. A Discovery is asked before
 * every attempt to connect and answers with the endpoint to try now.
 *
 * An implementation (one file each: fixed-address, address-list, sentinel-watch, cluster-shard) must
 *   - find out anew on every call; the answer of a minute ago may be the cause of this attempt;
 *   - give an address whose server says that it is a primary, where there is a choice at all;
 *   - throw a retryable CONNECT error that names every address and what it said, when there is none now.
 * It must not retry or wait by itself beyond one round (its caller has the budget), nor keep connections open.
 */
import type { Endpoint } from './endpoint.ts';

/** The same instance at several possible addresses, in order of preference. */
export interface EndpointList {
  kind: 'list';
  endpoints: Endpoint[];
}

/** A primary that Sentinels watch under a name. */
export interface SentinelWatch {
  kind: 'sentinel';
  name: string;
  /** The Sentinels, with their own login. */
  sentinels: Endpoint[];
  /** Login and TLS of the servers that the Sentinels name. */
  login: Omit<Endpoint, 'host' | 'port'>;
}

/** A cluster, found through any of its nodes. */
export interface ClusterEntry {
  kind: 'cluster';
  /** Nodes that may be asked; their login is that of all nodes. */
  seeds: Endpoint[];
}

/** One shard of a cluster: whoever is the primary of these nodes. */
export interface ClusterShard {
  kind: 'cluster-shard';
  seeds: Endpoint[];
  /** Ids of nodes of the shard, its primary first. */
  members: string[];
  /** Ids of nodes of the other shards: a shard of theirs is not this one, even when nodes of this one have gone over to it. */
  others?: string[];
}

/** Where an instance may be found. Plain JSON: it crosses IPC. A plain endpoint is a fixed address. */
export type Whereabouts = Endpoint | EndpointList | SentinelWatch | ClusterEntry | ClusterShard;

export interface LocateOptions {
  /** The replication history that we want to continue, if any: of several primaries the one that knows it is right. */
  replid?: string;
  signal?: AbortSignal;
}

export interface Discovery {
  /** @throws SyncError CONNECT (retryable), AUTH, PERMISSION. */
  locate(options?: LocateOptions): Promise<Endpoint>;
  /** The endpoint did what was wanted of it: prefer it next time. */
  confirm(endpoint: Endpoint): void;
  /** Safe to print: `10.0.0.5:6379`, `one of …`, `mymaster of Sentinel …`. */
  describe(): string;
}
