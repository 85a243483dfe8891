/**
 * Reads every ring on one instance again and again while clients write, and records what changed: a transaction that is
 * seen in part, and a value that goes back, show nowhere else once the data is equal at the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openCaller, type Caller } from '../../../engine/connect/cluster-reader.ts';
import type { Whereabouts } from '../../../engine/connect/discovery.ts';
import type { Evidence } from '../../../reports/evidence.ts';
import { readRing } from '../../../scenarios/workload/ledger-check.ts';
import type { Lane, Ledger } from '../../../scenarios/workload/ledger.ts';
import { WITNESS_NAME } from './witness-name.ts';

const INTERVAL_MS = 100;

export interface RingWatchOptions {
  instance: string;
  whereabouts: () => Whereabouts;
  ledgers: () => readonly Ledger[];
  record: (evidence: Evidence) => void;
  signal: AbortSignal;
}

/** Runs until the signal aborts. A server that is away is asked again later; that is not what is looked for here. */
export async function watchRings(options: RingWatchOptions): Promise<void> {
  const { signal, whereabouts } = options;
  const last = new Map<string, string>();
  let connection: Caller | undefined;
  while (!signal.aborted) {
    try {
      connection ??= await openCaller(whereabouts(), { name: WITNESS_NAME, replyTimeoutMs: 5000, signal });
      await readOnce(connection, options, last);
    } catch {
      await connection?.close();
      connection = undefined;
    }
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  await connection?.close();
}

async function readOnce(
  connection: Caller,
  { instance, ledgers, record }: RingWatchOptions,
  last: Map<string, string>,
): Promise<void> {
  const rings: Record<string, (number | null)[]> = {};
  for (const lane of ledgers().flatMap((ledger) => ledger.lanes)) {
    if (lane.kind !== 'ring') continue;
    const values = await readLane(connection, lane);
    const name = ringName(lane);
    const text = values.join();
    if (last.get(name) === text) continue;
    last.set(name, text);
    rings[name] = values;
  }
  if (Object.keys(rings).length > 0) record({ about: 'rings', instance, rings });
}

async function readLane(connection: Caller, lane: Lane): Promise<(number | null)[]> {
  await connection.call('SELECT', lane.database);
  return readRing(connection, lane.key);
}

/** One name per lane: the same key may be a ring in several databases. */
function ringName({ database, key }: Lane): string {
  return `${key} in db ${database}`;
}
