/**
 * One link of an engine that nobody knows: a program that was started for it, or a service that runs already. Its data is
 * looked at, and its output if it has any.
 *
 *   NotStarted ─▶ Initializing ─copied─▶ Synchronizing ─program ended with 0─▶ Finished
 *                      └────────────────────┴─program ended otherwise; nothing moves─▶ (Initialize)Failed
 */
import { asError, SyncError } from '../../../engine/errors.ts';
import { delay } from '../../../engine/psync/backoff.ts';
import { formatDuration } from '../../../reports/render/format.ts';
import { LINK_FIGURES } from '../../../reports/results.ts';
import type { CommandPlan, WatchPlan } from '../../plan/driver.ts';
import type { LinkPlan } from '../../plan/plan.ts';
import { DataWatch } from './data-watch.ts';
import type { DriverOptions } from './driver.ts';
import type { EngineProcess } from './engine-process.ts';
import { LinkReporter } from './link-reporter.ts';
import type { ReportedLink } from './reported-links.ts';
import { ServerView } from './server-view.ts';

const POLL_MS = 100;

export interface OutsideLinkOptions {
  watch: WatchPlan;
  /** Absent: nothing is started. */
  program?: {
    command: CommandPlan;
    /** Starts it. @throws SyncError SPEC_INVALID, PROVISION. */
    launch: (onLine: (line: string) => void) => EngineProcess;
  };
}

export class OutsideLink implements ReportedLink {
  readonly reporter: LinkReporter;
  readonly #options: OutsideLinkOptions;
  readonly #views: readonly [ServerView, ServerView];
  readonly #data: DataWatch;
  readonly #ending = new AbortController();
  readonly #patterns: { synchronized: RegExp | undefined; caughtUp: RegExp | undefined };
  #process: EngineProcess | undefined;
  #watching: Promise<void> = Promise.resolve();
  #saidSynchronized = false;
  /** The line that said so, after the drain began. */
  #saidCaughtUp: string | undefined;
  #isDraining = false;

  constructor(plan: LinkPlan, driver: DriverOptions, options: OutsideLinkOptions) {
    this.#options = options;
    // Nothing but keys and their number is seen from outside.
    this.reporter = new LinkReporter(plan, driver, LINK_FIGURES);
    this.#views = [
      new ServerView(() => driver.whereaboutsOf(plan.source)),
      new ServerView(() => driver.whereaboutsOf(plan.target)),
    ];
    this.#data = new DataWatch(...this.#views, () => performance.now());
    const { synchronized, caughtUp } = options.program?.command ?? {};
    this.#patterns = { synchronized: patternOf(synchronized), caughtUp: patternOf(caughtUp) };
  }

  /** @throws SyncError SPEC_INVALID, PROVISION: the program cannot be started. */
  start(): Promise<void> {
    const { program } = this.#options;
    this.#process = program?.launch((line) => this.#onLine(line));
    this.reporter.enter('Initializing', program ? 'the program was started' : 'watched from outside');
    this.#watching = this.#watch();
    return Promise.resolve();
  }

  async drain(signal: AbortSignal): Promise<boolean> {
    this.#isDraining = true;
    const began = performance.now();
    const limitMs = this.#options.watch.limitMs;
    for (;;) {
      const reason = this.#whyCaughtUp();
      const tookMs = performance.now() - began;
      if (reason !== undefined) {
        this.reporter.caughtUp(true, reason, tookMs);
        return true;
      }
      if (signal.aborted || this.reporter.failure !== undefined || tookMs > limitMs) {
        this.reporter.caughtUp(false, this.#whyNot(signal, limitMs), tookMs);
        return false;
      }
      await delay(POLL_MS, signal);
    }
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#watching;
    await this.#process?.stop();
    for (const view of this.#views) await view[Symbol.asyncDispose]();
    const { state } = this.reporter;
    if (state === 'Synchronizing')
      this.reporter.enter('Finished', this.#process ? 'the program was stopped' : 'no longer watched');
  }

  async #watch(): Promise<void> {
    const { signal } = this.#ending;
    let movedAt = performance.now();
    let keys = -1;
    while (!signal.aborted && !this.reporter.monitor.isOver) {
      try {
        await this.#data.look();
        if (this.#data.targetKeys !== keys) movedAt = performance.now();
        keys = this.#data.targetKeys;
        this.#tell();
      } catch (error) {
        // A side that is away comes back, or the limit ends the waiting.
        if (this.reporter.state === 'Synchronizing') this.reporter.enter('Retrying', asError(error).message);
      }
      this.#onExit();
      if (this.reporter.state === 'Initializing' && performance.now() - movedAt > this.#options.watch.limitMs)
        this.reporter.fail(this.#nothingMoves());
      await delay(POLL_MS, signal);
    }
  }

  #tell(): void {
    const { sourceKeys, targetKeys, isCopied } = this.#data;
    const { state } = this.reporter;
    const isThere = this.#patterns.synchronized === undefined ? isCopied : this.#saidSynchronized;
    this.reporter.observe({
      copiedKeys: targetKeys,
      expectedKeys: sourceKeys,
      copied: isThere || state !== 'Initializing',
    });
    if (state === 'Retrying') this.reporter.enter('Synchronizing', 'both sides answer again');
    if (state === 'Initializing' && isThere) {
      const seen =
        this.#patterns.synchronized === undefined ? 'its keys are on the target' : 'its output said so';
      this.reporter.enter('Synchronizing', `copied: ${seen}`);
    }
  }

  #onLine(line: string): void {
    if (this.#patterns.synchronized?.test(line) === true) this.#saidSynchronized = true;
    if (this.#isDraining && this.#patterns.caughtUp?.test(line) === true) this.#saidCaughtUp = line;
  }

  /** A program that ends with 0 has finished what it does; whether that was all, the comparison shows. */
  #onExit(): void {
    const exit = this.#process?.exit;
    if (exit === undefined || exit.told || this.reporter.monitor.isOver) return;
    if (exit.exitCode === 0) {
      this.reporter.observe({ copied: true });
      this.reporter.enter('Synchronizing', 'the program has finished');
      this.reporter.enter('Finished', 'the program ended with exit code 0');
      return;
    }
    const how = exit.signal === null ? `exit code ${exit.exitCode}` : exit.signal;
    this.reporter.fail(
      new SyncError('APPLY_REFUSED', `The program ended with ${how}.`, {
        hint: `It said last: ${this.#process?.lastWords || 'nothing'}`,
      }),
    );
  }

  #whyCaughtUp(): string | undefined {
    const { watch } = this.#options;
    if (this.reporter.state === 'Finished') return 'its program had ended with exit code 0';
    if (this.#patterns.caughtUp !== undefined)
      return this.#saidCaughtUp === undefined ? undefined : `its output said so: ${this.#saidCaughtUp}`;
    const { hasEqualCounts, quietMs } = this.#data;
    if (!hasEqualCounts || quietMs < watch.quietMs) return undefined;
    return `equal in number of keys, and the target did not change for ${formatDuration(watch.quietMs)}`;
  }

  #whyNot(signal: AbortSignal, limitMs: number): string {
    if (signal.aborted) return 'the run was ended';
    if (this.reporter.failure !== undefined) return this.reporter.failure.message.replace(/\.$/, '');
    const within = `within ${formatDuration(limitMs)}`;
    if (this.#patterns.caughtUp !== undefined) return `its output did not say so ${within}`;
    return this.#data.hasEqualCounts
      ? `the target did not come to rest ${within}`
      : `the two sides did not have the same number of keys ${within}`;
  }

  #nothingMoves(): SyncError {
    const { sourceKeys, targetKeys } = this.#data;
    const forSoLong = formatDuration(this.#options.watch.limitMs);
    return new SyncError(
      'TIMEOUT',
      `The target has ${targetKeys} of ${sourceKeys} keys, and no more for ${forSoLong}.`,
      {
        hint: this.#process
          ? `The program still runs. It said last: ${this.#process.lastWords || 'nothing'}`
          : 'Nothing is started with driver: external. Is the service running, between these two?',
      },
    );
  }
}

function patternOf(text: string | undefined): RegExp | undefined {
  return text === undefined ? undefined : new RegExp(text);
}
