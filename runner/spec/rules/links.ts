/** How data may flow: between known instances, never in a circle, and in shapes that are built. */
import type { Path } from '../document.ts';
import type { Flow } from './flows.ts';
import { checkInstanceName, type RuleContext } from './rule.ts';

export function checkLinks(context: RuleContext): void {
  const { spec, report } = context;
  if (spec.links !== undefined && spec.topology !== undefined) {
    report(['links'], 'key', {
      message: 'topology and links exclude each other',
      expected: 'one of the two',
    });
    return;
  }
  checkEnds(context);
  for (const flow of context.flows) {
    if (flow.source !== flow.target) continue;
    report([...flow.path, 'target'], 'value', {
      message: `"${flow.source}" cannot be its own target`,
      expected: 'two different instances',
    });
  }
  checkIds(context);
  if (!checkCycle(context)) checkShape(context);
}

function checkEnds(context: RuleContext): void {
  for (const [position, link] of (context.spec.links ?? []).entries()) {
    checkInstanceName(context, link?.source, ['links', position, 'source']);
    checkInstanceName(context, link?.target, ['links', position, 'target']);
  }
  for (const [key, value] of Object.entries(context.spec.topology ?? {})) {
    if (key !== 'kind' && typeof value === 'string') checkInstanceName(context, value, ['topology', key]);
  }
}

function checkIds({ flows, report }: RuleContext): void {
  for (const [position, flow] of flows.entries()) {
    const earlier = flows.slice(0, position);
    if (earlier.some(({ source, target }) => source === flow.source && target === flow.target)) {
      report(flow.path, 'value', {
        message: `there is a link from "${flow.source}" to "${flow.target}" already`,
      });
    } else if (earlier.some(({ id }) => id === flow.id)) {
      report([...flow.path, 'id'], 'value', {
        message: `there is a link "${flow.id}" already`,
        expected: 'another id',
      });
    }
  }
}

/** True when a cycle was reported. */
function checkCycle({ flows, report }: RuleContext): boolean {
  for (const [position, flow] of flows.entries()) {
    if (flow.source === flow.target) continue;
    const way = wayBetween(flows.slice(0, position), flow.target, flow.source);
    if (way === undefined) continue;
    const circle = [flow.source, ...way].join(' → ');
    report([...flow.path, 'target'], 'value', {
      message: `this link closes a circle: ${circle}`,
      expected:
        way.length === 2
          ? 'links in one direction; two-way is not supported yet'
          : 'links that never lead back',
    });
    return true;
  }
  return false;
}

/** The instances on a way along the links, both ends included. */
function wayBetween(
  flows: readonly Flow[],
  from: string,
  to: string,
  seen: readonly string[] = [],
): string[] | undefined {
  if (from === to) return [to];
  if (seen.includes(from)) return undefined;
  for (const flow of flows.filter(({ source }) => source === from)) {
    const rest = wayBetween(flows, flow.target, to, [...seen, from]);
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
}

/** Links may be several, as long as no instance is in two of them. */
function checkShape({ flows, report }: RuleContext): void {
  for (const [position, flow] of flows.entries()) {
    const shared = flows.slice(0, position).flatMap((earlier) => sharedShape(earlier, flow))[0];
    if (shared === undefined) continue;
    const path: Path = [...flow.path, shared.key];
    report(path, 'value', {
      message: `"${flow[shared.key]}" is in the link "${shared.other}" too; ${shared.shape} is not supported yet`,
      expected: 'every instance in one link',
    });
  }
}

function sharedShape(
  earlier: Flow,
  flow: Flow,
): { key: 'source' | 'target'; other: string; shape: string }[] {
  const isSame = earlier.source === flow.source && earlier.target === flow.target;
  if (isSame || flow.source === flow.target) return [];
  if (earlier.source === flow.source) return [{ key: 'source', other: earlier.id, shape: 'one-to-many' }];
  if (earlier.target === flow.target) return [{ key: 'target', other: earlier.id, shape: 'many-to-one' }];
  if (earlier.target === flow.source) return [{ key: 'source', other: earlier.id, shape: 'cascade' }];
  if (earlier.source === flow.target) return [{ key: 'target', other: earlier.id, shape: 'cascade' }];
  return [];
}
