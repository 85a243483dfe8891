/** Starts a workload: resolves its mix, asks the servers what they have, opens the clients. */
import { Connection } from '../../engine/connect/connection.ts';
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import { WorkloadClient } from './client.ts';
import type { Ledger } from './ledger.ts';
import { resolveMix, type WeightedOperation } from './mix.ts';
import { Workload } from './open-loop.ts';
import type { DumpPayloads } from './operation.ts';
import { OperationChooser } from './operation-chooser.ts';
import { OperationScript } from './operation-script.ts';
import { makePayloads, supportedOperations } from './server-support.ts';
import { Tally } from './tally.ts';
import type { WorkloadPlan } from './workload.ts';

export interface WorkloadOptions {
  seed: number;
  /** Ends the arrivals. `stop()` is still to be called. */
  signal?: AbortSignal;
  /** Makes about a tenth of the traffic ledgered writes. */
  ledger?: Ledger;
  /** Wall clock, ms since the epoch. Default Date.now. */
  now?: () => number;
}

/** How long the arrivals of a stalled server are kept. */
const QUEUE_SECONDS = 1;
const QUEUE_MIN = 100;

/**
 * Starts the traffic of `plan`; its clients are spread over `endpoints` in turn. An operation the servers do not have is
 * left out and listed in the result. Once started, nothing a server answers or does ends it.
 *
 * @throws SyncError SPEC_INVALID (a name in the mix is unknown, or none of its operations is supported), CONNECT, AUTH,
 * or what the first server refused (a database that does not exist).
 */
export async function startWorkload(
  endpoints: readonly Endpoint[],
  plan: WorkloadPlan,
  options: WorkloadOptions,
): Promise<Workload> {
  const resolved = resolveMix(plan.mix);
  if ('unknown' in resolved) {
    throw new SyncError(
      'SPEC_INVALID',
      `The mix of workload ${plan.name} names ${resolved.unknown.join(', ')}.`,
      {
        hint: 'A mix is made of command names and of family names.',
      },
    );
  }
  const clients: WorkloadClient[] = [];
  const tally = new Tally();
  try {
    const { operations, unsupported, payloads } = await probe(endpoints, plan, resolved.ok);
    const now = options.now ?? Date.now;
    const count = Math.max(plan.clients, endpoints.length, 1);
    const startedMs = now();
    const prepare = [...new Set(operations.map(({ family }) => family))].flatMap(
      (family) => family.prepare ?? [],
    );
    for (let client = 0; client < count; client++) {
      const { name: workload, prefix, keyspace, databases } = plan;
      const script = new OperationScript({
        seed: options.seed,
        workload,
        prefix,
        keyspace,
        client,
        clients: count,
        databases,
        now,
        startedMs,
        payloads,
      });
      clients.push(
        await WorkloadClient.open({
          endpoint: at(endpoints, client),
          name: `redis-sync-workload-${client}`,
          seed: options.seed,
          script,
          chooser: new OperationChooser(operations, client, count),
          tally,
          prefix,
          databases,
          prepare,
          queueMax: Math.max(QUEUE_MIN, Math.ceil((plan.ratePerSecond * QUEUE_SECONDS) / count)),
          ...(options.ledger ? { ledger: options.ledger } : {}),
        }),
      );
    }
    return new Workload({
      endpoints,
      plan,
      clients,
      tally,
      operations,
      unsupported,
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    await Promise.all(clients.map((client) => client.stop(0)));
    throw error;
  }
}

async function probe(
  endpoints: readonly Endpoint[],
  plan: WorkloadPlan,
  wanted: readonly WeightedOperation[],
) {
  let operations = [...wanted];
  const unsupported = new Set<string>();
  // RESTORE payloads of the oldest server would do for all; of the first one is enough while versions are equal.
  let payloads: DumpPayloads = { string: Buffer.alloc(0), hash: Buffer.alloc(0) };
  for (const [index, endpoint] of endpoints.entries()) {
    await using connection = await Connection.open(endpoint, { name: 'redis-sync-workload-probe' });
    const supported = await supportedOperations(connection, operations, plan.databases.length);
    operations = supported.operations;
    for (const name of supported.unsupported) unsupported.add(name);
    if (index === 0) payloads = await makePayloads(connection, plan.prefix);
  }
  if (operations.length === 0) {
    throw new SyncError('SPEC_INVALID', `The server has no command of the mix of workload ${plan.name}.`, {
      where: endpoints.map(describeEndpoint).join(', '),
      hint: 'Choose commands this version has, or give the commands a weight above 0.',
    });
  }
  return { operations, unsupported: [...unsupported].toSorted(), payloads };
}

function at(endpoints: readonly Endpoint[], client: number): Endpoint {
  const endpoint = endpoints[client % endpoints.length];
  if (endpoint === undefined) throw new RangeError('a workload needs an endpoint');
  return endpoint;
}
