/** The run's servers, links and ways as faults see them. Asked anew at every firing: a failover changes who is who. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SyncError } from '../../engine/errors.ts';
import type {
  Aim,
  EngineControl,
  FaultInstance,
  FaultLink,
  FaultNode,
  Subjects,
} from '../../scenarios/faults/subjects.ts';
import type { CodisSlotTable } from '../../scenarios/data/placement.ts';
import type { LinkPlan } from '../plan/plan.ts';
import type { ProvisionedInstance, ProvisionedNode } from '../provision/provisioner.ts';
import { parseAddress } from '../spec/address.ts';
import type { EngineControls } from './drivers/driver.ts';
import type { Gates } from './gates.ts';

/** A command that is not answered by then has a server that does not answer. */
const SETTLE_MS = 5000;

export interface FaultSubjectsOptions {
  plans: readonly LinkPlan[];
  instances: () => ReadonlyMap<string, ProvisionedInstance>;
  /** Of whoever replicates; undefined when that is no process of ours. */
  engine: EngineControls | undefined;
  /** Where clients find the keys of Codis groups. */
  slots?: () => CodisSlotTable | undefined;
  /** Resolves when what clients have sent so far is answered. */
  writersSettled?: () => Promise<void>;
  /** Not there before the servers are. */
  gates: () => Gates | undefined;
}

export class FaultSubjects implements Subjects {
  readonly #options: FaultSubjectsOptions;

  constructor(options: FaultSubjectsOptions) {
    this.#options = options;
  }

  aim(where: string): Aim {
    const parsed = parseAddress(where);
    if (parsed.kind === 'bad') throw new SyncError('SPEC_INVALID', `${parsed.reason}.`, { where });
    const address = parsed.value;
    if (address.kind === 'link') {
      const link = this.#link(address.link);
      return address.side === undefined ? { kind: 'link', link } : { kind: 'link', link, side: address.side };
    }
    const instance = this.instance(address.instance);
    const shard = address.shard === undefined ? {} : { shard: address.shard };
    return address.role === 'primary'
      ? { kind: 'node', instance, ...shard, role: 'primary' }
      : { kind: 'node', instance, ...shard, role: 'replica', index: address.index };
  }

  instance(name: string): FaultInstance {
    const instance = this.#options.instances().get(name);
    if (instance === undefined)
      throw new SyncError('SPEC_INVALID', `There is no instance called ${name}.`, { where: name });
    const servers = {
      name,
      kind: instance.kind,
      nodes: (): readonly ProvisionedNode[] => instance.nodes,
      attendants: (): readonly ProvisionedNode[] => instance.attendants ?? [],
    };
    if (instance.addReplica === undefined) return servers;
    return { ...servers, addReplica: (of) => this.#addReplica(instance, of) };
  }

  linksOf(instance: string): readonly FaultLink[] {
    const { plans } = this.#options;
    return plans
      .filter(({ source, target }) => source === instance || target === instance)
      .map(({ id }) => this.#link(id));
  }

  async holdCodisSlots(slots: readonly number[]): Promise<void> {
    for (const slot of slots) this.#options.slots?.()?.hold(slot);
    const patience = new AbortController();
    const late = sleep(SETTLE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([this.#options.writersSettled?.(), late]);
    patience.abort();
  }

  moveCodisSlot(slot: number, group: string): void {
    this.#options.slots?.()?.move(slot, group);
  }

  relocate(): void {
    this.#options.engine?.relocate();
  }

  /** Before anybody is told of the new server, there is a door to it. */
  async #addReplica(instance: ProvisionedInstance, of: FaultNode): Promise<FaultNode> {
    if (instance.addReplica === undefined) throw new SyncError('INTERNAL', 'It cannot be extended.');
    const node = await instance.addReplica(of);
    await this.#options.gates()?.admit(instance.name, [node.endpoint]);
    return node;
  }

  #link(id: string): FaultLink {
    const { plans, engine, gates } = this.#options;
    const plan = plans.find((each) => each.id === id);
    if (plan === undefined)
      throw new SyncError('SPEC_INVALID', `There is no link called ${id}.`, { where: `link:${id}` });
    const { source, target } = plan;
    return {
      id,
      source,
      target,
      engine: engine?.engineOf(id) ?? noEngine(id),
      get state() {
        return engine?.stateOf(id) ?? 'NotStarted';
      },
      suspend: () => void engine?.pause(id),
      resume: () => void engine?.resume(id),
      gate: (side) => gates()?.gateOf(id, side),
    };
  }
}

/** Of a link whose engine nobody here started. The spec's rules keep faults from getting here. */
function noEngine(link: string): EngineControl {
  const refuse = (): never => {
    throw new SyncError('SPEC_INVALID', 'Its engine is no process of ours.', { where: `link:${link}` });
  };
  return {
    pid: undefined,
    kill: async () => refuse(),
    stop: async () => refuse(),
    restart: () => Promise.resolve(),
    pause: refuse,
    resume: () => undefined,
  };
}
