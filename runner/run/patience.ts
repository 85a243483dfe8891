/** Work with servers that a fault may just be at: what passes is waited for. */
import { SyncError } from '../../engine/errors.ts';
import { delay } from '../../engine/psync/backoff.ts';

const PAUSE_MS = 100;

/**
 * Does it again while it fails with something that may pass (a lost connection, LOADING, BUSY …), as long as the limit is not
 * reached.
 *
 * @throws what the work throws; the signal's reason.
 */
export async function patiently<Result>(
  work: () => Promise<Result>,
  { limitMs, signal }: { limitMs: number; signal: AbortSignal },
): Promise<Result> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const mayPass = error instanceof SyncError && error.retryable;
      if (!mayPass || performance.now() > endMs) throw error;
      await delay(PAUSE_MS, signal);
    }
  }
}
