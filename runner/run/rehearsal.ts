/**
 * One run of one plan: provision → precheck → seed → full sync → incremental → settle → verify → judge → report → teardown.
 *
 * Whatever goes wrong on the way, faults are healed, writers stopped, what is there is judged, and everything that was
 * started is ended: an error only shortens the way. History is on disk before it is judged.
 */
import { join } from 'node:path';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { delay as pause } from '../../engine/psync/backoff.ts';
import { formatCount } from '../../reports/display.ts';
import type {
  Comparison,
  EngineResult,
  LinkResult,
  PrecheckRow,
  Results,
  WorkloadResult,
} from '../../reports/results.ts';
import type { CodisSlotTable } from '../../scenarios/data/placement.ts';
import { systemClock } from '../../scenarios/timeline/clock.ts';
import { Timeline } from '../../scenarios/timeline/timeline.ts';
import { isExisting } from '../plan/existing.ts';
import { isDisposableTarget } from '../plan/disposable-targets.ts';
import { comparisonsOf, type ComparisonPlan } from '../plan/comparisons.ts';
import type { LinkPlan, Plan } from '../plan/plan.ts';
import { isAlive } from '../provision/process-identity.mjs';
import { ProcessLedger } from '../provision/process-ledger.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { provisionAll } from '../provision/registry.ts';
import type { EngineDriver } from './drivers/driver.ts';
import { createDriver } from './drivers/registry.ts';
import { runComparisons, describeCompared, describeComparing } from './comparison.ts';
import { recordFailure } from './failure.ts';
import { codisSlotsOf } from './key-shares.ts';
import { FaultSubjects } from './fault-subjects.ts';
import { Gates } from './gates.ts';
import { countHeartbeatKeys } from './heartbeat-keys.ts';
import type { History } from './history.ts';
import { interruptible } from './interruptible.ts';
import { checkKeyOwnership } from './key-ownership.ts';
import { instanceNamed, namedEndpoints, primariesOf, whereaboutsOf } from './locate.ts';
import { Phases } from './phases.ts';
import { describeInstances } from './results.ts';
import { seedInstances } from './seed.ts';
import type { RunFolder } from './run-folder.ts';
import { checkLateStart, checkStart, refuseBlocked, type StartCheck } from './start-check.ts';
import { Witness } from './witness/witness.ts';
import { Workloads } from './workloads.ts';

export interface RehearsalOptions {
  plan: Plan;
  folder: RunFolder;
  history: History;
  /** Aborted by Ctrl-C: heal, judge what is there, tear down. */
  signal: AbortSignal;
  /** Leave the servers up. */
  keep: boolean;
  /** Relative paths of the plan begin here: the spec's folder. */
  baseFolder: string;
  /** Where PATH and the secrets named by the spec come from. */
  env: NodeJS.ProcessEnv;
  /** See DriverOptions. */
  engineCommand?: readonly string[];
  /** Shows how far a long phase is; the next line replaces it. */
  show: (line: string) => void;
}

/** Everything a run collected; what the results document is made of. */
export interface RehearsalOutcome {
  instances: ReadonlyMap<string, ProvisionedInstance>;
  phases: Phases;
  /** Who replicated; null: redis-sync's own engine. */
  engine: EngineResult | null;
  /** Of what replicated, by what they are. */
  logFiles: Readonly<Record<string, string>>;
  links: LinkResult[];
  precheck: PrecheckRow[];
  workload: WorkloadResult[];
  comparison: Comparison | null;
  heartbeatKeysOnTargets: number | null;
  error: Results['error'];
}

export class Rehearsal implements AsyncDisposable {
  readonly #options: RehearsalOptions;
  readonly #phases: Phases;
  readonly #links: EngineDriver;
  readonly #timeline: Timeline;
  readonly #witness: Witness;
  #processes: ProcessLedger | undefined;
  #gates: Gates | undefined;
  #instances: ReadonlyMap<string, ProvisionedInstance> = new Map();
  #precheck: PrecheckRow[] = [];
  readonly #workloads: Workloads;
  readonly #slots: CodisSlotTable | undefined;
  #comparison: Comparison | null = null;
  #heartbeatKeysOnTargets: number | null = null;
  #error: Results['error'] = null;
  #ended: Promise<void> | undefined;

  constructor(options: RehearsalOptions) {
    this.#options = options;
    const { plan, folder, history } = options;
    const emit = history.emit.bind(history);
    this.#phases = new Phases(history);
    this.#slots = codisSlotsOf(plan);
    this.#links = createDriver(plan.driver, {
      links: plan.links,
      engine: plan.engine,
      whereaboutsOf: (name) => whereaboutsOf(instanceNamed(this.#instances, name)),
      routesOf: (source) => this.#gates?.routesOf(source) ?? {},
      isDisposable: (link) => isDisposableTarget(plan, link),
      runFolder: folder.path,
      ...(options.engineCommand === undefined ? {} : { engineCommand: options.engineCommand }),
      emit,
      phase: () => this.#phases.current,
      signal: options.signal,
      endpointOf: (name) => this.#endpointOf(name),
      baseFolder: options.baseFolder,
      env: options.env,
      onProcess: (pid, what, logFile, group) => this.#recordProcess(pid, what, logFile, group),
      beforeStart: (links) => this.#checkLateStart(links),
    });
    this.#timeline = new Timeline({
      steps: plan.timeline,
      clock: systemClock,
      instances: () => namedEndpoints(this.#instances),
      subjects: new FaultSubjects({
        plans: plan.links,
        instances: () => this.#instances,
        engine: this.#links.controls,
        slots: () => this.#slots,
        writersSettled: () => this.#workloads.settled(),
        gates: () => this.#gates,
      }),
      emit,
    });
    history.subscribe((event) => this.#timeline.observe(event));
    this.#witness = new Witness({
      links: plan.links,
      instances: () => this.#instances,
      processes: () => this.#replicators(),
      runFolder: folder.path,
      token: folder.id.slice(-4),
      record: (evidence) => void emit({ kind: 'evidence', evidence }),
      signal: options.signal,
    });
    this.#workloads = new Workloads({
      plan,
      history,
      witness: this.#witness,
      slots: this.#slots,
      instanceNamed: (name) => instanceNamed(this.#instances, name),
      signal: options.signal,
    });
    // A step that is under way ends with the run.
    options.signal.addEventListener('abort', () => void this.#timeline.healAll(), { once: true });
  }

  /** What was started, for `--keep`. */
  get processes(): ProcessLedger | undefined {
    return this.#processes;
  }

  /** Never throws for what servers do; the error is in the outcome. */
  async run(): Promise<RehearsalOutcome> {
    try {
      await this.#prepare();
      await this.#replicate();
    } catch (error) {
      this.#fail(error);
      await this.#calm();
    }
    try {
      if (this.#isWorthComparing) await this.#verify();
    } catch (error) {
      this.#fail(error);
    }
    await this.#windDown();
    try {
      await this.#witness.end();
    } catch (error) {
      this.#fail(error);
    }
    return {
      instances: this.#instances,
      phases: this.#phases,
      engine: this.#links.description,
      logFiles: this.#links.logFiles,
      links: this.#links.monitors.map((monitor) => monitor.result()),
      precheck: this.#precheck,
      workload: this.#workloads.results(),
      comparison: this.#comparison,
      heartbeatKeysOnTargets: this.#heartbeatKeysOnTargets,
      error: this.#error,
    };
  }

  /** Ends everything that was started, in reverse order. Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    await this.#links.stop();
    await this.#gates?.[Symbol.asyncDispose]();
    const { history, keep } = this.#options;
    for (const instance of [...this.#instances.values()].toReversed()) {
      await instance.stop();
      if (keep || !instance.provisioned) continue;
      for (const node of [...instance.nodes, ...(instance.attendants ?? [])]) {
        history.emit({
          kind: 'instance-stopped',
          instance: instance.name,
          address: node.address,
          how: 'ended by recorded pid',
        });
      }
    }
    await this.#processes?.[Symbol.asyncDispose]();
  }

  /** Also after a link gave up (a policy said stop): the differences are what a person needs then. */
  get #isWorthComparing(): boolean {
    const copied = this.#links.monitors.every(
      (monitor) => monitor.status?.snapshot.done === true || monitor.isSynchronizing,
    );
    return copied && this.#links.monitors.length > 0 && !this.#signal.aborted;
  }

  get #signal(): AbortSignal {
    return this.#options.signal;
  }

  async #prepare(): Promise<void> {
    const { plan } = this.#options;
    await this.#phases.run('provision', () => this.#provision());
    await this.#phases.run('precheck', () => this.#check());
    if (plan.data.length > 0) await this.#phases.run('seed', () => interruptible(this.#signal, this.#seed()));
  }

  async #provision(): Promise<string> {
    const { plan, folder, keep, baseFolder, env, history } = this.#options;
    this.#processes = await ProcessLedger.open(folder.path, { keep });
    this.#instances = await provisionAll(plan.instances, {
      runFolder: folder.path,
      processes: this.#processes,
      baseFolder,
      env,
      signal: this.#signal,
    });
    for (const instance of this.#instances.values()) {
      for (const { role, address, pid } of [...instance.nodes, ...(instance.attendants ?? [])]) {
        const { name, server, version } = instance;
        history.emit({
          kind: 'instance-ready',
          instance: name,
          role,
          address,
          server,
          version,
          ...(pid === undefined ? {} : { pid }),
        });
      }
    }
    await this.#openGates();
    return describeInstances(this.#instances);
  }

  /** Puts the fault proxy between links and servers, where the timeline wants it. */
  async #openGates(): Promise<void> {
    const { plan, folder } = this.#options;
    const logFile = join(folder.path, 'proxy.log');
    this.#gates = await Gates.open(plan, {
      logFile,
      onStarted: (pid) => this.#recordProcess(pid, 'fault proxy', logFile),
    });
    for (const { name, nodes } of this.#instances.values())
      await this.#gates.admit(
        name,
        nodes.map(({ endpoint }) => endpoint),
      );
  }

  /** Kept servers need neither replicator nor proxy: those are ended with the run, always. */
  #recordProcess(pid: number, what: string, logFile: string, group = false): void {
    if (!this.#options.keep) this.#processes?.record(pid, { what, group, logFile });
  }

  async #check(): Promise<string> {
    this.#precheck = await checkStart(this.#startCheck);
    refuseBlocked(this.#precheck);
    return `${this.#precheck.length} checks`;
  }

  get #startCheck(): StartCheck {
    return {
      plan: this.#options.plan,
      instances: this.#instances,
      mayProbe: (instance) => !isExisting(instance) || instance.disposable,
      signal: this.#signal,
    };
  }

  /** Of links that begin when others have run for a while. */
  async #checkLateStart(starting: readonly LinkPlan[]): Promise<void> {
    const rows = await checkLateStart(this.#startCheck, starting);
    this.#precheck.push(...rows);
    refuseBlocked(rows);
  }

  async #seed(): Promise<string> {
    const { plan, history, show } = this.#options;
    const keys = await seedInstances({
      datasets: plan.data,
      seed: plan.seed,
      instanceNamed: (name) => instanceNamed(this.#instances, name),
      endpointOf: (name) => this.#endpointOf(name),
      slots: this.#slots,
      signal: this.#signal,
      show,
      emit: (event) => history.emit(event),
    });
    return `${formatCount(keys)} keys`;
  }

  async #replicate(): Promise<void> {
    const { plan } = this.#options;
    await this.#witness.begin();
    await this.#phases.run('full-sync', async () => {
      await this.#timeline.arm();
      await this.#links.start();
      await this.#workloads.start('full-sync');
      await this.#links.synchronized(this.#signal);
    });
    this.#witness.watch();
    await this.#phases.run('incremental', async () => {
      await this.#workloads.start('incremental');
      await Promise.race([
        Promise.all([
          pause(plan.workload.length > 0 ? plan.incrementalMs : 0, this.#signal),
          this.#timeline.whenDone(),
        ]),
        this.#broken(),
      ]);
      this.#signal.throwIfAborted();
      if (this.#links.failure) throw this.#links.failure;
    });
    await this.#phases.run('settle', async () => {
      await this.#timeline.settle();
      await this.#workloads.stop();
      await interruptible(this.#signal, this.#links.drain(this.#signal));
      if (this.#links.failure) throw this.#links.failure;
      await this.#witness.quiet();
      await this.#timeline.fireSettleSteps();
      this.#signal.throwIfAborted();
    });
  }

  /** Resolves when a link has given up or the run was interrupted: then waiting for the workload is pointless. */
  async #broken(): Promise<void> {
    while (this.#links.failure === undefined && !this.#signal.aborted) {
      await pause(100, this.#signal);
      if (this.#phases.current !== 'incremental') return;
    }
  }

  async #verify(): Promise<void> {
    await this.#phases.run('verify', async () => {
      const { plan, show } = this.#options;
      const comparisons = comparisonsOf(plan.links);
      await this.#checkOwnership(comparisons);
      this.#comparison = await runComparisons({
        comparisons,
        endpointsOf: (name) => this.#primariesOf(name),
        compare: plan.compare,
        heartbeatPrefix: plan.engine.heartbeatPrefix,
        signal: this.#signal,
        onProgress: (link, now) => show(describeComparing(link, now)),
      });
      this.#heartbeatKeysOnTargets = await this.#countHeartbeatKeys();
      await this.#witness.account();
      return describeCompared(this.#comparison);
    });
  }

  async #checkOwnership(comparisons: readonly ComparisonPlan[]): Promise<void> {
    const { plan, history } = this.#options;
    for (const comparison of comparisons.filter(({ kind }) => kind === 'union')) {
      const findings = await checkKeyOwnership({
        comparison,
        links: plan.links,
        endpointsOf: (name) => this.#primariesOf(name),
        slots: this.#slots,
        heartbeatPrefix: plan.engine.heartbeatPrefix,
        signal: this.#signal,
      });
      for (const finding of findings) history.emit(finding);
    }
  }

  async #countHeartbeatKeys(): Promise<number> {
    const { plan } = this.#options;
    let found = 0;
    for (const target of new Set(plan.links.map((link) => link.target))) {
      const own = plan.links.filter(({ source }) => source === target).map(({ id }) => id);
      for (const endpoint of await this.#primariesOf(target))
        found += await countHeartbeatKeys(endpoint, plan.engine.heartbeatPrefix, own, this.#signal);
    }
    return found;
  }

  /** Heal, stop, and end the links, whatever happened before. */
  async #windDown(): Promise<void> {
    await this.#calm();
    this.#timeline.finish();
    try {
      await this.#links.stop();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** No fault is in effect and nobody writes any more. */
  async #calm(): Promise<void> {
    try {
      await this.#timeline.healAll();
      await this.#workloads.stop();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The first failure is the one that counts. */
  #fail(thrown: unknown): void {
    this.#error ??= recordFailure(thrown, this.#options.history, this.#signal);
  }

  #primariesOf(name: string): Promise<Endpoint[]> {
    return primariesOf(instanceNamed(this.#instances, name), this.#signal);
  }

  /** The processes of the links: they end with the links, not with the run. */
  #replicators(): { what: string; isAlive: boolean }[] {
    const records = this.#processes?.records ?? [];
    return records
      .filter(({ what }) => what.startsWith('replicator'))
      .map((record) => ({ what: record.what, isAlive: isAlive(record) }));
  }

  #endpointOf(name: string): Endpoint {
    return instanceNamed(this.#instances, name).primary();
  }
}
