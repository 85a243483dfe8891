/** Starts a workload: resolves its mix, asks the servers what they have, opens the clients. */
import { discoveryOf, openWhere } from '../../engine/connect/discover.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import { delay } from '../../engine/psync/backoff.ts';
import type { Placement } from '../data/placement.ts';
import { WorkloadClient } from './client.ts';
import { passesCodisProxy } from './codis-proxy.ts';
import type { Ledger } from './ledger.ts';
import { resolveMix, type WeightedOperation } from './mix.ts';
import { Workload } from './open-loop.ts';
import { operationName, type DumpPayloads } from './operation.ts';
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
  /** The instance that each key belongs to; a client writes only keys of its own. Default: it may write any. */
  placement?: Placement;
  /** Keys may go from one instance to another while clients write: slots of a Codis cluster. */
  keysMove?: boolean;
  /** Wall clock, ms since the epoch. Default Date.now. */
  now?: () => number;
}

/** An instance that clients write to. */
export interface WorkloadPlace {
  instance: string;
  /**
   * Where it is to be found now, as its DNS record or the application's configuration says. Asked on every connect: the clients
   * follow it through a failover, and to another address.
   */
  whereabouts: () => Whereabouts;
  /** It is one shard of a cluster. */
  part?: {
    /** What `placement` calls it. */
    name: string;
    /** Hash tags of the slots that it has now; none: its clients wait for some. */
    tags: readonly string[];
    /** The part that a key belongs to now. */
    placement: Placement;
    /** A server said that a slot is elsewhere. */
    onMoved: () => void;
  };
}

/** A server that closes connections just then (it fails over, an account is cut off) is asked again this often. */
const OPEN_ATTEMPTS = 5;
const OPEN_PAUSE_MS = 300;
/** Slots tried for the payloads of RESTORE. */
const SAMPLE_SLOTS = 8;

/** How long the arrivals of a stalled server are kept. */
const QUEUE_SECONDS = 1;
const QUEUE_MIN = 100;

/**
 * Starts the traffic of `plan`; its clients are spread over `places` in turn. An operation the servers do not have is
 * left out and listed in the result. Once started, nothing a server answers or does ends it.
 *
 * @throws SyncError SPEC_INVALID (a name in the mix is unknown, or none of its operations is supported), CONNECT, AUTH,
 * or what the first server refused (a database that does not exist).
 */
export async function startWorkload(
  places: readonly (WorkloadPlace | Endpoint)[],
  plan: WorkloadPlan,
  options: WorkloadOptions,
): Promise<Workload> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await openWorkload(places, plan, options);
    } catch (error) {
      const again = error instanceof SyncError && error.retryable && attempt < OPEN_ATTEMPTS;
      if (!again || options.signal?.aborted === true) throw error;
      await delay(OPEN_PAUSE_MS, options.signal);
    }
  }
}

async function openWorkload(
  places: readonly (WorkloadPlace | Endpoint)[],
  plan: WorkloadPlan,
  options: WorkloadOptions,
): Promise<Workload> {
  const where = places.map((place) =>
    'instance' in place ? place : { instance: describeEndpoint(place), whereabouts: () => place },
  );
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
    const { operations, unsupported, payloads } = await probe(where, plan, resolved.ok, options.placement);
    const now = options.now ?? Date.now;
    const count = Math.max(plan.clients, where.length, 1);
    const startedMs = now();
    const prepare = [...new Set(operations.map(({ family }) => family))].flatMap(
      (family) => family.prepare ?? [],
    );
    for (let client = 0; client < count; client++) {
      const { name: workload, prefix, keyspace, databases } = plan;
      const { instance, whereabouts, part } = at(where, client);
      const placement = part?.placement ?? options.placement;
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
        splits: plan.client === 'codis-proxy',
        ...(placement
          ? { owns: (key: string) => placement(Buffer.from(key)) === (part?.name ?? instance) }
          : {}),
        ...(part ? { slotTags: part.tags } : {}),
      });
      clients.push(
        await WorkloadClient.open({
          whereabouts,
          name: `redis-sync-workload-${client}`,
          seed: options.seed,
          script,
          chooser: new OperationChooser(
            operations,
            client,
            count,
            (operation) => (tally.perOperation.get(operationName(operation))?.ok ?? 0) > 0,
          ),
          tally,
          prefix,
          databases,
          prepare,
          queueMax: Math.max(QUEUE_MIN, Math.ceil((plan.ratePerSecond * QUEUE_SECONDS) / count)),
          ...(part ? { onMoved: part.onMoved } : {}),
          ...(options.ledger ? { ledger: options.ledger } : {}),
          // A proxy's clients find their keys wherever the slots are by then, and so do those who look at the groups.
          ...(plan.client === 'codis-proxy' || options.keysMove === true ? {} : { origin: instance }),
        }),
      );
    }
    return new Workload({
      target: where.map(({ whereabouts }) => discoveryOf(whereabouts()).describe()).join(', '),
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
  places: readonly WorkloadPlace[],
  plan: WorkloadPlan,
  wanted: readonly WeightedOperation[],
  placement: Placement | undefined,
) {
  let operations = plan.client === 'codis-proxy' ? wanted.filter(passesCodisProxy) : [...wanted];
  const unsupported = new Set<string>();
  // RESTORE payloads of the oldest server would do for all; of the first one is enough while versions are equal.
  let payloads: DumpPayloads = { string: Buffer.alloc(0), hash: Buffer.alloc(0) };
  for (const [index, { instance, whereabouts, part }] of places.entries()) {
    await using connection = await openWhere(whereabouts(), { name: 'redis-sync-workload-probe' });
    const supported = await supportedOperations(connection, operations, plan.databases.length);
    operations = supported.operations;
    for (const name of supported.unsupported) unsupported.add(name);
    if (index === 0) {
      const isOwn = (key: string): boolean =>
        placement === undefined || placement(Buffer.from(key)) === (part?.name ?? instance);
      for (const prefix of samplePrefixes(plan.prefix, part?.tags ?? [])) {
        payloads = await makePayloads(connection, prefix, isOwn);
        if (payloads.string.length > 0 && payloads.hash.length > 0) break;
      }
    }
  }
  if (operations.length === 0) {
    throw new SyncError('SPEC_INVALID', `The server has no command of the mix of workload ${plan.name}.`, {
      where: places.map(({ whereabouts }) => discoveryOf(whereabouts()).describe()).join(', '),
      hint: 'Choose commands this version has, or give the commands a weight above 0.',
    });
  }
  return { operations, unsupported: [...unsupported].toSorted(), payloads };
}

/** Of slots far from each other: one of them may be on its way to another shard just now. */
function samplePrefixes(prefix: string, tags: readonly string[]): string[] {
  const step = Math.ceil(tags.length / SAMPLE_SLOTS);
  const some = tags.filter((_, index) => index % step === 0);
  return tags.length === 0 ? [prefix] : some.map((tag) => `${prefix}{${tag}}`);
}

function at(places: readonly WorkloadPlace[], client: number): WorkloadPlace {
  const place = places[client % places.length];
  if (place === undefined) throw new RangeError('a workload needs an instance');
  return place;
}
