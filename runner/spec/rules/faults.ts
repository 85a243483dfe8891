/** A fault aims at the right kind of thing, and what it aims at has the abilities the fault needs: told before anything starts. */
import { replicasOf } from '../../plan/defaults.ts';
import { isExisting } from '../../plan/existing.ts';
import { parseAddress, type Address } from '../address.ts';
import type { Path } from '../document.ts';
import type { Draft } from '../draft.ts';
import type { FaultEntry } from '../registries.ts';
import type { Instance, Step } from '../spec.generated.ts';
import { namesOf, type RuleContext } from './rule.ts';

export function checkFault(context: RuleContext, step: Draft<Step>, path: Path): void {
  const fault = context.registries.faults.find(({ name }) => name === step.fault);
  if (fault === undefined || fault.aims === 'any') return;
  if (step.where === undefined) {
    if ('where' in step) return;
    context.report(path, 'value', {
      message: `this step does not say where: ${fault.name} happens to ${WORDS[fault.aims]}`,
      expected: `where: ${expectedAim(context, fault)}`,
    });
    return;
  }
  const parsed = parseAddress(step.where);
  if (parsed.kind === 'bad') return;
  const address = parsed.value;
  const aimsAtLink = fault.aims !== 'instance';
  if (aimsAtLink !== (address.kind === 'link')) {
    context.report([...path, 'where'], 'value', {
      message: `${fault.name} happens to ${WORDS[fault.aims]}, and "${step.where}" is ${address.kind === 'link' ? 'a link' : 'an instance'}`,
      expected: expectedAim(context, fault),
    });
    return;
  }
  checkAbilities(context, fault, address, [...path, 'where']);
}

const WORDS: Readonly<Record<Exclude<FaultEntry['aims'], 'any'>, string>> = {
  instance: 'an instance',
  link: 'a link',
  side: 'a link, or one side of it',
};

function expectedAim({ instanceNames, flows }: RuleContext, { aims }: FaultEntry): string {
  if (aims === 'instance') return namesOf(instanceNames);
  const links = flows.length === 0 ? ['NAME'] : flows.map(({ id }) => id);
  return namesOf(links.map((id) => `link:${id}${aims === 'side' ? '.source' : ''}`));
}

/** What an instance cannot do, and what would help. Abilities of links are there whenever there is a link. */
const ABILITIES: Readonly<
  Record<string, { has: (instance: Draft<Instance>) => boolean; lack: string; remedy: string }>
> = {
  kill: owned('its process is not ours to kill', 'an instance without url, or the fault connection-kill'),
  pause: owned('its process is not ours to stop', 'an instance without url, or the fault client-pause'),
  restart: owned('its process is not ours to restart', 'an instance without url'),
  debug: owned('DEBUG is not sent to servers that are not ours', 'an instance without url'),
  config: {
    has: (instance) => !isExisting(instance) || instance.disposable === true,
    lack: 'its settings are not ours to change',
    remedy: 'disposable: true, or an instance without url',
  },
  write: {
    has: (instance) => !isExisting(instance) || instance.disposable === true,
    lack: 'nothing may be written to it',
    remedy: 'disposable: true, or an instance without url',
  },
  tls: {
    has: (instance) => instance.tls === true && !isExisting(instance),
    lack: 'it has no certificates of ours',
    remedy: 'tls: true on a standalone without url, or the fault password-rotate',
  },
  clock: {
    has: (instance) => !isExisting(instance) && instance.provider !== 'container',
    lack: 'it goes by a clock that is not ours to move',
    remedy: 'an instance that runs as processes of this machine: no url, no container',
  },
  cluster: {
    has: (instance) => instance.kind === 'cluster' && !isExisting(instance),
    lack: 'it is no cluster of ours',
    remedy: 'kind: cluster, without url',
  },
  standalone: {
    has: (instance) => instance.kind !== 'cluster',
    lack: 'REPLICAOF is not allowed in cluster mode',
    remedy: 'an instance that is no cluster, or the fault no-replicas',
  },
  codis: {
    has: (instance) => instance.kind === 'codis-group' && !isExisting(instance),
    lack: 'it is no Codis group of ours',
    remedy: 'kind: codis-group, without url',
  },
  replica: {
    has: (instance) => isExisting(instance) || replicasOf(instance) > 0,
    lack: 'it has no replica',
    remedy: 'replicas: 1',
  },
};

function owned(lack: string, remedy: string): (typeof ABILITIES)[string] {
  return { has: (instance) => !isExisting(instance), lack, remedy };
}

function checkAbilities(context: RuleContext, fault: FaultEntry, address: Address, path: Path): void {
  if (address.kind === 'link') return;
  if (fault.requires.includes('engine') && !isSource(context, address.instance)) {
    context.report(path, 'value', {
      message: `${fault.name} needs a link that starts at "${address.instance}", and none does`,
      expected: namesOf(context.flows.map(({ source }) => source)),
    });
    return;
  }
  const instance = context.spec.instances?.[address.instance];
  if (instance === undefined) return;
  for (const needed of fault.requires) {
    const ability = ABILITIES[needed];
    if (ability === undefined || ability.has(instance)) continue;
    context.report(path, 'value', {
      message: `${fault.name} cannot happen to "${address.instance}": ${ability.lack}`,
      expected: ability.remedy,
    });
    return;
  }
}

function isSource({ flows, areFlowsComplete }: RuleContext, instance: string): boolean {
  return !areFlowsComplete || flows.some(({ source }) => source === instance);
}
