/** The readings of rings that can be held against a link: those taken while it was applying commands one after another. */
import { evidenceAbout } from '../../reports/evidence.ts';
import { linkStatesOf } from '../../reports/history.ts';
import type { CheckContext } from './check.ts';

export interface RingReading {
  instance: string;
  ring: string;
  values: readonly (number | null)[];
  ms: number;
}

/** Without those taken in a full sync: a snapshot is copied key by key, by Redis's own replicas too. */
export function ringReadings(context: CheckContext): RingReading[] {
  const spans = linkStatesOf(context.events);
  const isApplying = (instance: string, ms: number): boolean =>
    context.links
      .filter((link) => link.target === instance)
      .every((link) => {
        const span = spans.findLast((each) => each.link === link.link && each.fromMs <= ms);
        return span?.state === 'Synchronizing' || span?.state === 'Finished';
      });
  return evidenceAbout(context.events, 'rings')
    .filter(({ instance, ms }) => isApplying(instance, ms))
    .flatMap(({ instance, rings, ms }) =>
      Object.entries(rings).map(([ring, values]) => ({ instance, ring, values, ms })),
    );
}

/** `6, 6, 7`; `–` where a key is not there. */
export function describeRing(values: readonly (number | null)[]): string {
  return values.map((value) => value ?? '–').join(', ');
}
