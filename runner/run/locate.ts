/** Where an instance is at this moment: the servers that can be written to and hold its keys together. */
import { askTopology } from '../../engine/connect/cluster-topology.ts';
import { discoveryOf, locateSoon } from '../../engine/connect/discover.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';

/** Where links and clients look for it, on every connect. */
export function whereaboutsOf(instance: Pick<ProvisionedInstance, 'whereabouts' | 'primary'>): Whereabouts {
  return instance.whereabouts ?? instance.primary();
}

/** Its primaries now: after a failover others than at the beginning. @throws SyncError as Discovery.locate, after a while. */
export function primariesOf(instance: ProvisionedInstance, signal?: AbortSignal): Promise<Endpoint[]> {
  return primariesBy(locateSoon, instance, signal);
}

/** The same, asked once. @throws SyncError as Discovery.locate. */
export function primariesNow(instance: ProvisionedInstance, signal?: AbortSignal): Promise<Endpoint[]> {
  return primariesBy(locateNow, instance, signal);
}

async function primariesBy(
  locate: (where: Whereabouts, signal?: AbortSignal) => Promise<Endpoint>,
  instance: ProvisionedInstance,
  signal?: AbortSignal,
): Promise<Endpoint[]> {
  const where = whereaboutsOf(instance);
  if ('kind' in where && where.kind === 'cluster') {
    const { shards } = await askTopology(where.seeds, signal === undefined ? {} : { signal });
    return shards.filter(({ slots }) => slots.length > 0).map(({ primary }) => primary.endpoint);
  }
  return [await locate(where, signal)];
}

function locateNow(where: Whereabouts, signal?: AbortSignal): Promise<Endpoint> {
  return discoveryOf(where).locate(signal === undefined ? {} : { signal });
}

/** @throws SyncError INTERNAL when there is none of that name. */
export function instanceNamed(
  instances: ReadonlyMap<string, ProvisionedInstance>,
  name: string,
): ProvisionedInstance {
  const instance = instances.get(name);
  if (instance === undefined) throw new SyncError('INTERNAL', `Instance ${name} is not there.`);
  return instance;
}

/** Names a fault may use: `source`, `source.primary`, `source.replica(0)`, `target.shard(0)`. */
export function namedEndpoints(
  instances: ReadonlyMap<string, ProvisionedInstance>,
): ReadonlyMap<string, Endpoint> {
  const endpoints = new Map<string, Endpoint>();
  for (const [name, instance] of instances) {
    endpoints.set(name, instance.primary());
    endpoints.set(`${name}.primary`, instance.primary());
    const replicas = instance.nodes.filter((node) => node.role === 'replica');
    for (const [index, node] of replicas.entries()) endpoints.set(`${name}.replica(${index})`, node.endpoint);
    for (const node of instance.nodes) {
      const [, shard] = /^shard-(\d+)$/.exec(node.name) ?? [];
      if (shard !== undefined) endpoints.set(`${name}.shard(${shard})`, node.endpoint);
    }
  }
  return endpoints;
}
