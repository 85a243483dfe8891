/** What the drivers have in common whose links are only looked at: waiting for them, and their first failure. */
import type { SyncError } from '../../../engine/errors.ts';
import { delay } from '../../../engine/psync/backoff.ts';
import type { LinkMonitor } from '../link-monitor.ts';
import type { LinkReporter } from './link-reporter.ts';

const POLL_MS = 50;

/** One link under observation. */
export interface ReportedLink {
  readonly reporter: LinkReporter;
  start(): Promise<void>;
  /** True when the target has what the source had written when this was called. Emits what that rests on. */
  drain(signal: AbortSignal): Promise<boolean>;
  /** Ends what was started for it. Idempotent. */
  stop(): Promise<void>;
}

export abstract class ReportedLinks<Link extends ReportedLink> implements AsyncDisposable {
  protected readonly links: readonly Link[];
  #stopped: Promise<void> | undefined;

  constructor(links: readonly Link[]) {
    this.links = links;
  }

  get monitors(): readonly LinkMonitor[] {
    return this.links.map(({ reporter }) => reporter.monitor);
  }

  get failure(): SyncError | undefined {
    return this.links.find(({ reporter }) => reporter.failure !== undefined)?.reporter.failure;
  }

  async start(): Promise<void> {
    await Promise.all(this.links.map((link) => link.start()));
  }

  async synchronized(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.monitors.every(isThere), signal);
  }

  async failed(signal: AbortSignal): Promise<void> {
    await this.#until(() => false, signal);
  }

  async drain(signal: AbortSignal): Promise<string[]> {
    const behind: string[] = [];
    // From the head of a cascade to its end: what one link applies is what the next one has to.
    for (const link of inOrder(this.links)) {
      if (!(await link.drain(signal))) behind.push(link.reporter.plan.id);
    }
    return behind;
  }

  stop(): Promise<void> {
    this.#stopped ??= Promise.all(this.links.map((link) => link.stop())).then(() => undefined);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      signal.throwIfAborted();
      if (this.failure) throw this.failure;
      await delay(POLL_MS, signal);
    }
  }
}

/** A link that is finished has copied everything too. */
function isThere({ isSynchronizing, state }: LinkMonitor): boolean {
  return isSynchronizing || state === 'Finished';
}

/** A link whose source is another link's target comes after that one. Links in a circle stay as they are. */
export function inOrder<Link extends { reporter: { plan: { source: string; target: string } } }>(
  links: readonly Link[],
): Link[] {
  const ordered: Link[] = [];
  let rest = [...links];
  while (rest.length > 0) {
    const targets = rest.map(({ reporter }) => reporter.plan.target);
    const ready = rest.filter(({ reporter }) => !targets.includes(reporter.plan.source));
    const next = ready.length > 0 ? ready : rest;
    ordered.push(...next);
    rest = rest.filter((link) => !next.includes(link));
  }
  return ordered;
}
