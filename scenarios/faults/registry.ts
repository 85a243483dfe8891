/** All faults. Adding one is one file and one line here. */
import { bandwidth } from './bandwidth.ts';
import { blackhole } from './blackhole.ts';
import { corrupt } from './corrupt.ts';
import type { FaultDefinition } from './fault.ts';
import { halfOpen } from './half-open.ts';
import { latency } from './latency.ts';
import { limitData } from './limit-data.ts';
import { resetPeer } from './reset-peer.ts';
import { script } from './script.ts';
import { silentDrop } from './silent-drop.ts';
import { slicer } from './slicer.ts';
import { slowClose } from './slow-close.ts';
import { timeout } from './timeout.ts';

export const FAULTS: readonly FaultDefinition[] = [
  script,
  // The network.
  latency,
  bandwidth,
  slicer,
  timeout,
  resetPeer,
  slowClose,
  limitData,
  halfOpen,
  blackhole,
  corrupt,
  silentDrop,
];

/** The fault of that name, or null. */
export function findFault(name: string): FaultDefinition | null {
  return FAULTS.find((fault) => fault.name === name) ?? null;
}
