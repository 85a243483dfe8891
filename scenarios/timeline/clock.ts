/** Time as something passed in, so that a timeline of minutes is tested in microseconds. */

export interface Clock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls `action` once, `delayMs` from now; the returned function takes it back. */
  schedule(delayMs: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  schedule(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A promise for the time `delayMs` from now. Rejects with the signal's reason when that comes first. */
export function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(asReason(signal));
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(asReason(signal));
    };
    const cancel = clock.schedule(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function asReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}
