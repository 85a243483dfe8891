/**
 * A running workload: arrivals at a constant rate, dealt out to clients in turn, whatever the servers do. A stalled server
 * makes the queues grow and then sheds load; it never slows the schedule.
 */
import type { WorkloadResult } from '../../reports/results.ts';
import { Arrivals } from './arrivals.ts';
import type { WorkloadClient } from './client.ts';
import type { WeightedOperation } from './mix.ts';
import { operationName, type Operation } from './operation.ts';
import type { Tally } from './tally.ts';
import type { WorkloadPlan } from './workload.ts';

const TICK_MS = 2;
const STOP_GRACE_MS = 5000;

export interface WorkloadStats {
  /** Commands that have fallen due. */
  scheduled: number;
  sent: number;
  ok: number;
  failed: number;
  /** Sent, but the connection was lost before the reply. */
  unknown: number;
  /** Due, but the queue was full. */
  shed: number;
  /** Due and waiting. */
  queued: number;
  /** Sent and not answered yet. */
  outstanding: number;
  reconnects: number;
}

export interface WorkloadParts {
  /** Where it goes, for people. */
  target: string;
  plan: WorkloadPlan;
  clients: readonly WorkloadClient[];
  tally: Tally;
  operations: readonly WeightedOperation[];
  unsupported: readonly string[];
  signal?: AbortSignal;
}

export class Workload implements AsyncDisposable {
  readonly #parts: WorkloadParts;
  readonly #arrivals: Arrivals;
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #shed = 0;
  #stopped: Promise<WorkloadResult> | undefined;

  constructor(parts: WorkloadParts) {
    this.#parts = parts;
    this.#arrivals = new Arrivals(parts.plan.ratePerSecond, performance.now());
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    parts.signal?.addEventListener('abort', () => clearInterval(this.#timer), { once: true });
    if (parts.signal?.aborted) clearInterval(this.#timer);
  }

  /** Counts so far. */
  stats(): WorkloadStats {
    const { clients, tally } = this.#parts;
    const sum = (of: (client: WorkloadClient) => number): number =>
      clients.reduce((total, client) => total + of(client), 0);
    return {
      scheduled: this.#arrivals.scheduled,
      sent: sum((client) => client.sent),
      ...tally.total,
      shed: this.#shed,
      queued: sum((client) => client.queued),
      outstanding: sum((client) => client.outstanding),
      reconnects: sum((client) => client.reconnects),
    };
  }

  /** Resolves when everything sent by now is answered, or its connection is lost. */
  async settled(): Promise<void> {
    await Promise.all(this.#parts.clients.map((client) => client.settled()));
  }

  /**
   * Ends the arrivals, waits up to five seconds for the replies under way, closes every connection. Idempotent; never
   * throws. Commands still waiting to be sent are dropped (`scheduled` - `sent` - `shed`).
   */
  stop(): Promise<WorkloadResult> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #tick(): void {
    const { clients } = this.#parts;
    const due = this.#arrivals.due(performance.now());
    const each = Math.floor(due / clients.length);
    const rest = due % clients.length;
    for (let turn = 0; turn < clients.length; turn++) {
      const client = clients[(this.#next + turn) % clients.length];
      if (client === undefined) continue;
      this.#shed += client.arrive(each + (turn < rest ? 1 : 0));
      client.pump();
    }
    this.#next = (this.#next + rest) % clients.length;
  }

  async #stop(): Promise<WorkloadResult> {
    clearInterval(this.#timer);
    await Promise.all(this.#parts.clients.map((client) => client.stop(STOP_GRACE_MS)));
    return this.#result();
  }

  #result(): WorkloadResult {
    const { plan, target, tally, unsupported } = this.#parts;
    const { sent, ok, failed, unknown, scheduled, shed, reconnects } = this.stats();
    const never = this.#neverSucceeded();
    const silent = never
      .filter(({ command }) => !tally.perCommand.has(command))
      .map(({ command }) => command);
    return {
      name: plan.name,
      target,
      requestedRate: plan.ratePerSecond,
      sent,
      ok,
      failed,
      unknown,
      perCommand: {
        ...Object.fromEntries(silent.map((command) => [command, { ok: 0, failed: 0, unknown: 0 }])),
        ...Object.fromEntries([...tally.perCommand].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      },
      scheduled,
      shed,
      reconnects,
      errors: Object.fromEntries(tally.errors),
      latencyMs: tally.latencies.summary(),
      unsupported: [...unsupported],
      neverSucceeded: [...new Set(never.map(operationName))],
    };
  }

  /** Operations of the mix of which not one command got a good answer. */
  #neverSucceeded(): Operation[] {
    const { operations, tally } = this.#parts;
    return operations
      .map(({ operation }) => operation)
      .filter((each) => (tally.perOperation.get(operationName(each))?.ok ?? 0) === 0);
  }
}
