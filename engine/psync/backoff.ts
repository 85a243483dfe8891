/** Waits between attempts: exponential with full jitter and a cap, inside a total budget. */

export interface BackoffOptions {
  firstMs: number;
  capMs: number;
  /** Total time from the first failure after which `next` gives up. */
  budgetMs: number;
  /** Uniform in [0, 1). Injected so that tests are reproducible. */
  random: () => number;
  /** Monotonic milliseconds. */
  now: () => number;
}

/**
 * Jitter spreads the attempts of many links that lost the same server at the same instant; it is taken from the upper half
 * of the interval so that the wait still grows.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;
  #since: number | undefined;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Attempts since the last `reset`. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Milliseconds to wait before the next attempt, or undefined when the budget is spent. */
  next(): number | undefined {
    const { firstMs, capMs, budgetMs, random, now } = this.#options;
    this.#since ??= now();
    const left = budgetMs - (now() - this.#since);
    if (left <= 0) return undefined;
    const interval = Math.min(capMs, firstMs * 2 ** Math.min(this.#attempt++, 30));
    return Math.min(left, Math.ceil(interval * (0.5 + random() / 2)));
  }

  /** Things work again: the next failure starts a new budget. */
  reset(): void {
    this.#attempt = 0;
    this.#since = undefined;
  }
}

/** Resolves after `ms`, or at once when the signal aborts (never rejects: the caller looks at the signal). */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
