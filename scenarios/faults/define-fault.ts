/**
 * The usual shape of a fault: what it does, and behind each thing that must be taken back, how. Steps of healing run in reverse
 * order, once; each is registered before what it undoes is done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { asError, SyncError } from '../../engine/errors.ts';
import type { FaultContext, FaultDefinition, FaultOutcome } from './fault.ts';
import { Parameters, settings } from './parameters.ts';

/** A server that is on its way back is waited for so long when a fault is healed. */
const HEAL_LIMIT_MS = 10_000;

export interface FaultWork {
  context: FaultContext;
  given: Parameters;
  /** To be called before the thing is done. */
  onHeal: (step: () => Promise<unknown>) => void;
}

export interface FaultSketch extends Pick<
  FaultDefinition,
  'name' | 'summary' | 'requires' | 'aims' | 'dataLoss'
> {
  /** Schema of its settings. */
  properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  required?: readonly string[];
  /** False: there is nothing to take back. */
  reversible: boolean;
  inject: (work: FaultWork) => Promise<FaultOutcome>;
}

export function defineFault({
  inject,
  properties = {},
  required = [],
  ...sketch
}: FaultSketch): FaultDefinition {
  return {
    ...sketch,
    schema: settings(properties, required),
    prepare(context) {
      const steps: (() => Promise<unknown>)[] = [];
      const given = new Parameters(context);
      return {
        inject: () => inject({ context, given, onHeal: (step) => void steps.push(step) }),
        heal: async () => {
          let failure: unknown;
          for (const step of steps.splice(0).toReversed())
            await persist(step).catch((error: unknown) => (failure ??= error));
          if (failure !== undefined) throw asError(failure);
        },
      };
    },
  };
}

/** It bit. */
export function effective(evidence: Record<string, unknown>): FaultOutcome {
  return { effective: true, evidence };
}

/** It did not, and why. */
export function ineffective(reason: string, evidence: Record<string, unknown> = {}): FaultOutcome {
  return { effective: false, reason, evidence };
}

async function persist(step: () => Promise<unknown>): Promise<void> {
  const endMs = performance.now() + HEAL_LIMIT_MS;
  for (;;) {
    try {
      await step();
      return;
    } catch (error) {
      const mayPass = error instanceof SyncError && error.retryable;
      if (!mayPass || performance.now() > endMs) throw error;
      await sleep(50);
    }
  }
}
