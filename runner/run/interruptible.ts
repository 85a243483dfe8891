/** Ctrl-C while a server does not answer: nobody waits for the answer. */
import { asError } from '../../engine/errors.ts';

/**
 * What `work` resolves to, unless the signal aborts first. Work that is given up is left to itself: its connections end
 * with the servers of the run, or with the process.
 *
 * @throws what `work` throws; the signal's reason.
 */
export async function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(asError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
