/** The workloads of a run: each is started in its phase, and stopped once; what came of it is kept. */
import type { WorkloadResult } from '../../reports/results.ts';
import type { CodisSlotTable } from '../../scenarios/data/placement.ts';
import type { Workload } from '../../scenarios/workload/open-loop.ts';
import { startWorkload } from '../../scenarios/workload/workload-start.ts';
import { unstartedResult, type WorkloadPlan } from '../../scenarios/workload/workload.ts';
import type { Plan } from '../plan/plan.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import type { History } from './history.ts';
import { patiently } from './patience.ts';
import { workloadPlacesOf } from './workload-places.ts';
import type { Witness } from './witness/witness.ts';

const START_LIMIT_MS = 15_000;

export interface WorkloadsOptions {
  plan: Plan;
  history: History;
  witness: Witness;
  slots: CodisSlotTable | undefined;
  instanceNamed: (name: string) => ProvisionedInstance;
  signal: AbortSignal;
}

export class Workloads {
  readonly #options: WorkloadsOptions;
  readonly #started = new Map<string, Workload>();
  readonly #results = new Map<string, WorkloadResult>();

  constructor(options: WorkloadsOptions) {
    this.#options = options;
  }

  /** Starts those of the phase. @throws SyncError when one cannot begin; the signal's reason. */
  async start(phase: WorkloadPlan['start']): Promise<void> {
    const { plan, history, signal } = this.#options;
    for (const [index, workload] of plan.workload.entries()) {
      if (workload.start !== phase) continue;
      // A fault may be at its instance already.
      const limits = { limitMs: START_LIMIT_MS, signal };
      this.#started.set(workload.name, await patiently(() => this.#begin(workload, index), limits));
      history.emit({ kind: 'workload', name: workload.name, stage: 'started' });
    }
  }

  /** What was sent before has its answer. */
  async settled(): Promise<void> {
    await Promise.all([...this.#started.values()].map((workload) => workload.settled()));
  }

  /** Stops those that run. Idempotent. */
  async stop(): Promise<void> {
    for (const [name, workload] of this.#started) {
      if (this.#results.has(name)) continue;
      const result = await workload.stop();
      this.#results.set(name, result);
      const { sent, ok, failed, unknown } = result;
      this.#options.history.emit({
        kind: 'workload',
        name,
        stage: 'stopped',
        stats: { sent, ok, failed, unknown },
      });
    }
  }

  /** A planned workload that never started is there too, with zeros. */
  results(): WorkloadResult[] {
    return this.#options.plan.workload.map(
      (planned) => this.#results.get(planned.name) ?? unstartedResult(planned),
    );
  }

  async #begin(workload: WorkloadPlan, index: number): Promise<Workload> {
    const { plan, witness, slots, instanceNamed, signal } = this.#options;
    const places = await workloadPlacesOf(workload.into.map(instanceNamed), signal);
    const placement = slots?.place;
    return startWorkload(places, workload, {
      seed: plan.seed + 1000 + index,
      ledger: witness.ledgerOf(workload),
      ...(placement ? { placement } : {}),
      keysMove: slots !== undefined,
    });
  }
}
