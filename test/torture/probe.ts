/**
 * Loaded into the replicator process before anything else (`node --import`): counts once a second what a leak would pile
 * up inside a process, and leaves it in the file that SOAK_PROBE_FILE names.
 */
import { getEventListeners } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';

const INTERVAL_MS = 1000;

export interface Probe {
  /** Listeners for `abort` on signals that are still alive. */
  abortListeners: number;
  /** Sockets, timers, servers … that keep the process alive. */
  resources: number;
  heapBytes: number;
  externalBytes: number;
}

const file = process.env['SOAK_PROBE_FILE'];
if (file !== undefined && process.argv.includes('replicator')) start(file);

function start(to: string): void {
  let alive: WeakRef<AbortSignal>[] = [];
  globalThis.AbortController = class extends AbortController {
    constructor() {
      super();
      alive.push(new WeakRef(this.signal));
    }
  };
  const look = (): void => {
    alive = alive.filter((each) => each.deref() !== undefined);
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    const probe: Probe = {
      abortListeners: alive.reduce((sum, each) => sum + listenersOf(each.deref()), 0),
      resources: process.getActiveResourcesInfo().length,
      heapBytes: heapUsed,
      externalBytes: external + arrayBuffers,
    };
    writeFileSync(`${to}.new`, JSON.stringify(probe));
    renameSync(`${to}.new`, to);
  };
  setInterval(look, INTERVAL_MS).unref();
}

function listenersOf(signal: AbortSignal | undefined): number {
  return signal === undefined ? 0 : getEventListeners(signal, 'abort').length;
}
