/**
 * The three-way view of the ledgered writes: what clients were told, what the instance they wrote to has, what another
 * instance has. What neither has was lost at its source (a failover may do that); what only the source has was lost on the
 * way. Pure.
 */
import { evidenceAbout, type LaneAccount } from './evidence.ts';
import type { RunEvent } from './events.ts';
import type { LinkResult } from './results.ts';

type Range = readonly [number, number];

export interface LaneView {
  instance: string;
  account: LaneAccount;
  /** The lane on the instances it came from; none when clients write to this one. */
  origins: LaneAccount[];
}

/** Every lane on every instance it should be on. */
export function laneViews(
  events: readonly RunEvent[],
  links: readonly Pick<LinkResult, 'source' | 'target'>[],
): LaneView[] {
  const readings = evidenceAbout(events, 'ledger');
  return readings.flatMap(({ instance, accounts }) =>
    accounts.flatMap((account) => {
      const upstream = upstreamOf(instance, links);
      const names = account.origin === undefined ? rootsOf(upstream, links) : [account.origin];
      // A lane whose client writes elsewhere, to something that does not flow here, need not be here.
      if (!names.includes(instance) && names.every((name) => !upstream.has(name))) return [];
      const origins = names.includes(instance)
        ? []
        : readings
            .filter((reading) => names.includes(reading.instance) && reading.instance !== instance)
            .flatMap((reading) => reading.accounts.filter((each) => isSameLane(each, account)));
      return [{ instance, account, origins }];
    }),
  );
}

/** Acknowledged writes that an origin has and this instance has not: lost on the way. */
export function lostOnTheWay({ account, origins }: LaneView): number {
  if (origins.length === 0) return 0;
  return countOf(account.missing) - countOf(lostEverywhere([account, ...origins]));
}

/** Acknowledged writes that no origin has (asked of the origins' own views). */
export function lostAtSource(views: readonly LaneView[]): number {
  let lost = 0;
  for (const lane of groupByLane(views.filter((view) => view.origins.length === 0)).values())
    lost += countOf(lostEverywhere(lane.map((view) => view.account)));
  return lost;
}

export function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((total, [from, to]) => total + to - from + 1, 0);
}

/** Numbers that are in all of the lists of ranges; each list ascending. */
export function intersect(left: readonly Range[], right: readonly Range[]): Range[] {
  const common: Range[] = [];
  let index = 0;
  for (const [from, to] of left) {
    while (index < right.length && (right[index]?.[1] ?? 0) < from) index++;
    for (let at = index; at < right.length; at++) {
      const other = right[at];
      if (other === undefined || other[0] > to) break;
      common.push([Math.max(from, other[0]), Math.min(to, other[1])]);
    }
  }
  return common;
}

function lostEverywhere(accounts: readonly LaneAccount[]): readonly Range[] {
  const [first, ...others] = accounts;
  if (first === undefined) return [];
  return others.reduce<readonly Range[]>((common, each) => intersect(common, each.missing), first.missing);
}

function groupByLane(views: readonly LaneView[]): Map<string, LaneView[]> {
  const groups = new Map<string, LaneView[]>();
  for (const view of views) {
    const id = `${view.account.workload} ${view.account.database} ${view.account.lane}`;
    groups.set(id, [...(groups.get(id) ?? []), view]);
  }
  return groups;
}

function isSameLane(left: LaneAccount, right: LaneAccount): boolean {
  return left.workload === right.workload && left.database === right.database && left.lane === right.lane;
}

/** Everything whose data flows into an instance, over any number of links, itself included. */
function upstreamOf(
  instance: string,
  links: readonly Pick<LinkResult, 'source' | 'target'>[],
): ReadonlySet<string> {
  const found = new Set([instance]);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const { source, target } of links) if (found.has(target)) found.add(source);
  }
  return found;
}

/** Those that nothing flows into. */
function rootsOf(
  instances: ReadonlySet<string>,
  links: readonly Pick<LinkResult, 'source' | 'target'>[],
): string[] {
  return [...instances].filter((name) => !links.some(({ target }) => target === name));
}
