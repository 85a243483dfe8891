/**
 * One link of a driver that is not our own engine, as the run sees it: what was observed becomes the messages that a
 * replicator would send, so that monitor, history and report need not know who replicates.
 */
import type { SyncError } from '../../../engine/errors.ts';
import type { FromReplicator, LinkState, LinkStatus } from '../../../engine/link/messages.ts';
import { describeFailure } from '../../../engine/link/hosted-link.ts';
import type { LinkFigure } from '../../../reports/results.ts';
import type { LinkPlan } from '../../plan/plan.ts';
import { LinkMonitor } from '../link-monitor.ts';
import type { DriverOptions } from './driver.ts';

/** What a driver may have observed; everything else of a status is unmeasured. */
export interface Observed {
  replid: string;
  /** Offsets of the source's stream. */
  sourceOffset: bigint;
  appliedOffset: bigint;
  lagMs: number | null;
  lagSamples: number[];
  copiedKeys: number;
  expectedKeys: number;
  copied: boolean;
  streamBytes: number;
  partialResyncs: number;
  fullResyncs: number;
}

const NOTHING: Observed = {
  replid: '',
  sourceOffset: -1n,
  appliedOffset: -1n,
  lagMs: null,
  lagSamples: [],
  copiedKeys: 0,
  expectedKeys: 0,
  copied: false,
  streamBytes: 0,
  partialResyncs: 0,
  fullResyncs: 0,
};

export class LinkReporter {
  readonly plan: LinkPlan;
  readonly monitor: LinkMonitor;
  failure: SyncError | undefined;
  readonly #options: Pick<DriverOptions, 'emit' | 'phase'>;
  #observed: Observed = NOTHING;

  constructor(
    plan: LinkPlan,
    options: Pick<DriverOptions, 'emit' | 'phase'>,
    unmeasured: readonly LinkFigure[],
  ) {
    this.plan = plan;
    this.#options = options;
    this.monitor = new LinkMonitor(plan);
    this.monitor.unmeasured = unmeasured;
  }

  get state(): LinkState {
    return this.monitor.state;
  }

  /** Nothing when it is there already. */
  enter(to: LinkState, cause: string): void {
    const from = this.state;
    if (from === to) return;
    this.#tell({ kind: 'link-state', link: this.plan.id, from, to, cause });
  }

  syncStarted(mode: 'full' | 'partial', replid: string, offset: bigint, cause: string): void {
    const link = this.plan.id;
    this.#tell({ kind: 'sync-started', link, mode, replid, offset: String(offset), cause });
  }

  syncFinished(
    mode: 'full' | 'partial',
    { keys, bytes, durationMs }: { keys: number; bytes: number; durationMs: number },
  ): void {
    this.#tell({ kind: 'sync-finished', link: this.plan.id, mode, keys, bytes, durationMs });
  }

  /** Both offsets are measured: equal, or it has not caught up. */
  drained(wanted: bigint, applied: bigint, durationMs: number): void {
    this.#options.emit({
      kind: 'drained',
      link: this.plan.id,
      sourceOffset: String(wanted),
      appliedOffset: String(applied),
      durationMs: Math.round(durationMs),
    });
  }

  /** It was only looked at from outside. @param reason what that rests on, or why waiting ended. */
  caughtUp(reached: boolean, reason: string, durationMs: number): void {
    const link = this.plan.id;
    this.#options.emit({ kind: 'caught-up', link, reached, reason, durationMs: Math.round(durationMs) });
  }

  /** Adds to what was observed before, and tells it. Lag samples count once. */
  observe(observed: Partial<Observed>): void {
    this.#observed = { ...this.#observed, lagSamples: [], ...observed };
    this.monitor.observe({ kind: 'status', links: [this.#status()] });
    const { snapshot, lagBytes, lagMs } = this.#status();
    this.#options.emit({
      kind: 'progress',
      link: this.plan.id,
      phase: snapshot.done ? this.#options.phase() : 'full-sync',
      keys: snapshot.keys,
      bytes: snapshot.bytes,
      expectedKeys: snapshot.expectedKeys,
      lagBytes,
      lagMs,
    });
  }

  /** The link has given up. The first failure counts. */
  fail(error: SyncError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    const failure = describeFailure(error);
    const link = this.plan.id;
    this.monitor.observe({ kind: 'link-failed', link, error: failure });
    const where = failure.where === undefined ? `link ${link}` : `link ${link}, ${failure.where}`;
    this.#options.emit({ kind: 'error', ...failure, where });
    const hasCopied = this.#observed.copied;
    this.enter(hasCopied ? 'Failed' : 'InitializeFailed', failure.message);
  }

  #tell(message: Extract<FromReplicator, { kind: 'link-state' | 'sync-started' | 'sync-finished' }>): void {
    this.monitor.observe(message);
    this.#options.emit(message);
  }

  #status(): LinkStatus {
    const { replid, sourceOffset, appliedOffset, lagMs, lagSamples, copied, streamBytes } = this.#observed;
    const { copiedKeys, expectedKeys, partialResyncs, fullResyncs } = this.#observed;
    const isKnown = sourceOffset >= 0n && appliedOffset >= 0n;
    return {
      link: this.plan.id,
      state: this.state,
      waitingFor: {},
      replid,
      appliedOffset: String(appliedOffset),
      receivedOffset: String(sourceOffset),
      lagBytes: isKnown ? Math.max(0, Number(sourceOffset - appliedOffset)) : 0,
      lagMs,
      lagSamples,
      snapshot: { keys: copiedKeys, bytes: 0, durationMs: 0, done: copied, expectedKeys },
      stream: { commands: 0, bytes: streamBytes, transactions: 0 },
      fullResyncs,
      partialResyncs,
      retries: 0,
      dropped: {},
      errors: {},
      log: { memoryBytes: 0, diskBytes: 0 },
      rssBytes: 0,
      cpuSeconds: 0,
    };
  }
}
