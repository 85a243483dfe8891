/** Two looks at the same server, and what changed between them. */
import { evidenceAbout, type EvidenceOf, type ServerMoment } from '../../reports/evidence.ts';
import type { CheckContext } from './check.ts';

type ServerReading = EvidenceOf<'server'> & { ms: number };

export interface ServerChange {
  instance: string;
  node: string;
  before: ServerReading;
  after: ServerReading;
}

/** Of primaries that were read at both moments and not restarted in between: their counters begin at 0 again. */
export function changesBetween(
  { events }: CheckContext,
  from: ServerMoment,
  to: ServerMoment,
): ServerChange[] {
  const readings = evidenceAbout(events, 'server');
  return readings
    .filter(({ moment }) => moment === to)
    .flatMap((after) => {
      const before = readings.find(
        (each) => each.moment === from && each.instance === after.instance && each.node === after.node,
      );
      if (before === undefined || !isSameLife(before, after)) return [];
      return [{ instance: after.instance, node: after.node, before, after }];
    })
    .filter(({ before, after }) => before.numbers['primary'] === 1 && after.numbers['primary'] === 1);
}

/** By how much a number of INFO grew; null when the server does not tell it. */
export function growthOf({ before, after }: ServerChange, field: string): number | null {
  const [from, to] = [before.numbers[field], after.numbers[field]];
  return from === undefined || to === undefined ? null : to - from;
}

/** What grew in a table of counters. */
export function growthIn(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Map<string, number> {
  const growth = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return new Map(growth.filter(([, count]) => count > 0));
}

function isSameLife(before: ServerReading, after: ServerReading): boolean {
  const [from, to] = [before.numbers['uptime_in_seconds'], after.numbers['uptime_in_seconds']];
  if (from === undefined || to === undefined) return true;
  // A second of rounding; a server that started again is younger than the time between.
  return to + 2 >= from + Math.floor((after.ms - before.ms) / 1000);
}
