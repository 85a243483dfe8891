/** All faults. Adding one is one file and one line here. */
import type { FaultDefinition } from './fault.ts';
import { script } from './script.ts';

export const FAULTS: readonly FaultDefinition[] = [script];

/** The fault of that name, or null. */
export function findFault(name: string): FaultDefinition | null {
  return FAULTS.find((fault) => fault.name === name) ?? null;
}
