/**
 * What one link did, put together from its replicator's messages: state, syncs, lag samples, last counters. The link's row
 * of the report comes from here.
 */
import type { FromReplicator, LinkState, LinkStatus, ReplicatorError } from '../../engine/link/messages.ts';
import type { LinkFigure, LinkResult } from '../../reports/results.ts';
import type { LinkPlan } from '../plan/plan.ts';

const LAG_SAMPLES_MAX = 1_000_000;

export class LinkMonitor {
  readonly plan: LinkPlan;
  state: LinkState = 'NotStarted';
  status: LinkStatus | undefined;
  failure: ReplicatorError | undefined;
  /** Figures that whoever replicates does not tell; their zeros mean nothing. */
  unmeasured: readonly LinkFigure[] = [];
  #fullSync: LinkResult['fullSync'] = null;
  #lagSamples: number[] = [];
  #peakRssBytes = 0;
  /** Last words of processes that are gone. */
  readonly #earlier: LinkStatus[] = [];
  readonly #now: () => number;
  #synchronizedAtMs = Infinity;

  /** @param now monotonic milliseconds. */
  constructor(plan: LinkPlan, now: () => number = () => performance.now()) {
    this.plan = plan;
    this.#now = now;
  }

  /** Full sync done and commands flow, or did until a later failure. */
  get isSynchronizing(): boolean {
    return this.state === 'Synchronizing';
  }

  get isOver(): boolean {
    return this.hasFailed || this.state === 'Finished';
  }

  get hasFailed(): boolean {
    return this.state === 'Failed' || this.state === 'InitializeFailed';
  }

  get appliedOffset(): bigint {
    return BigInt(this.status?.appliedOffset ?? -1);
  }

  observe(message: FromReplicator): void {
    switch (message.kind) {
      case 'status':
        for (const status of message.links) if (status.link === this.plan.id) this.#onStatus(status);
        return;
      case 'link-state':
        if (message.link === this.plan.id) this.state = message.to;
        return;
      case 'sync-finished':
        if (message.link !== this.plan.id) return;
        this.#synchronizedAtMs = this.#now();
        if (message.mode === 'full') this.#onFullSync(message);
        return;
      case 'link-failed':
        if (message.link === this.plan.id) this.failure = message.error;
        return;
      default:
        return;
    }
  }

  /** Its process was killed and another will take its place: what the old one counted stays counted. */
  orphaned(): void {
    this.state = 'Retrying';
    if (this.status !== undefined) this.#earlier.push(this.status);
    this.status = undefined;
  }

  /** The replicator process is gone; whatever the link was doing, it is not any more. */
  died(failure: ReplicatorError): void {
    if (this.hasFailed) return;
    this.state = 'Failed';
    this.failure = failure;
  }

  result(): LinkResult {
    const { plan } = this;
    const all = [...this.#earlier, ...(this.status === undefined ? [] : [this.status])];
    return {
      link: plan.id,
      source: plan.source,
      target: plan.target,
      state: this.state,
      fullSync: this.#fullSync,
      stream: {
        commands: total(all, ({ stream }) => stream.commands),
        bytes: total(all, ({ stream }) => stream.bytes),
        transactions: total(all, ({ stream }) => stream.transactions),
      },
      partialResyncs: total(all, ({ partialResyncs }) => partialResyncs),
      fullResyncs: Math.max(0, (this.#fullSync?.count ?? 0) - 1),
      retries: total(all, ({ retries }) => retries),
      dropped: totals(all.map(({ dropped }) => dropped)),
      handled: totals(all.map(({ handled = {} }) => handled)),
      errors: totals(all.map(({ errors }) => errors)),
      lagMs: describeSamples(this.#lagSamples),
      peakRssBytes: this.#peakRssBytes,
      cpuSeconds: total(all, ({ cpuSeconds }) => cpuSeconds),
      ...(this.unmeasured.length > 0 && { unmeasured: [...this.unmeasured] }),
    };
  }

  #onStatus(status: LinkStatus): void {
    this.status = status;
    this.#peakRssBytes = Math.max(this.#peakRssBytes, status.rssBytes);
    if (this.#lagSamples.length >= LAG_SAMPLES_MAX) return;
    // A heartbeat written before the full sync was over waited for the snapshot: that is not the lag of a link in sync.
    const inSyncMs = this.#now() - this.#synchronizedAtMs;
    this.#lagSamples.push(...status.lagSamples.filter((lagMs) => lagMs <= inSyncMs));
  }

  #onFullSync(message: FromReplicator & { kind: 'sync-finished' }): void {
    const { keys, bytes, durationMs } = message;
    this.#fullSync = {
      keys,
      bytes,
      durationMs: Math.round(durationMs),
      count: (this.#fullSync?.count ?? 0) + 1,
    };
  }
}

function total(statuses: readonly LinkStatus[], count: (status: LinkStatus) => number): number {
  return statuses.reduce((sum, status) => sum + count(status), 0);
}

/** Sums by name. */
function totals(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

/** Nearest-rank percentiles; null of nothing. */
export function describeSamples(samples: readonly number[]): LinkResult['lagMs'] {
  if (samples.length === 0) return null;
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? 0, samples: sorted.length };
}
