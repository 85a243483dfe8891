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
import type { Subjects } from './subjects.ts';

/**
 * What its aim must be able to do. Of an instance: kill, pause, restart (its processes are ours) · config, write (it may be
 * changed) · tls (its certificates are ours) · clock (its clock can be moved) · replica (it has one) · debug (DEBUG is allowed) · cluster, codis (it is one, or a group of one) · standalone (it
 * is no cluster). Of a link: engine (its process is ours) · proxy (a fault proxy
 * stands on that side of it).
 */
export type Capability = string;

export interface FaultContext {
  step: string;
  /** Counts from 1; more for a step with `every`. */
  firing: number;
  /** The step's `where`, resolved by the fault. */
  where: string | undefined;
  with: Readonly<Record<string, unknown>>;
  /** Instances by name (and `name.primary`, `name.replica(0)` …), as they are when the step fires. */
  instances: ReadonlyMap<string, Endpoint>;
  /** Servers, links and the ways between them, as they are when the step fires. */
  subjects: Subjects;
  /** For events of the fault's own; the stages are emitted by the timeline. */
  emit(event: RunEventBody): void;
  /** A connection that a byte trigger holds goes on; by itself when `inject` resolves. For faults whose evidence is in bytes. */
  goOn(): void;
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
  /** What `where` must name: an instance (or a node of it), a link, a link or one side of it, or whatever it likes. */
  aims: 'instance' | 'link' | 'side' | 'any';
  /** Draft-07 JSON Schema of `with`. */
  schema: Readonly<Record<string, unknown>>;
  /** It can be taken back, and is: after `for`, in settle, and on Ctrl-C. */
  reversible: boolean;
  /** Which loss of data it may explain. */
  dataLoss: 'none' | 'source' | 'target';
  /** Reads the parameters and resolves names. @throws SyncError SPEC_INVALID */
  prepare(context: FaultContext): FaultInjection;
}
