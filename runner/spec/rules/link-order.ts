/** Which link copies everything, which only follows, and which waits for which. */
import { didYouMean } from '../suggest.ts';
import type { Flow } from './flows.ts';
import { wayBetween } from './link-ways.ts';
import { namesOf, type RuleContext } from './rule.ts';

/** For links that do not lead in a circle, unless a reverse was declared. */
export function checkOrder(context: RuleContext): void {
  for (const flow of context.flows) {
    if (flow.incrementalOnly === true && !flow.mayCircle) checkReverse(context, flow);
    checkWaiting(context, flow);
  }
}

/** Incremental only is for the way back: otherwise nothing would ever bring the data that is there at the beginning. */
function checkReverse({ flows, report }: RuleContext, flow: Flow): void {
  const path = [...flow.path, 'incrementalOnly'];
  const copying = flows.filter(({ incrementalOnly }) => incrementalOnly !== true);
  const way = wayBetween(copying, flow.target, flow.source);
  const opposite = flows.find(({ source, target }) => source === flow.target && target === flow.source);
  if (way === undefined && opposite !== undefined) {
    if (flows.indexOf(opposite) > flows.indexOf(flow)) return;
    report(path, 'value', {
      message: `"${opposite.id}" is incremental only too: nothing would copy what is there at the beginning`,
      expected: 'incrementalOnly in one of the two',
    });
    return;
  }
  if (way === undefined) {
    report(path, 'value', {
      message: `nothing copies what is in "${flow.source}" at the beginning: no link leads from "${flow.target}" to "${flow.source}" that this one could be the way back of`,
      expected: `a link from ${flow.target} to ${flow.source}, or no incrementalOnly`,
    });
    return;
  }
  const last = copying.find(({ source, target }) => source === way.at(-2) && target === flow.source);
  if (flow.startsAfter === undefined || last === undefined || flow.startsAfter === last.id) return;
  report([...flow.path, 'startsAfter'], 'value', {
    message: `a reverse cannot start before "${last.id}", which it is the reverse of, is in sync`,
    expected: last.id,
  });
}

function checkWaiting({ flows, report }: RuleContext, flow: Flow): void {
  const { startsAfter } = flow;
  if (startsAfter === undefined || flow.path[0] !== 'links') return;
  const path = [...flow.path, 'startsAfter'];
  const ids = flows.map(({ id }) => id);
  const before = flows.find(({ id }) => id === startsAfter);
  if (before === undefined) {
    const message = `there is no link "${startsAfter}"${didYouMean(startsAfter, ids)}`;
    report(path, 'value', { message, expected: namesOf(ids.filter((id) => id !== flow.id)) });
    return;
  }
  if (before.incrementalOnly === true && before.source === flow.target && before.target === flow.source) {
    report(path, 'value', {
      message: `"${before.id}" is the reverse of this link: it starts when this one is in sync, not before`,
      expected: 'no startsAfter',
    });
    return;
  }
  const way = [flow.id];
  for (let next: Flow | undefined = before; next !== undefined;) {
    way.push(next.id);
    if (next.id === flow.id) {
      // Every link of the circle gets here; the first one tells.
      if (way.some((id) => ids.indexOf(id) < ids.indexOf(flow.id))) return;
      report(path, 'value', {
        message: `these links wait for each other: ${way.join(' → ')}`,
        expected: 'a link that starts at once',
      });
      return;
    }
    if (way.length > ids.length) return;
    const waitsFor: string | undefined = next.startsAfter;
    next = flows.find(({ id }) => id === waitsFor);
  }
}
