/** A plan disturbed at random: its own timeline is replaced by one that was drawn, and what chaos breaks is not expected of it. */
import { findingKind } from '../../reports/findings.ts';
import { SyncError } from '../../engine/errors.ts';
import { drawTimeline, type ChaosAim, type ChaosTimeline } from '../../scenarios/chaos/draw-timeline.ts';
import type { ChaosProfileName } from '../../scenarios/chaos/profiles.ts';
import { FAULTS } from '../../scenarios/faults/registry.ts';
import { isExisting } from './existing.ts';
import { hostOf } from './link-host.ts';
import { isInCircle } from './writers.ts';
import type { ExpectPlan, InstancePlan, LinkPlan, Plan } from './plan.ts';

export interface ChaosPlan {
  plan: Plan;
  drawn: ChaosTimeline;
}

/**
 * Draws from the plan's seed. Expectations of speed and of what faults bring (resyncs, lag) go: they were written for a quiet
 * run. Checks and findings that are errors stay, and the data must be equal as ever.
 *
 * @throws SyncError SPEC_INVALID when nothing can be drawn for this plan.
 */
export function disturbPlan(plan: Plan, profile: ChaosProfileName): ChaosPlan {
  const { seed, links } = plan;
  const afterSync = !links.every((link) => mayCopyAgain(plan, link));
  const drawn = drawTimeline({ profile, seed, aims: aimsOf(plan), faults: FAULTS, afterSync });
  if (drawn.steps.length === 0) {
    throw new SyncError('SPEC_INVALID', 'Nothing of this spec may be disturbed.', {
      where: plan.spec,
      hint: 'Chaos needs an instance that is provisioned or says disposable: true, or a link of its own engine.',
    });
  }
  const expect = [
    ...plan.expect.filter((line) => holdsUnderChaos(line, drawn.findings)),
    ...drawn.findings.map((finding) => ({
      finding,
      count: { comparison: '>=' as const, value: 0 },
    })),
  ];
  return { plan: { ...plan, chaos: profile, timeline: drawn.steps, expect }, drawn };
}

/** A finding that is an error on a quiet day is one on a bad day too, unless a drawn fault brings it. */
function holdsUnderChaos(line: ExpectPlan, brought: readonly string[]): boolean {
  if ('metric' in line) return false;
  // A source may lose writes in a fault; that nothing is lost on the way is always checked.
  if ('ledger' in line) return line.ledger !== 'lost';
  if (!('finding' in line)) return true;
  return findingKind(line.finding)?.severity === 'error' && !brought.includes(line.finding);
}

function aimsOf(plan: Plan): ChaosAim[] {
  const sources = plan.links.map(({ source }) => source);
  const targets = plan.links.map(({ target }) => target);
  const named = (names: readonly string[]): InstancePlan[] =>
    plan.instances.filter(({ name }) => names.includes(name));
  return [
    ...named(sources).map((instance) => serverAim(plan, instance, 'source')),
    ...named(targets).map((instance) => serverAim(plan, instance, 'target')),
    ...plan.links.flatMap((link) => linkAims(plan, link)),
  ];
}

/**
 * Does a second full sync remove what is gone from the source, and one that begins anew what the first has left? Where
 * everything on the target is this link's; and of Codis groups, as what one has not got is compared with the others.
 */
function mayCopyAgain({ links }: Plan, link: LinkPlan): boolean {
  const { id, target, codisSlots } = link;
  if (codisSlots !== undefined) return true;
  return !isInCircle(links, link) && links.every((other) => other.id === id || other.target !== target);
}

function serverAim(plan: Plan, instance: InstancePlan, place: 'source' | 'target'): ChaosAim {
  const { driver, links } = plan;
  const { name, kind, disposable, replicas } = instance;
  const isOurs = !isExisting(instance);
  const abilities = new Set([
    ...(isOurs ? ['kill', 'pause', 'restart', 'debug'] : []),
    ...(driver.kind === 'redis-sync' ? ['engine'] : []),
    ...(isOurs || disposable ? ['config', 'write'] : []),
    ...(replicas > 0 ? ['replica'] : []),
    ...(kind === 'cluster' ? [] : ['standalone']),
  ]);
  const mayResync = links.every((link) => link.source !== name || mayCopyAgain(plan, link));
  return { place, where: name, subject: `server ${name}`, abilities, mayResync };
}

function linkAims(plan: Plan, link: LinkPlan): ChaosAim[] {
  const { driver, instances } = plan;
  const { id, source, target } = link;
  const mayResync = mayCopyAgain(plan, link);
  const host = hostOf(plan, link);
  const isOurs = driver.kind === 'redis-sync';
  const way = (side: 'source' | 'target', of: string): ChaosAim => {
    const instance = instances.find(({ name }) => name === of);
    return {
      place: `way to ${side}`,
      where: `link:${id}.${side}`,
      subject: `way from ${host} to ${of}`,
      abilities: new Set(['proxy', ...(instance?.disposable === true ? ['write'] : [])]),
      mayResync,
    };
  };
  const hasWay = { source: driver.kind !== 'external', target: isOurs || driver.kind === 'command' };
  return [
    ...(isOurs
      ? [
          {
            place: 'link' as const,
            where: `link:${id}`,
            subject: `engine of ${host}`,
            abilities: new Set(['engine']),
            mayResync,
          },
        ]
      : []),
    ...(hasWay.source ? [way('source', source)] : []),
    ...(hasWay.target ? [way('target', target)] : []),
  ];
}

/** One line per step, for people. */
export function describeChaos({ plan, drawn }: ChaosPlan): string[] {
  const { possible, leftOut, steps } = drawn;
  const lines = steps.map(({ fault, where = '', trigger, forMs, with: settings }) => {
    const words = Object.entries(settings).map(([name, value]) => `${name} ${String(value)}`);
    const until = forMs === undefined ? '' : ` for ${forMs} ms`;
    return `  at ${String(trigger.atMs ?? trigger.delayMs).padStart(5)} ms  ${fault} on ${where}${until}${words.length > 0 ? ` (${words.join(', ')})` : ''}`;
  });
  const of = `${possible.length - leftOut.length} of ${possible.length} faults`;
  return [`Chaos ${plan.chaos}, seed ${plan.seed}: ${steps.length} steps of ${of}`, ...lines];
}
