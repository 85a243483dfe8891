/** Where each link is, kept up to date from events, and whether that satisfies a step's `when`. */
import type { RunEventBody } from '../../reports/events.ts';
import type { LinkMetric, LinkPhase, TriggerPlan } from './step.ts';

type When = NonNullable<TriggerPlan['when']>;

interface LinkPosition {
  phase: LinkPhase;
  /** Share of the snapshot's keys copied; null while the snapshot has not said how many there are. */
  percent: number | null;
  measured: Partial<Record<LinkMetric, number | null>>;
}

export class LinkProgress {
  readonly #links = new Map<string, LinkPosition>();

  observe(event: RunEventBody): void {
    if (event.kind === 'progress') {
      this.#advance(event.link, event.keys, event.expectedKeys ?? 0);
      this.#measure(event);
    } else if (event.kind === 'link-state') {
      if (event.to === 'Initializing') this.#enter(event.link, 'handshake', null);
      if (event.to === 'Synchronizing') this.#enterIncremental(event.link);
    } else if (event.kind === 'sync-started' && event.mode === 'full') {
      this.#enter(event.link, 'full-sync', null);
    } else if (event.kind === 'sync-finished' && event.mode === 'full') {
      this.#enterIncremental(event.link);
    }
  }

  /** Whether it is so at this moment, for however long. */
  satisfies(when: When): boolean {
    if (when.proxy !== undefined) return false;
    return this.#positionsOf(when).some(([, position]) => {
      if (when.metric !== undefined && !isMeasured(when, position)) return false;
      if (when.phase !== undefined && when.phase !== position.phase) return false;
      if (when.progress === undefined) return true;
      return (
        position.phase === 'full-sync' &&
        position.percent !== null &&
        reached(when.progress, position.percent)
      );
    });
  }

  /** What was last known of the links a step waited for, for the report of a step that never fired. */
  describe(when: When): string {
    if (when.proxy !== undefined)
      return `no connection through ${when.proxy} carried ${when.bytes ?? 0} bytes`;
    if (when.metric !== undefined) return this.#describeMetric(when, when.metric);
    const positions = this.#positionsOf(when).map(([link, { phase, percent }]) => {
      const share = percent === null ? '' : ` (full sync last seen at ${Math.floor(percent)} %)`;
      return `link ${link} was last seen in ${phase}${share}`;
    });
    if (positions.length > 0) return positions.join(', ');
    return when.link === undefined ? 'no link started' : `link ${when.link} did not start`;
  }

  #describeMetric(when: When, metric: LinkMetric): string {
    const seen = this.#positionsOf(when).map(([link, { measured }]) => {
      const value = measured[metric];
      return `${metric} of link ${link} was last seen at ${value === null || value === undefined ? 'nothing' : Math.round(value)}`;
    });
    return seen.length > 0 ? seen.join(', ') : 'no link started';
  }

  #positionsOf({ link }: When): [string, LinkPosition][] {
    return [...this.#links].filter(([name]) => link === undefined || name === link);
  }

  #enterIncremental(link: string): void {
    this.#enter(link, 'incremental', this.#links.get(link)?.percent ?? null);
  }

  #enter(link: string, phase: LinkPhase, percent: number | null): void {
    this.#links.set(link, { phase, percent, measured: this.#links.get(link)?.measured ?? {} });
  }

  #measure(event: RunEventBody & { kind: 'progress' }): void {
    const position = this.#links.get(event.link);
    if (position === undefined) return;
    const { lagBytes, lagMs, keys, bytes } = event;
    position.measured = { lag_bytes: lagBytes, lag_ms: lagMs, snapshot_keys: keys, snapshot_bytes: bytes };
  }

  #advance(link: string, keys: number, expectedKeys: number): void {
    const position = this.#links.get(link);
    if (position?.phase !== 'full-sync' || expectedKeys <= 0) return;
    position.percent = (keys / expectedKeys) * 100;
  }
}

function isMeasured({ metric, is }: When, position: LinkPosition): boolean {
  const value = metric === undefined ? null : position.measured[metric];
  return value !== null && value !== undefined && is !== undefined && compare(is.comparison, value, is.value);
}

function reached({ comparison, percent }: NonNullable<When['progress']>, now: number): boolean {
  return compare(comparison, now, percent);
}

function compare(comparison: '>=' | '>' | '<' | '<=', now: number, limit: number): boolean {
  switch (comparison) {
    case '>=':
      return now >= limit;
    case '>':
      return now > limit;
    case '<':
      return now < limit;
    case '<=':
      return now <= limit;
    default:
      return comparison satisfies never;
  }
}
