/**
 * What one link did, put together from its replicator's messages: state, syncs, lag samples, last counters. The link's row
 * of the report comes from here.
 */
import type { FromReplicator, LinkState, LinkStatus, ReplicatorError } from '../../engine/link/messages.ts';
import type { LinkFigure, LinkResult } from '../../reports/results.ts';
import type { LinkPlan } from '../plan/plan.ts';
import { commonState, isPartOf, mergeStatuses, PartSyncs, sumByName } from './link-parts.ts';

const LAG_SAMPLES_MAX = 1_000_000;

export class LinkMonitor {
  readonly plan: LinkPlan;
  state: LinkState = 'NotStarted';
  /** Newest, of all parts together. */
  status: LinkStatus | undefined;
  /** By the ids of the link's parts; one, the link's own, unless its source is a cluster. */
  readonly #states = new Map<string, LinkState>();
  readonly #statuses = new Map<string, LinkStatus>();
  readonly #syncs = new PartSyncs();
  failure: ReplicatorError | undefined;
  /** Stays true, whatever interrupts it later. */
  hasBeenInSync = false;
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

  /** It consists of these parts: none of them may be missing in its state. */
  consistOf(parts: readonly string[]): void {
    for (const part of parts) if (!this.#states.has(part)) this.#states.set(part, 'NotStarted');
    this.state = commonState(this.#states.values());
  }

  /** This part has ended in order, because the shard it was for is gone. */
  isFinished(part: string): boolean {
    return this.#states.get(part) === 'Finished';
  }

  /** @returns what is to be told of it as the link's own: nothing of what concerns only a part. */
  observe(message: FromReplicator): FromReplicator | undefined {
    switch (message.kind) {
      case 'status':
        for (const status of message.links) if (isPartOf(this.plan.id, status.link)) this.#onStatus(status);
        return message;
      case 'link-state':
        return isPartOf(this.plan.id, message.link) ? this.#onState(message) : undefined;
      case 'sync-started': {
        if (!isPartOf(this.plan.id, message.link)) return undefined;
        return this.#syncs.begins(message.link, message.mode)
          ? { ...message, link: this.plan.id }
          : undefined;
      }
      case 'sync-finished': {
        if (!isPartOf(this.plan.id, message.link)) return undefined;
        const running = [...this.#states.keys()].filter((part) => !this.isFinished(part));
        const parts = running.length > 0 ? running : [message.link];
        const whole = this.#syncs.ends(message, parts);
        if (whole === undefined) return undefined;
        this.#synchronizedAtMs = this.#now();
        if (whole.mode === 'full') this.#onFullSync(whole);
        return { ...whole, link: this.plan.id };
      }
      case 'link-failed':
        if (!isPartOf(this.plan.id, message.link)) return undefined;
        this.failure ??= message.error;
        return message;
      default:
        return message;
    }
  }

  #onState(message: FromReplicator & { kind: 'link-state' }): FromReplicator | undefined {
    const from = this.state;
    this.#states.set(message.link, message.to);
    this.state = commonState(this.#states.values());
    this.hasBeenInSync ||= this.isSynchronizing;
    if (this.state === from) return undefined;
    const { kind, cause, replid, offset } = message;
    // The offsets of several shards have nothing to do with each other.
    const place = this.#states.size > 1 ? {} : { ...(replid && { replid }), ...(offset && { offset }) };
    return { kind, link: this.plan.id, from, to: this.state, cause, ...place };
  }

  /** Its process was killed and another will take its place: what the old one counted stays counted. */
  orphaned(): void {
    for (const part of this.#states.keys()) this.#states.set(part, 'Retrying');
    this.state = 'Retrying';
    if (this.status !== undefined) this.#earlier.push(this.status);
    this.#statuses.clear();
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
      dropped: sumByName(all.map(({ dropped }) => dropped)),
      handled: sumByName(all.map(({ handled = {} }) => handled)),
      errors: sumByName(all.map(({ errors }) => errors)),
      lagMs: describeSamples(this.#lagSamples),
      peakRssBytes: this.#peakRssBytes,
      cpuSeconds: total(all, ({ cpuSeconds }) => cpuSeconds),
      ...(this.unmeasured.length > 0 && { unmeasured: [...this.unmeasured] }),
    };
  }

  /** Of one part. */
  partStatus(part: string): LinkStatus | undefined {
    return this.#statuses.get(part);
  }

  #onStatus(status: LinkStatus): void {
    this.#statuses.set(status.link, status);
    this.status = mergeStatuses(this.plan.id, [...this.#statuses.values()]);
    this.#peakRssBytes = Math.max(this.#peakRssBytes, this.status?.rssBytes ?? 0);
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

/** Nearest-rank percentiles; null of nothing. */
export function describeSamples(samples: readonly number[]): LinkResult['lagMs'] {
  if (samples.length === 0) return null;
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? 0, samples: sorted.length };
}
