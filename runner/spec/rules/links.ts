/** How data may flow: between known instances, each pair once, and in a circle only where that was declared. */
import { isDeepStrictEqual } from 'node:util';
import { isInCircle } from '../../plan/writers.ts';
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
    checkClusterCircle(context);
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

/**
 * What a circle relies on is that everything a link writes says where it was written first. On a cluster that is not so: a slot
 * that moves arrives as plain RESTOREs, deadlines are given back and keys are repaired outside of transactions.
 */
function checkClusterCircle({ spec, flows, report }: RuleContext): void {
  for (const flow of flows) {
    const isCluster = spec.instances?.[flow.target]?.kind === 'cluster';
    if (!isCluster || !isInCircle(flows, flow)) continue;
    report(flow.targetPath, 'value', {
      message: `"${flow.target}" is a cluster, and one of a circle: slots that move there do not say where their keys were written, and would come back`,
      expected: 'one direction, or servers that are no clusters',
    });
    return;
  }
}
