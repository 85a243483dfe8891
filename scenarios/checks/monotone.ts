/** What a reader of the target has seen does not go back: no older state comes after a newer one. */
import { plural } from '../../reports/display.ts';
import { syncsOf } from '../../reports/history.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';
import { effectiveFaults, isRepeated, mayHaveLost } from './faults-in-effect.ts';
import { describeRing, ringReadings, type RingReading } from './rings.ts';

const NAME = 'monotone';

export const monotone: CheckDefinition = {
  name: NAME,
  summary:
    'The sequence each client writes never goes back on a target, unless the source itself went back in a fault.',
  judge: (context) => [judgeSequences(context)],
};

function judgeSequences(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const readings = ringReadings(context);
  if (readings.length === 0) return result(NAME, 'skipped', 'No sequence was read while clients wrote.');
  const steps = stepsBack(readings);
  const counts = { readings: readings.length, stepsBack: steps.length };
  const unexplained = steps.filter((step) => !isFlushed(context, step) && !isExplained(context, step));
  const [first] = unexplained;
  if (first !== undefined) {
    const summary = `${plural(unexplained.length, 'sequence')} went back on a target: ${first.after.ring} on ${first.after.instance} from ${describeRing(first.before.values)} to ${describeRing(first.after.values)}.`;
    return result(NAME, 'fail', summary, counts);
  }
  const explained =
    steps.length > 0 ? `, ${plural(steps.length, 'step')} back after a fault of the source` : '';
  return result(NAME, 'pass', `Forward in ${plural(readings.length, 'reading')}${explained}.`, counts);
}

/** Links that end at the instance, and those whose targets they begin at: what goes back there comes through these. */
function linksTowards({ links }: CheckContext, instance: string): Set<string> {
  const reached = new Set([instance]);
  for (const _ of links) for (const { source, target } of links) if (reached.has(target)) reached.add(source);
  return new Set(links.filter(({ target }) => reached.has(target)).map(({ link }) => link));
}

interface StepBack {
  before: RingReading;
  after: RingReading;
}

function stepsBack(readings: readonly RingReading[]): StepBack[] {
  const last = new Map<string, RingReading>();
  const found: StepBack[] = [];
  for (const after of readings) {
    const id = `${after.instance} ${after.ring}`;
    const before = last.get(id);
    if (before !== undefined && lowest(after) < lowest(before)) found.push({ before, after });
    last.set(id, after);
  }
  return found;
}

function lowest({ values }: RingReading): number {
  return Math.min(...values.map((value) => value ?? -1));
}

/** Nothing of it is there any more, and the source was emptied in a fault. */
function isFlushed({ links, events, steps }: CheckContext, { after }: StepBack): boolean {
  if (after.values.some((value) => value !== null)) return false;
  const sources = links.filter(({ target }) => target === after.instance).map(({ source }) => source);
  const flushes = new Set(steps.filter(({ fault }) => fault === 'flush').map(({ id }) => id));
  return effectiveFaults({ events }).some(
    ({ step, where, requestedMs, effectiveMs }) =>
      flushes.has(step) &&
      sources.includes(where?.split('.')[0] ?? '') &&
      (requestedMs ?? effectiveMs ?? Infinity) <= after.ms,
  );
}

/** The source lost data in a fault, and the link copied it again in between. */
function isExplained(context: CheckContext, { before, after }: StepBack): boolean {
  const syncs = syncsOf(context.events);
  const targets = linksTowards(context, after.instance);
  const copied = syncs.some(
    (sync) =>
      sync.mode === 'full' &&
      targets.has(sync.link) &&
      isRepeated(sync, syncs) &&
      sync.startedMs <= after.ms &&
      (sync.finishedMs ?? Infinity) >= before.ms,
  );
  return copied && mayHaveLost(context);
}
