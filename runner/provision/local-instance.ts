/** An instance of processes on this machine, whatever they form together. */
import assert from 'node:assert/strict';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { InstancePlan } from '../plan/plan.ts';
import type { Capability, ProvisionedInstance, ProvisionedNode } from './provisioner.ts';
import type { ServerBinary } from './server-binary.ts';
import type { ServerProcess } from './server-process.ts';
import { endServers } from './start-node.ts';

const CAPABILITIES: readonly Capability[] = ['kill', 'pause', 'restart', 'config', 'write'];

export interface LocalParts {
  plan: InstancePlan;
  binary: ServerBinary;
  /** Servers with data; the first one is a primary. */
  servers: readonly ServerProcess[];
  /** Others that belong to it. */
  attendants?: readonly ServerProcess[];
  /** Where to look for it, given all its servers. */
  whereabouts: (endpoints: Endpoint[]) => Whereabouts;
  /** Starts one more server that replicates `primary`. Absent: replicas cannot be added. */
  startReplica?: (node: string, primary: Endpoint) => Promise<ServerProcess>;
  keep: boolean;
}

export class LocalInstance implements ProvisionedInstance {
  readonly name: string;
  readonly kind: InstancePlan['kind'];
  readonly server: string;
  readonly version: string;
  readonly provisioned = true;
  readonly capabilities: ReadonlySet<Capability>;
  readonly addReplica?: NonNullable<ProvisionedInstance['addReplica']>;
  readonly #parts: LocalParts;
  readonly #servers: ServerProcess[];

  constructor(parts: LocalParts) {
    this.name = parts.plan.name;
    this.kind = parts.plan.kind;
    this.server = parts.binary.server;
    this.version = parts.binary.version;
    this.capabilities = new Set([
      ...CAPABILITIES,
      ...(parts.plan.ownTls ? (['tls'] as const) : []),
      ...(parts.plan.movableClock ? (['clock'] as const) : []),
    ]);
    this.#parts = parts;
    this.#servers = [...parts.servers];
    const { startReplica } = parts;
    if (startReplica !== undefined) {
      this.addReplica = async ({ endpoint }) => {
        const replica = await startReplica(`replica-${this.#servers.length - 1}`, endpoint);
        this.#servers.push(replica);
        return replica;
      };
    }
  }

  get nodes(): readonly ProvisionedNode[] {
    return this.#servers;
  }

  get whereabouts(): Whereabouts {
    return this.#parts.whereabouts(this.#servers.map(({ endpoint }) => endpoint));
  }

  get attendants(): readonly ProvisionedNode[] {
    return this.#parts.attendants ?? [];
  }

  primary(): Endpoint {
    const [primary] = this.#servers;
    assert(primary !== undefined, 'an instance has a primary');
    return primary.endpoint;
  }

  /** Attendants first: what watches must not see the servers go. */
  async stop(): Promise<void> {
    if (this.#parts.keep) return;
    await endServers([...this.#servers, ...(this.#parts.attendants ?? [])]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
