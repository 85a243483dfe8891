/** Where each link is, kept up to date from events, and whether that satisfies a step's `when`. */
import type { RunEventBody } from '../../reports/events.ts';
import type { LinkPhase, TriggerPlan } from './step.ts';

type When = NonNullable<TriggerPlan['when']>;

interface LinkPosition {
  phase: LinkPhase;
  /** Share of the snapshot's keys copied; null while the snapshot has not said how many there are. */
  percent: number | null;
}

export class LinkProgress {
  readonly #links = new Map<string, LinkPosition>();

  observe(event: RunEventBody): void {
    if (event.kind === 'progress') {
      this.#advance(event.link, event.keys, event.expectedKeys ?? 0);
    } else if (event.kind === 'link-state') {
      if (event.to === 'Initializing') this.#links.set(event.link, { phase: 'handshake', percent: null });
      if (event.to === 'Synchronizing') this.#enterIncremental(event.link);
    } else if (event.kind === 'sync-started' && event.mode === 'full') {
      this.#links.set(event.link, { phase: 'full-sync', percent: null });
    } else if (event.kind === 'sync-finished' && event.mode === 'full') {
      this.#enterIncremental(event.link);
    }
  }

  satisfies(when: When): boolean {
    return this.#positionsOf(when).some(([, position]) => {
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
    const positions = this.#positionsOf(when).map(([link, { phase, percent }]) => {
      const share = percent === null ? '' : ` (full sync last seen at ${Math.floor(percent)} %)`;
      return `link ${link} was last seen in ${phase}${share}`;
    });
    if (positions.length > 0) return positions.join(', ');
    return when.link === undefined ? 'no link started' : `link ${when.link} did not start`;
  }

  #positionsOf({ link }: When): [string, LinkPosition][] {
    return [...this.#links].filter(([name]) => link === undefined || name === link);
  }

  #enterIncremental(link: string): void {
    this.#links.set(link, { phase: 'incremental', percent: this.#links.get(link)?.percent ?? null });
  }

  #advance(link: string, keys: number, expectedKeys: number): void {
    const position = this.#links.get(link);
    if (position?.phase !== 'full-sync' || expectedKeys <= 0) return;
    position.percent = (keys / expectedKeys) * 100;
  }
}

function reached({ comparison, percent }: NonNullable<When['progress']>, now: number): boolean {
  switch (comparison) {
    case '>=':
      return now >= percent;
    case '>':
      return now > percent;
    case '<':
      return now < percent;
    case '<=':
      return now <= percent;
    default:
      return comparison satisfies never;
  }
}
