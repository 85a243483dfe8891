/**
 * The ways between replicators and servers that a plan disturbs, led through the fault proxy. A way that no step aims at goes
 * straight: a proxy costs time, and what is not there cannot be blamed.
 *
 * One gate per replicator (named after its source) and instance; links of one source share the gate to it, as they share the
 * connection, and so do both directions of a pair, to either side. Servers keep their addresses: the replicator is told other routes to them.
 */
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import type { Routes } from '../../engine/connect/routes.ts';
import { findFault } from '../../scenarios/faults/registry.ts';
import type { GateControl } from '../../scenarios/proxy/gate-control.ts';
import type { Plan } from '../plan/plan.ts';
import { hostOf } from '../plan/link-host.ts';
import { ProxyHandle, type ProxyHandleOptions } from './proxy-handle.ts';

type Side = 'source' | 'target';

export class Gates implements AsyncDisposable {
  readonly #plan: Plan;
  readonly #proxy: ProxyHandle | undefined;
  /** Instances by the source whose replicator reaches them through a gate. */
  readonly #wanted: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #routes = new Map<string, Record<string, { host: string; port: number }>>();

  private constructor(
    plan: Plan,
    wanted: ReadonlyMap<string, ReadonlySet<string>>,
    proxy: ProxyHandle | undefined,
  ) {
    this.#plan = plan;
    this.#wanted = wanted;
    this.#proxy = proxy;
  }

  /** Starts the proxy if the plan's timeline needs one. @throws SyncError INTERNAL when it does not come up. */
  static async open(plan: Plan, options: ProxyHandleOptions): Promise<Gates> {
    const wanted = wantedGates(plan);
    const proxy = wanted.size === 0 ? undefined : await ProxyHandle.start(options);
    return new Gates(plan, wanted, proxy);
  }

  /** Opens doors for servers of an instance, wherever it is disturbed. Those that have one keep it. */
  async admit(instance: string, servers: readonly Endpoint[]): Promise<void> {
    for (const [source, instances] of this.#wanted) {
      if (!instances.has(instance) || this.#proxy === undefined) continue;
      const routes = this.#routes.get(source) ?? {};
      this.#routes.set(source, routes);
      for (const server of servers) {
        const address = describeEndpoint(server);
        if (address in routes) continue;
        const port = await this.#proxy.open(gateName(source, instance), server);
        routes[address] = { host: '127.0.0.1', port };
      }
    }
  }

  /** How the replicator of a source reaches servers. */
  routesOf(source: string): Routes {
    return { ...this.#routes.get(source) };
  }

  /** The way of a link to one side of it, if it leads through the proxy. */
  gateOf(id: string, side: Side): GateControl | undefined {
    const link = this.#plan.links.find((each) => each.id === id);
    if (link === undefined) return undefined;
    const host = hostOf(this.#plan, link);
    return this.#wanted.get(host)?.has(link[side]) === true
      ? this.#proxy?.gate(gateName(host, link[side]))
      : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy?.[Symbol.asyncDispose]();
  }
}

/** What the timeline disturbs or counts bytes on. */
function wantedGates(plan: Plan): Map<string, Set<string>> {
  const wanted = new Map<string, Set<string>>();
  const want = (aim: string | undefined): void => {
    const [, id, side] = /^link:([^.]+)(?:\.(source|target))?$/.exec(aim ?? '') ?? [];
    const link = plan.links.find((each) => each.id === id);
    if (link === undefined) return;
    const host = hostOf(plan, link);
    const instances = wanted.get(host) ?? new Set();
    wanted.set(host, instances);
    if (side !== 'target') instances.add(link.source);
    if (side !== 'source') instances.add(link.target);
  };
  for (const step of plan.timeline) {
    if (findFault(step.fault)?.requires.includes('proxy') === true) want(step.where);
    want(step.trigger.when?.proxy);
  }
  return wanted;
}

function gateName(source: string, instance: string): string {
  return `${source} to ${instance}`;
}
