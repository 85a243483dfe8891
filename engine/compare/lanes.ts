/** Several pieces of work at once, which end together. */
import { setMaxListeners } from 'node:events';

/**
 * Runs `work` for every item, at most `lanes` at a time, in order. When one fails the others are aborted through the
 * signal they got, and awaited, so that nothing goes on behind the caller's back.
 *
 * @throws what failed first, or the reason of `signal`.
 */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const both = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
  // Every connection of every lane listens to it; they are many, and none is forgotten.
  setMaxListeners(0, both);
  const failures: unknown[] = [];
  const waiting = [...items];
  const lane = async (): Promise<void> => {
    while (waiting.length > 0 && !both.aborted) {
      const [item] = waiting.splice(0, 1);
      if (item === undefined) return;
      try {
        await work(item, both);
      } catch (error) {
        failures.push(error);
        controller.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
