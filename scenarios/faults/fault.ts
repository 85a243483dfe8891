/**
 * What a fault is. Each is one file and one line in the registry; the spec's schema, the help and the docs take name,
 * summary and parameters from there.
 *
 * A firing goes requested → effective → healed, each an event. `prepare` reads the parameters and promises nothing yet;
 * the timeline then registers `heal` *before* it calls `inject`, so that whatever a failed or interrupted injection left
 * behind is put back. `heal` must therefore be harmless when nothing was injected, and must not use the context's signal: it
 * runs after Ctrl-C too.
 */
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { RunEventBody } from '../../reports/events.ts';
import type { Clock } from '../timeline/clock.ts';

/** What an instance must be able to do. Open: a provisioner may offer more (`pause`, `kill`, `failover`, `proxy` …). */
export type Capability = string;

export interface FaultContext {
  step: string;
  /** The step's `where`, resolved by the fault. */
  where: string | undefined;
  with: Readonly<Record<string, unknown>>;
  /** Instances by name (and `name.primary`, `name.replica(0)` …), as they are when the step fires. */
  instances: ReadonlyMap<string, Endpoint>;
  /** For events of the fault's own; the stages are emitted by the timeline. */
  emit(event: RunEventBody): void;
  /** Aborted when the run ends. */
  signal: AbortSignal;
  clock: Clock;
}

export interface FaultOutcome {
  /** It is visible on the servers that it bit. False makes the rehearsal inconclusive. */
  effective: boolean;
  /** Why not. */
  reason?: string;
  /** What proves it: replies, exit codes, states. Goes into history and report; bounded, without secrets. */
  evidence: Record<string, unknown>;
}

export interface FaultInjection {
  inject(): Promise<FaultOutcome>;
  heal(): Promise<void>;
}

export interface FaultDefinition {
  name: string;
  /** What happens, in one sentence. */
  summary: string;
  requires: readonly Capability[];
  /** Draft-07 JSON Schema of `with`. */
  schema: Readonly<Record<string, unknown>>;
  /** It can be taken back, and is: after `for`, in settle, and on Ctrl-C. */
  reversible: boolean;
  /** Which loss of data it may explain. */
  dataLoss: 'none' | 'source' | 'target';
  /** Reads the parameters and resolves names. @throws SyncError SPEC_INVALID */
  prepare(context: FaultContext): FaultInjection;
}
