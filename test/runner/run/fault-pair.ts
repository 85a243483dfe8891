/**
 * A source with a replica, a target, a link between them and a proxy on both sides: what the contract of faults is tried on.
 * Policies are the ones under which a link goes on whatever happens, so that one pair serves many faults.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discoveryOf } from '../../../engine/connect/discover.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../../engine/link/options.ts';
import type { RunEventBody } from '../../../reports/events.ts';
import { expandPlan } from '../../../runner/plan/expand.ts';
import type { Plan } from '../../../runner/plan/plan.ts';
import { ProcessLedger } from '../../../runner/provision/process-ledger.ts';
import type { ProvisionedInstance } from '../../../runner/provision/provisioner.ts';
import { provisionAll } from '../../../runner/provision/registry.ts';
import { FaultSubjects } from '../../../runner/run/fault-subjects.ts';
import { Gates } from '../../../runner/run/gates.ts';
import { Links } from '../../../runner/run/links.ts';
import type { FaultContext } from '../../../scenarios/faults/fault.ts';
import { systemClock } from '../../../scenarios/timeline/clock.ts';

export const LINK = 'source-to-target';

export class FaultPair implements AsyncDisposable {
  readonly events: RunEventBody[] = [];
  readonly #folder: string;
  readonly #ledger: ProcessLedger;
  readonly #instances: ReadonlyMap<string, ProvisionedInstance>;
  readonly #gates: Gates;
  readonly #links: Links;
  readonly #subjects: FaultSubjects;
  #markers = 0;

  private constructor(
    folder: string,
    plan: Plan,
    ledger: ProcessLedger,
    instances: ReadonlyMap<string, ProvisionedInstance>,
    gates: Gates,
  ) {
    this.#folder = folder;
    this.#ledger = ledger;
    this.#instances = instances;
    this.#gates = gates;
    this.#links = new Links({
      links: plan.links,
      engine: {
        ...DEFAULT_ENGINE_OPTIONS,
        flush: 'propagate',
        emptySource: 'follow',
        idleTimeoutMs: 1000,
        retryMs: 30_000,
        heartbeatMs: 100,
      },
      whereaboutsOf: (name) => this.#whereabouts(name),
      routesOf: (source) => gates.routesOf(source),
      isDisposable: () => false,
      runFolder: folder,
      emit: (event) => this.events.push(event),
      phase: () => 'incremental',
      onProcess: (pid, what, logFile) => void ledger.record(pid, { what, group: false, logFile }),
      signal: new AbortController().signal,
    });
    this.#subjects = new FaultSubjects({
      plans: plan.links,
      instances: () => instances,
      engine: this.#links,
      gates: () => gates,
    });
  }

  /** Resolves when the link is in sync. @param options.movable the instance whose clock can be moved. */
  static async start(options: { movable?: string } = {}): Promise<FaultPair> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-faults-'));
    const plan = planOf(options.movable);
    const ledger = await ProcessLedger.open(folder);
    const instances = await provisionAll(plan.instances, { runFolder: folder, processes: ledger });
    const gates = await Gates.open(plan, {
      logFile: join(folder, 'proxy.log'),
      onStarted: (pid) => void ledger.record(pid, { what: 'proxy', group: false }),
    });
    for (const { name, nodes } of instances.values())
      await gates.admit(
        name,
        nodes.map(({ endpoint }) => endpoint),
      );
    const pair = new FaultPair(folder, plan, ledger, instances, gates);
    await pair.seed();
    await pair.#links.start();
    await pair.#links.synchronized(new AbortController().signal);
    return pair;
  }

  get failure(): Error | undefined {
    return this.#links.failure;
  }

  /** Data for faults that need some: half of it with an expiry, in two databases. */
  async seed(): Promise<void> {
    await using connection = await Connection.open(await this.primary('source'));
    for (const database of ['0', '1']) {
      await connection.call('SELECT', database);
      await connection.pipeline(
        Array.from({ length: 400 }, (_, index) => [
          'SET',
          `key:${index}`,
          'x'.repeat(200),
          ...(index % 2 === 0 ? ['EX', '3600'] : []),
        ]),
      );
    }
  }

  /** Writes something at the source and waits until it is at the target: the link works, whatever was; or it has failed. */
  async works(): Promise<true | Error> {
    const key = `marker:${++this.#markers}`;
    for (;;) {
      if (this.#links.failure !== undefined) return this.#links.failure;
      // A write to a server that is on its way out is written again to the next one.
      await this.#try('source', (connection) => connection.call('SET', key, 'here'));
      const found = await this.#try('target', (connection) => connection.call('EXISTS', key));
      if (found === 1) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Commands that go on by themselves until they are stopped, for faults that need traffic. */
  traffic(): AsyncDisposable {
    const over = new AbortController();
    const going = (async () => {
      for (let index = 0; !over.signal.aborted; index++) {
        await this.#try('source', (connection) =>
          connection.pipeline(
            Array.from({ length: 5 }, (_, each) => ['SET', `traffic:${index % 50}:${each}`, 'x'.repeat(100)]),
          ),
        );
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    return {
      async [Symbol.asyncDispose]() {
        over.abort();
        await going;
      },
    };
  }

  context(step: string, where: string, settings: Record<string, unknown>): FaultContext {
    return {
      step,
      firing: 1,
      where,
      with: settings,
      instances: new Map([...this.#instances.values()].map((each) => [each.name, each.primary()])),
      subjects: this.#subjects,
      emit: (event) => this.events.push(event),
      goOn: () => undefined,
      signal: new AbortController().signal,
      clock: systemClock,
    };
  }

  primary(instance: string): Promise<Endpoint> {
    return discoveryOf(this.#whereabouts(instance)).locate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#links.stop();
    await this.#gates[Symbol.asyncDispose]();
    for (const instance of this.#instances.values()) await instance.stop();
    await this.#ledger[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #whereabouts(name: string) {
    const instance = this.#instances.get(name);
    if (instance === undefined) throw new Error(`no instance ${name}`);
    return (
      instance.whereabouts ?? { kind: 'list' as const, endpoints: instance.nodes.map((n) => n.endpoint) }
    );
  }

  async #try<T>(instance: string, work: (connection: Connection) => Promise<T>): Promise<T | undefined> {
    try {
      await using connection = await Connection.open(await this.primary(instance), { replyTimeoutMs: 500 });
      return await work(connection);
    } catch {
      return undefined;
    }
  }
}

/** The proxy stands where a timeline aims: a step on each side puts it there. */
function planOf(movable: string | undefined): Plan {
  const spec = {
    name: 'faults',
    instances: {
      source: { replicas: 1, config: { 'repl-backlog-size': '1mb' } },
      target: {},
    },
    topology: { kind: 'one-way' as const, source: 'source', target: 'target' },
    data: [],
    workload: [],
    timeline: [
      { fault: 'latency' as const, where: `link:${LINK}.source`, at: '1h' },
      { fault: 'latency' as const, where: `link:${LINK}.target`, at: '1h' },
      ...(movable === undefined ? [] : [{ fault: 'clock-skew' as const, where: movable, at: '1h' }]),
    ],
  };
  return expandPlan(spec, { specPath: 'spec.yaml', sha256: '' });
}
