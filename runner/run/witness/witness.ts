/**
 * Gathers what a run is judged by besides the comparison: the ledgers of the workloads and what every instance has of
 * them, rings read while clients write, what servers say about themselves, and what was left behind.
 *
 *   begin()      before the links start
 *   watch()      once they are in sync: rings are read until the workloads have stopped
 *   quiet()      after the drain: nothing may be written any more
 *   account()    what every instance has of the ledgers
 *   end()        after the links ended
 *
 * It only reads. What it cannot read it records as unread; it never ends a run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openCaller } from '../../../engine/connect/cluster-reader.ts';
import type { Whereabouts } from '../../../engine/connect/discovery.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { asError } from '../../../engine/errors.ts';
import type { Evidence, ServerMoment } from '../../../reports/evidence.ts';
import { accountLedger } from '../../../scenarios/workload/ledger-check.ts';
import { Ledger, LANE_KINDS } from '../../../scenarios/workload/ledger.ts';
import type { WorkloadPlan } from '../../../scenarios/workload/workload.ts';
import type { ProvisionedInstance } from '../../provision/provisioner.ts';
import { instanceNamed, primariesNow, whereaboutsOf } from '../locate.ts';
import { findLeftovers } from './leftovers.ts';
import { scanLogs } from './log-scan.ts';
import { readRemains, type WatchedProcess } from './remains.ts';
import { watchRings } from './ring-watch.ts';
import { scanSlots } from './slot-scan.ts';
import { readServerFacts } from './server-facts.ts';
import { WITNESS_NAME } from './witness-name.ts';

/** How long nothing is to be written after the drain. */
const QUIET_MS = 300;
/** How long a server may take to notice that a connection is gone. */
const GONE_MS = 2000;
const POLL_MS = 50;

export interface WitnessOptions {
  links: readonly { source: string; target: string }[];
  instances: () => ReadonlyMap<string, ProvisionedInstance>;
  /** What the run started; see `remains.ts`. */
  processes: () => readonly WatchedProcess[];
  runFolder: string;
  /** Names this run's ledger keys. */
  token: string;
  record: (evidence: Evidence) => void;
  signal: AbortSignal;
}

export class Witness implements AsyncDisposable {
  readonly #options: WitnessOptions;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #watching = new AbortController();
  #watches: Promise<void>[] = [];

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** Where the ledgered writes of a workload are remembered. A proxy that has no transactions gets no rings. */
  ledgerOf({ name, client }: Pick<WorkloadPlan, 'name' | 'client'>): Ledger {
    const known = this.#ledgers.get(name);
    if (known !== undefined) return known;
    const kinds = LANE_KINDS.filter((kind) => kind !== 'ring' || client !== 'codis-proxy');
    // Workloads may share the names of their keys; ledgers may not.
    const ledger = new Ledger(name, `${this.#options.token}:${name}`, kinds);
    this.#ledgers.set(name, ledger);
    return ledger;
  }

  async begin(): Promise<void> {
    await this.#readServers('start');
  }

  watch(): void {
    const signal = AbortSignal.any([this.#watching.signal, this.#options.signal]);
    this.#watches = [...new Set(this.#options.links.map(({ target }) => target))].map((instance) =>
      watchRings({
        instance,
        whereabouts: () => this.#whereaboutsOf(instance),
        ledgers: () => [...this.#ledgers.values()],
        record: this.#options.record,
        signal,
      }),
    );
  }

  async quiet(): Promise<void> {
    await this.#stopWatching();
    await this.#readServers('quiet');
    await sleep(QUIET_MS, undefined, { signal: this.#options.signal }).catch(() => undefined);
    await this.#readServers('still-quiet');
  }

  async account(): Promise<void> {
    const { record, signal } = this.#options;
    await this.#forEachInstance('slots', async (instance) => {
      const where = this.#whereaboutsOf(instance);
      if (!('kind' in where) || where.kind !== 'cluster') return;
      for (const row of await scanSlots(instance, where, signal)) record(row);
    });
    const ledgers = [...this.#ledgers.values()].filter((ledger) => ledger.lanes.length > 0);
    if (ledgers.length === 0) return;
    await this.#forEachInstance('ledger', async (instance) => {
      await using connection = await openCaller(this.#whereaboutsOf(instance), {
        name: WITNESS_NAME,
        signal,
      });
      for (const ledger of ledgers) {
        const accounts = await accountLedger(connection, ledger);
        this.#options.record({ about: 'ledger', instance, accounts });
      }
    });
  }

  async end(): Promise<void> {
    await this.#stopWatching();
    const { record, runFolder, processes } = this.#options;
    record(await readRemains(runFolder, processes()));
    await this.#readServers('end');
    await this.#forEachInstance('leftovers', (instance) => this.#recordLeftovers(instance));
    try {
      for (const lines of await scanLogs(runFolder)) record(lines);
    } catch (error) {
      record({ about: 'unread', what: 'log-lines', instance: runFolder, reason: asError(error).message });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopWatching();
  }

  async #recordLeftovers(instance: string): Promise<void> {
    const { instances, signal } = this.#options;
    for (const endpoint of await primariesNow(instanceNamed(instances(), instance), signal))
      await this.#recordLeftoversAt(instance, endpoint);
  }

  /** A closed connection is listed for a moment longer. */
  async #recordLeftoversAt(instance: string, endpoint: Endpoint): Promise<void> {
    const { record, signal } = this.#options;
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      const found = await findLeftovers(instance, endpoint, signal);
      if (found.clients.length === 0 || waitedMs >= GONE_MS) return record(found);
      await sleep(POLL_MS);
    }
  }

  async #readServers(moment: ServerMoment): Promise<void> {
    const { instances, record, signal } = this.#options;
    await this.#forEachInstance('server', async (instance) => {
      // One that is gone hides none of the others: the instance may have moved to one of them.
      for (const { name: node, endpoint } of instances().get(instance)?.nodes ?? [])
        await this.#try('server', instance, async () => {
          const facts = await readServerFacts(endpoint, signal);
          record({ about: 'server', instance, node, moment, ...facts });
        });
    });
  }

  async #forEachInstance(what: Evidence['about'], read: (instance: string) => Promise<void>): Promise<void> {
    const names = new Set(this.#options.links.flatMap(({ source, target }) => [source, target]));
    await Promise.all([...names].map((instance) => this.#try(what, instance, () => read(instance))));
  }

  async #try(what: Evidence['about'], instance: string, read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      this.#options.record({ about: 'unread', what, instance, reason: asError(error).message });
    }
  }

  async #stopWatching(): Promise<void> {
    this.#watching.abort();
    await Promise.all(this.#watches);
  }

  #whereaboutsOf(name: string): Whereabouts {
    return whereaboutsOf(instanceNamed(this.#options.instances(), name));
  }
}
