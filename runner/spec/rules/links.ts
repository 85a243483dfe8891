/** How data may flow: between known instances, each pair once, and in a circle only where that was declared. */
import { isDeepStrictEqual } from 'node:util';
import type { Path } from '../document.ts';
import { checkOrder } from './link-order.ts';
import { wayBetween } from './link-ways.ts';
import { checkOwnership } from './ownership.ts';
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
  checkSelf(context);
  checkIds(context);
  if (!checkCycle(context)) {
    checkOrder(context);
  }
  checkOwnership(context);
}

function checkEnds(context: RuleContext): void {
  for (const [position, link] of (context.spec.links ?? []).entries()) {
    checkInstanceName(context, link?.source, ['links', position, 'source']);
    checkInstanceName(context, link?.target, ['links', position, 'target']);
  }
  for (const key of ['source', 'target', 'sources', 'targets', 'chain', 'members', 'groups']) {
    const value: unknown = Object.entries(context.spec.topology ?? {}).find(([name]) => name === key)?.[1];
    if (typeof value === 'string') checkInstanceName(context, value, ['topology', key]);
    for (const [position, name] of Array.isArray(value) ? value.entries() : [])
      if (typeof name === 'string') checkInstanceName(context, name, ['topology', key, position]);
  }
}

function checkSelf({ flows, report }: RuleContext): void {
  const reported: Path[] = [];
  for (const flow of flows) {
    if (flow.source !== flow.target) continue;
    // Both links of a two-way pair would say it.
    const isKnown = reported.some((path) => isDeepStrictEqual(path, flow.sourcePath));
    reported.push(flow.targetPath);
    if (isKnown) continue;
    report(flow.targetPath, 'value', {
      message: `"${flow.source}" cannot be its own target`,
      expected: 'two different instances',
    });
  }
}

function checkIds({ flows, report }: RuleContext): void {
  for (const [position, flow] of flows.entries()) {
    const earlier = flows.slice(0, position);
    if (flow.source === flow.target) continue;
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

/**
 * Changes would go round for ever. A declared circle is fine, and so is one that a reverse closes which says what it is.
 * True when a cycle was reported.
 */
function checkCycle({ flows, report }: RuleContext): boolean {
  const copying = flows.filter(({ incrementalOnly }) => incrementalOnly !== true);
  for (const [position, flow] of copying.entries()) {
    if (flow.source === flow.target) continue;
    const way = wayBetween(copying.slice(0, position), flow.target, flow.source);
    if (way === undefined) continue;
    const isPair = way.length === 2;
    const circle = [flow.source, ...way].join(' → ');
    report(flow.targetPath, 'value', {
      message: isPair
        ? `this link closes a circle, and both links copy everything: ${circle}`
        : `this link closes a circle: ${circle}`,
      expected: isPair
        ? 'topology: { kind: two-way, … }, or incrementalOnly: true in one of the two'
        : 'links that never lead back',
    });
    return true;
  }
  return false;
}
