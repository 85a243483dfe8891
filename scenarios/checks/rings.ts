/** The readings of rings that can be held against a link: those taken while it was applying commands one after another. */
import { evidenceAbout } from '../../reports/evidence.ts';
import type { RunEvent } from '../../reports/events.ts';
import { linkStatesOf, syncsOf } from '../../reports/history.ts';
import type { CheckContext } from './check.ts';
import { isRepeated } from './faults-in-effect.ts';

export interface RingReading {
  instance: string;
  ring: string;
  values: readonly (number | null)[];
  ms: number;
}

/**
 * Without those taken in a full sync: a snapshot is copied key by key, by Redis's own replicas too. Nor those taken while, and
 * after, keys were moved between the groups of a Codis cluster, each by itself: the two streams that tell of it have no order.
 * Nor those further down a chain once a hop before was copied again: its snapshot comes there as a stream of single keys.
 * Nor those of a cluster while, and after, a source was flushed: what is the source's is removed there key by key.
 */
export function ringReadings(context: CheckContext): RingReading[] {
  const movedFromMs = Math.min(...context.events.filter(isRebalance).map(({ ms }) => ms));
  const flushedFromMs = Math.min(...context.events.filter(isFlush).map(({ ms }) => ms));
  const clusters = new Set(evidenceAbout(context.events, 'slots').map(({ instance }) => instance));
  const spans = linkStatesOf(context.events);
  const isApplying = (instance: string, ms: number): boolean =>
    context.links
      .filter((link) => link.target === instance)
      .every((link) => {
        const span = spans.findLast((each) => each.link === link.link && each.fromMs <= ms);
        return span?.state === 'Synchronizing' || span?.state === 'Finished';
      });
  return evidenceAbout(context.events, 'rings')
    .filter(({ instance, ms }) => ms < movedFromMs && isApplying(instance, ms))
    .filter(({ instance, ms }) => ms < flushedFromMs || !clusters.has(instance))
    .filter(({ instance, ms }) => ms < copiedAgainMs(context, instance))
    .flatMap(({ instance, rings, ms }) =>
      Object.entries(rings).map(([ring, values]) => ({ instance, ring, values, ms })),
    );
}

function isRebalance(event: RunEvent): boolean {
  return event.kind === 'fault' && event.fault === 'codis-rebalance' && event.stage === 'requested';
}

/** When a link that leads to the source of a link to this instance began a second full sync; Infinity when none did. */
function copiedAgainMs({ events, links }: CheckContext, instance: string): number {
  const sources = new Set(links.filter(({ target }) => target === instance).map(({ source }) => source));
  for (const _ of links) for (const { source, target } of links) if (sources.has(target)) sources.add(source);
  const before = new Set(links.filter(({ target }) => sources.has(target)).map(({ link }) => link));
  const syncs = syncsOf(events);
  const repeated = syncs.filter(
    (sync) => sync.mode === 'full' && before.has(sync.link) && isRepeated(sync, syncs),
  );
  return Math.min(Infinity, ...repeated.map(({ startedMs }) => startedMs));
}

function isFlush(event: RunEvent): boolean {
  return event.kind === 'fault' && event.fault === 'flush' && event.stage === 'requested';
}

/** `6, 6, 7`; `–` where a key is not there. */
export function describeRing(values: readonly (number | null)[]): string {
  return values.map((value) => value ?? '–').join(', ');
}
