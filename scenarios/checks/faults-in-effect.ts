/** What the timeline really did, for checks that must not blame the engine for it. */
import { faultsOf, type SyncSpan } from '../../reports/history.ts';
import type { FaultResult } from '../../reports/results.ts';
import type { CheckContext } from './check.ts';

/** Firings that were seen on the servers. */
export function effectiveFaults({ events }: Pick<CheckContext, 'events'>): FaultResult[] {
  return faultsOf(events).filter((fault) => fault.effectiveMs !== null);
}

/** Whether a fault was in effect that may lose data. */
export function mayHaveLost(context: CheckContext): boolean {
  const losing = new Set(context.steps.filter(({ dataLoss }) => dataLoss !== 'none').map(({ id }) => id));
  return effectiveFaults(context).some((fault) => losing.has(fault.step));
}

/** When the first fault began that took effect (it may have bitten before that was seen); Infinity when none did. */
export function firstFaultMs(context: CheckContext): number {
  const moments = effectiveFaults(context).map((fault) => fault.requestedMs ?? fault.effectiveMs ?? Infinity);
  return Math.min(Infinity, ...moments);
}

/** Its link had been in sync before. What is tried again until the first copy is complete is still the start. */
export function isRepeated(sync: SyncSpan, all: readonly SyncSpan[]): boolean {
  return all.some(
    (other) =>
      other !== sync &&
      other.link === sync.link &&
      other.finishedMs !== null &&
      other.finishedMs <= sync.startedMs,
  );
}
