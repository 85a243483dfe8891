/**
 * What one link did, put together from its replicator's messages: state, syncs, lag samples, last counters. The link's row
 * of the report comes from here.
 */
import type { FromReplicator, LinkState, LinkStatus, ReplicatorError } from '../../engine/link/messages.ts';
import type { LinkResult } from '../../reports/results.ts';
import type { LinkPlan } from '../plan/plan.ts';

const LAG_SAMPLES_MAX = 1_000_000;

export class LinkMonitor {
  readonly plan: LinkPlan;
  state: LinkState = 'NotStarted';
  status: LinkStatus | undefined;
  failure: ReplicatorError | undefined;
  #fullSync: LinkResult['fullSync'] = null;
  #lagSamples: number[] = [];
  #peakRssBytes = 0;
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

  /** The replicator process is gone; whatever the link was doing, it is not any more. */
  died(failure: ReplicatorError): void {
    if (this.hasFailed) return;
    this.state = 'Failed';
    this.failure = failure;
  }

  result(): LinkResult {
    const { status, plan } = this;
    return {
      link: plan.id,
      source: plan.source,
      target: plan.target,
      state: this.state,
      fullSync: this.#fullSync,
      stream: status?.stream ?? { commands: 0, bytes: 0, transactions: 0 },
      partialResyncs: status?.partialResyncs ?? 0,
      fullResyncs: Math.max(0, (this.#fullSync?.count ?? 0) - 1),
      retries: status?.retries ?? 0,
      dropped: status?.dropped ?? {},
      handled: status?.handled ?? {},
      errors: status?.errors ?? {},
      lagMs: describeSamples(this.#lagSamples),
      peakRssBytes: this.#peakRssBytes,
      cpuSeconds: status?.cpuSeconds ?? 0,
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

/** Nearest-rank percentiles; null of nothing. */
export function describeSamples(samples: readonly number[]): LinkResult['lagMs'] {
  if (samples.length === 0) return null;
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? 0, samples: sorted.length };
}
