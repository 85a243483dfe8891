/** Waits for the sign that a fault bit. */
import type { Clock } from '../timeline/clock.ts';

/** A fault that has not bitten after so long has no effect. */
export const EFFECT_LIMIT_MS = 15_000;
const LOOK_MS = 20;

/**
 * Looks until there is something to see. @returns it, or null after the limit or when the run ends. Failing to look (the
 * server is away just now) is not seeing anything.
 */
export async function awaitEvidence<T>(
  context: { clock: Clock; signal: AbortSignal },
  look: () => Promise<T | null>,
  limitMs = EFFECT_LIMIT_MS,
): Promise<T | null> {
  const endMs = context.clock.nowMs() + limitMs;
  while (!context.signal.aborted) {
    const seen = await look().catch(() => null);
    if (seen !== null) return seen;
    if (context.clock.nowMs() >= endMs) return null;
    await new Promise<void>((resolve) => void context.clock.schedule(LOOK_MS, resolve));
  }
  return null;
}
