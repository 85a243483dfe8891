/**
 * Looks at a target every second, on a connection of its own that never gets in the way of applying: what it evicted, whether
 * its memory settings changed. A target that is away is the lane's business; an account that may not ask costs the watch only,
 * and is said once.
 */
import { openWhere } from '../connect/discover.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { describeEndpoint } from '../connect/endpoint.ts';
import type { Connection } from '../connect/connection.ts';
import { asError, SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';
import { sampleTarget, type TargetSample } from './target-sample.ts';

export interface TargetWatchOptions {
  /** Asked before every connection: the target may have moved. */
  target: () => Whereabouts;
  intervalMs: number;
  /** @param where `host:port`. */
  onSample: (sample: TargetSample, where: string) => void;
  /** The account may not ask; called at most once. */
  onRefused: (error: Error) => void;
}

const REPLY_TIMEOUT_MS = 5000;
/** How long the last look may take, when everything else is over. */
const LAST_LOOK_MS = 1000;

export class TargetWatch {
  readonly #options: TargetWatchOptions;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #connection: Connection | undefined;
  #reported = false;

  constructor(options: TargetWatchOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Looks once more, so that nothing that happened before is missed, unless there is no time for that. Never throws. */
  async close(isHasty: boolean): Promise<void> {
    this.#ending.abort();
    if (!isHasty) {
      await within(LAST_LOOK_MS, this.#running);
      if (this.#connection) await within(LAST_LOOK_MS, this.#look(this.#connection));
    }
    await this.#connection?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    const { target, intervalMs } = this.#options;
    while (!signal.aborted) {
      try {
        this.#connection ??= await openWhere(target(), {
          name: 'redis-sync:watch',
          replyTimeoutMs: REPLY_TIMEOUT_MS,
          signal,
        });
        await this.#look(this.#connection);
      } catch (error) {
        this.#refused(asError(error));
        await this.#connection?.close();
        this.#connection = undefined;
      }
      await delay(intervalMs, signal);
    }
  }

  async #look(connection: Connection): Promise<void> {
    const sample = await sampleTarget(connection);
    // What a replica throws away by itself says nothing.
    if (sample.isReplica) throw demoted(connection);
    this.#options.onSample(sample, describeEndpoint(connection.endpoint));
  }

  #refused(error: Error): void {
    if (!(error instanceof SyncError) || error.retryable || this.#reported) return;
    this.#reported = true;
    this.#options.onRefused(error);
  }
}

function demoted({ endpoint }: Connection): SyncError {
  return new SyncError('CONNECT', 'The server is a replica now.', {
    where: describeEndpoint(endpoint),
    retryable: true,
  });
}

/** Resolves when it is done, has failed, or took too long. */
async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([work.catch(() => undefined), delay(limitMs, over.signal)]);
  over.abort();
}
