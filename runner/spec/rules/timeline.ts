/** Steps: each has one trigger, an id of its own, and aims at something that exists and may be touched. */
import { DEFAULT_SHARDS, replicasOf } from '../../plan/defaults.ts';
import { defaultStepId } from '../../plan/expand-step.ts';
import { parseAddress, type Address } from '../address.ts';
import type { Path } from '../document.ts';
import type { Draft } from '../draft.ts';
import type { Step } from '../spec.generated.ts';
import { didYouMean } from '../suggest.ts';
import { checkFault } from './faults.ts';
import { checkInstanceName, checkLinkId, isTouchable, namesOf, type RuleContext } from './rule.ts';

const TRIGGERS = ['at', 'when', 'after'] as const;

export function checkTimeline(context: RuleContext): void {
  const steps = context.spec.timeline ?? [];
  const ids = steps.map((step, position) => step?.id ?? defaultStepId(position));
  for (const [position, step] of steps.entries()) {
    if (step === undefined) continue;
    const path: Path = ['timeline', position];
    const id = ids[position] ?? '';
    if (ids.indexOf(id) !== position) {
      context.report([...path, 'id'], 'value', {
        message: `there is a step "${id}" already`,
        expected: 'another id',
      });
    }
    checkTrigger(context, step, path);
    checkAim(context, step, path);
    checkAfter(context, steps, ids, position);
    checkRepetition(context, step, path);
    checkFault(context, step, path);
    checkWhen(context, step, path);
  }
}

function checkTrigger({ report }: RuleContext, step: Draft<Step>, path: Path): void {
  // A trigger with a mistake in it is still there, as undefined.
  const present = TRIGGERS.filter((key) => key in step);
  if (present.length === 0) {
    report(path, 'value', {
      message: 'this step does not say when it happens',
      expected: `one of ${TRIGGERS.join(', ')}`,
    });
  }
  for (const extra of present.slice(1)) {
    report([...path, extra], 'key', {
      message: `"${present[0]}" and "${extra}" exclude each other`,
      expected: 'one of them',
    });
  }
  if (present[0] === 'at' && step.delay !== undefined) {
    report([...path, 'delay'], 'key', {
      message: '"delay" goes with when or after',
      expected: 'a later "at"',
    });
  }
}

function checkRepetition({ report }: RuleContext, step: Draft<Step>, path: Path): void {
  if (step.times === undefined || 'every' in step) return;
  report([...path, 'times'], 'key', {
    message: '"times" says how often, but not how far apart',
    expected: 'every: 5s beside it',
  });
}

/** The link and the way that a condition looks at. */
function checkWhen(context: RuleContext, { when }: Draft<Step>, path: Path): void {
  if (typeof when !== 'object') return;
  if ('link' in when) checkLinkId(context, when.link, [...path, 'when', 'link']);
  if (!('proxy' in when) || when.proxy === undefined) return;
  const parsed = parseAddress(when.proxy);
  const place: Path = [...path, 'when', 'proxy'];
  if (parsed.kind === 'ok' && parsed.value.kind === 'link' && parsed.value.side !== undefined)
    checkLinkId(context, parsed.value.link, place);
  else
    context.report(place, 'value', {
      message: `"${when.proxy}" is not one side of a link`,
      expected: `link:${context.flows[0]?.id ?? 'NAME'}.source`,
    });
}

/** `where` names an instance or link; commands need it. */
function checkAim(context: RuleContext, step: Draft<Step>, path: Path): void {
  if (step.where !== undefined) checkWhere(context, step.where, [...path, 'where']);
  if ('where' in step || !Object.hasOwn(step.with ?? {}, 'commands')) return;
  context.report(path, 'value', {
    message: 'this step does not say where its commands go',
    expected: `where: ${context.instanceNames.join(' or ')}`,
  });
}

function checkAfter(
  context: RuleContext,
  steps: readonly (Draft<Step> | undefined)[],
  ids: readonly string[],
  position: number,
): void {
  const after = steps[position]?.after;
  if (after === undefined) return;
  const path: Path = ['timeline', position, 'after'];
  if (!ids.includes(after)) {
    context.report(path, 'value', {
      message: `there is no step "${after}"${didYouMean(after, ids)}`,
      expected: namesOf(ids),
    });
    return;
  }
  const way = [ids[position] ?? ''];
  for (let next: string | undefined = after; next !== undefined; next = steps[ids.indexOf(next)]?.after) {
    way.push(next);
    if (next === way[0]) {
      // Every step of the circle gets here; the first one tells.
      if (way.some((id) => ids.indexOf(id) < position)) return;
      context.report(path, 'value', {
        message: `these steps wait for each other: ${way.join(' → ')}`,
        expected: 'a step that fires by itself',
      });
      return;
    }
    if (way.length > ids.length) return;
  }
}

function checkWhere(context: RuleContext, where: string, path: Path): void {
  const parsed = parseAddress(where);
  if (parsed.kind === 'bad') {
    context.report(path, 'value', { message: parsed.reason, expected: parsed.expected });
    return;
  }
  checkAddress(context, parsed.value, path);
}

function checkAddress(context: RuleContext, address: Address, path: Path): void {
  if (address.kind === 'link') {
    checkLinkId(context, address.link, path);
    return;
  }
  if (!checkInstanceName(context, address.instance, path)) return;
  if (!isTouchable(context, address.instance)) {
    context.report(path, 'value', {
      message: `"${address.instance}" is an existing endpoint that does not say disposable: true, so nothing is done to it`,
      expected: 'disposable: true beside its url, if everything in it may be lost',
    });
  }
  checkShard(context, address, path);
  const instance = context.spec.instances?.[address.instance];
  const replicas = instance === undefined ? 0 : replicasOf(instance);
  if (address.role === 'replica' && address.index >= replicas) {
    const has = replicas === 0 ? 'no replicas' : `${replicas} replicas, counted from 0`;
    context.report(path, 'value', {
      message: `"${address.instance}" has ${has}`,
      expected: `replicas: ${address.index + 1} in ${address.instance}`,
    });
  }
}

function checkShard(context: RuleContext, address: Address & { kind: 'instance' }, path: Path): void {
  const instance = context.spec.instances?.[address.instance];
  if (address.shard === undefined || instance === undefined) return;
  const shards = instance.kind === 'cluster' ? (instance.shards ?? DEFAULT_SHARDS) : 0;
  if (address.shard < shards) return;
  context.report(path, 'value', {
    message:
      shards === 0
        ? `"${address.instance}" is no cluster and has no shards`
        : `"${address.instance}" has ${shards} shards, counted from 0`,
    expected: shards === 0 ? address.instance : `${address.instance}.shard(${shards - 1})`,
  });
}
