/** The replicators of one process: one, or those of both directions of a pair. Does what the parent says. */
import { setRoutes, type Routes } from '../connect/routes.ts';
import { ConflictDesks } from './conflict/conflict-desks.ts';
import type { FromReplicator, ToReplicator } from './messages.ts';
import type { ReplicatorOptions } from './options.ts';
import { Replicator } from './replicator.ts';

export class HostedReplicators {
  /** Resolves when the first one has begun. */
  readonly started: Promise<void>;
  readonly #tell: (message: FromReplicator) => void;
  readonly #desks = new ConflictDesks();
  readonly #all: Replicator[] = [];
  readonly #running = new Set<Promise<void>>();
  #routes: Routes = {};
  #onStarted: (() => void) | undefined;

  constructor(tell: (message: FromReplicator) => void) {
    this.#tell = tell;
    this.started = new Promise((resolve) => (this.#onStarted = resolve));
  }

  /** Resolves when none runs any more. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  tellStatus(): void {
    this.#tell({ kind: 'status', links: this.#all.flatMap((replicator) => replicator.status()) });
  }

  stop(): void {
    for (const replicator of this.#all) replicator.stop();
  }

  abort(): void {
    for (const replicator of this.#all) replicator.abort();
  }

  obey(message: ToReplicator): void {
    switch (message.kind) {
      case 'start':
        return this.#start(message.options);
      case 'status':
        return this.tellStatus();
      case 'endpoints': {
        const { source, targets, peers } = message;
        const meant = this.#all.filter((replicator) => replicator.hosts(Object.keys(targets)));
        for (const replicator of meant) replicator.relocate(source, targets, peers);
        return;
      }
      case 'join':
        return this.#all[0]?.join(message.link);
      case 'routes':
        return this.#go({ ...this.#routes, ...message.routes });
      case 'pause':
        for (const replicator of this.#all) replicator.pause(message.link);
        return;
      case 'resume':
        for (const replicator of this.#all) replicator.resume(message.link);
        return;
      case 'settle':
        for (const replicator of this.#all) replicator.settle(message.link);
        return;
      case 'stop':
        return this.stop();
      default:
        return message satisfies never;
    }
  }

  #go(routes: Routes): void {
    this.#routes = routes;
    setRoutes(routes);
  }

  #start(options: ReplicatorOptions): void {
    // The ways of the first one count for both: a server is reached by one way from one process.
    this.#go({ ...options.routes, ...this.#routes });
    const replicator = new Replicator(options, this.#tell, this.#desks);
    this.#all.push(replicator);
    const running = replicator.run().finally(() => this.#running.delete(running));
    this.#running.add(running);
    this.#onStarted?.();
  }
}
