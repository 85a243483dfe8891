/** Every key belongs to one source: patterns must not overlap, and Codis's slots must each be in one group. */
import { CODIS_SLOTS } from '../../../engine/keys/codis-slot.ts';
import { KeyPattern } from '../../../engine/keys/key-pattern.ts';
import { formatSlotRange, parseSlotRange } from '../../plan/topologies/slot-ranges.ts';
import type { Path } from '../document.ts';
import { didYouMean } from '../suggest.ts';
import type { Flow } from './flows.ts';
import { namesOf, type RuleContext } from './rule.ts';

export function checkOwnership(context: RuleContext): void {
  checkGroups(context);
  checkOwners(context);
  checkPatterns(context);
  checkSlots(context);
}

/** A group is a server with its replicas: what Codis shards is not sharded again. */
function checkGroups({ spec, flows, report }: RuleContext): void {
  for (const { source, sourcePath, codisSlots } of flows) {
    if (codisSlots === undefined || spec.instances?.[source]?.kind !== 'cluster') continue;
    report(sourcePath, 'value', {
      message: `"${source}" is a cluster, and a group of a Codis cluster is a primary with replicas`,
      expected: 'kind: codis-group',
    });
  }
}

/** The names that stand before patterns or slots are those of the topology's sources. */
function checkOwners({ spec, flows, areFlowsComplete, report }: RuleContext): void {
  const sources = [...new Set(flows.map(({ source }) => source))];
  for (const key of ['ownership', 'slots']) {
    const owners: unknown = Object.entries(spec.topology ?? {}).find(([name]) => name === key)?.[1];
    if (typeof owners !== 'object' || owners === null || !areFlowsComplete) continue;
    for (const name of Object.keys(owners)) {
      if (sources.includes(name)) continue;
      report(['topology', key, name], 'key', {
        message: `"${name}" is not a source of this topology${didYouMean(name, sources)}`,
        expected: namesOf(sources),
      });
    }
  }
}

/** Sources that write to the same instances (several into one target, or both sides of a pair). */
function checkPatterns({ flows, report }: RuleContext): void {
  for (const [position, flow] of flows.entries()) {
    for (const other of flows.slice(0, position).filter((earlier) => sharesKeys(earlier, flow))) {
      for (const [index, pattern] of (flow.owns ?? []).entries()) {
        const overlap = findOverlap(pattern, other.owns ?? []);
        if (overlap === undefined) continue;
        report(patternPath(flow, index), 'value', {
          message: `"${pattern}" and "${overlap.pattern}" of "${other.source}" overlap: a key such as ${JSON.stringify(overlap.key)} would have two owners`,
          expected: 'patterns that no key fits two of',
        });
      }
    }
  }
}

function sharesKeys(one: Flow, two: Flow): boolean {
  if (one.source === two.source) return false;
  return one.target === two.target || (one.source === two.target && one.target === two.source);
}

function findOverlap(
  pattern: string,
  others: readonly string[],
): { pattern: string; key: string } | undefined {
  const own = new KeyPattern(pattern);
  for (const other of others) {
    const key = own.commonKey(new KeyPattern(other));
    if (key !== undefined) return { pattern: other, key };
  }
  return undefined;
}

function patternPath(flow: Flow, index: number): Path {
  return flow.path[0] === 'links'
    ? [...flow.path, 'owns', index]
    : ['topology', 'ownership', flow.source, index];
}

interface WrittenRange {
  first: number;
  last: number;
  group: string;
  path: Path;
}

function checkSlots({ spec, flows, report }: RuleContext): void {
  const ranges = writtenRanges(spec.topology, flows);
  const taken = new Map<number, string>();
  let isWrong = false;
  for (const { first, last, group, path } of ranges) {
    if (first > last || last >= CODIS_SLOTS) {
      report(path, 'value', {
        message: `${formatSlotRange([first, last])} are no slots of Codis`,
        expected: `a range from 0 to ${CODIS_SLOTS - 1}, the smaller number first`,
      });
      isWrong = true;
      continue;
    }
    const slots = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const shared = slots.find((slot) => taken.has(slot));
    if (shared !== undefined) {
      report(path, 'value', {
        message: `slot ${shared} is in "${taken.get(shared) ?? ''}" already`,
        expected: 'every slot in one group',
      });
    }
    for (const slot of slots) if (!taken.has(slot)) taken.set(slot, group);
  }
  if (isWrong || ranges.length === 0 || spec.topology === undefined || flows.length === 0) return;
  const missing = Array.from({ length: CODIS_SLOTS }, (_, slot) => slot).find((slot) => !taken.has(slot));
  if (missing === undefined) return;
  report(['topology', 'slots'], 'key', {
    message: `no group has slot ${missing}`,
    expected: `every slot from 0 to ${CODIS_SLOTS - 1} in one group`,
  });
}

/** As written in `topology.slots`, or in the links themselves. */
function writtenRanges(topology: object | undefined, flows: readonly Flow[]): WrittenRange[] {
  const slots: unknown = Object.entries(topology ?? {}).find(([name]) => name === 'slots')?.[1];
  const written: [string, unknown, Path][] =
    typeof slots === 'object' && slots !== null
      ? Object.entries(slots).map(([group, ranges]) => [group, ranges, ['topology', 'slots', group]])
      : [];
  const fromTopology = written.flatMap(([group, ranges, path]) =>
    (Array.isArray(ranges) ? ranges : []).flatMap((range, index) => {
      const parsed = parseSlotRange(String(range));
      return parsed ? [{ first: parsed[0], last: parsed[1], group, path: [...path, index] }] : [];
    }),
  );
  const fromLinks = flows.flatMap(({ path, source, codisSlots = [] }) =>
    path[0] !== 'links'
      ? []
      : codisSlots.map(([first, last], index) => ({
          first,
          last,
          group: source,
          path: [...path, 'codisSlots', index],
        })),
  );
  return [...fromTopology, ...fromLinks];
}
