/**
 * One firing of a fault: requested → effective → healed, each told as an event. Healing is possible from before the
 * injection begins, happens once, and is reported only when there was something to heal.
 */
import { asError } from '../../engine/errors.ts';
import type { RunEventBody } from '../../reports/events.ts';
import type { FaultContext, FaultDefinition, FaultInjection } from '../faults/fault.ts';
import type { StepPlan } from './step.ts';

type FaultEvent = Extract<RunEventBody, { kind: 'fault' }>;

export class Firing {
  readonly step: StepPlan;
  readonly #emit: (event: RunEventBody) => void;
  #fault: FaultDefinition | undefined;
  #injection: FaultInjection | undefined;
  #effective = false;
  #healing: Promise<void> | undefined;

  constructor(step: StepPlan, emit: (event: RunEventBody) => void) {
    this.step = step;
    this.#emit = emit;
  }

  /** True when the fault took effect. Never rejects: a failure is an event, and what it left behind is healed. */
  async inject(fault: FaultDefinition | null, context: FaultContext): Promise<boolean> {
    // Not the parameters: they are in the plan, and may hold what a spec took from the environment.
    this.#tell('requested', {});
    try {
      if (fault === null) throw new Error(`there is no fault called ${this.step.fault}`);
      this.#fault = fault;
      this.#injection = fault.prepare(context);
      const outcome = await this.#injection.inject();
      this.#effective = outcome.effective;
      if (outcome.effective) this.#tell('effective', { evidence: outcome.evidence });
      else
        this.#tell('failed', {
          reason: outcome.reason ?? 'it had no visible effect',
          evidence: outcome.evidence,
        });
    } catch (error) {
      this.#tell('failed', { reason: describeError(error) });
    }
    if (!this.#effective) await this.heal();
    return this.#effective;
  }

  /** Idempotent; concurrent calls wait for the same healing. Never rejects: a failed healing is an error event. */
  heal(): Promise<void> {
    this.#healing ??= this.#heal();
    return this.#healing;
  }

  async #heal(): Promise<void> {
    if (this.#injection === undefined || this.#fault?.reversible !== true) return;
    try {
      await this.#injection.heal();
      if (this.#effective) this.#tell('healed', {});
    } catch (error) {
      this.#emit({
        kind: 'error',
        code: 'HEAL_FAILED',
        message: `Step ${this.step.id} could not be healed: ${describeError(error)}`,
        where: this.step.where ?? this.step.id,
        hint: 'The server may still be faulted; what follows in this run is not to be trusted.',
      });
    }
  }

  #tell(stage: FaultEvent['stage'], details: Pick<FaultEvent, 'reason' | 'evidence'>): void {
    const { id, fault, where } = this.step;
    this.#emit({
      kind: 'fault',
      step: id,
      fault,
      stage,
      ...(where === undefined ? {} : { where }),
      ...details,
    });
  }
}

function describeError(error: unknown): string {
  return asError(error).message;
}
