/**
 * The seam between a run and whatever replicates: redis-sync's own engine (../links.ts), Redis's own replication, another
 * program, a service that runs already. One implementation each, chosen in registry.ts.
 *
 * An implementation must
 *   - say every change of state, and every measured position, through the links' monitors and as events;
 *   - resolve `drain` only after it has emitted, per link, what its decision rests on: `drained` with two offsets where it
 *     can measure them, `caught-up` with its reason where it can only look from outside;
 *   - name in `unmeasured` every figure of a link that it does not know: reports and checks then say unknown, not 0;
 *   - record a process in the tick it starts it, and end nothing else.
 * It must not decide whether the data is right: that is the comparison's.
 */
import type { Whereabouts } from '../../../engine/connect/discovery.ts';
import type { Routes } from '../../../engine/connect/routes.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import type { SyncError } from '../../../engine/errors.ts';
import type { EngineOptions } from '../../../engine/link/options.ts';
import type { RunEventBody, RunPhase } from '../../../reports/events.ts';
import type { EngineResult } from '../../../reports/results.ts';
import type { EngineControl } from '../../../scenarios/faults/subjects.ts';
import type { LinkPlan } from '../../plan/plan.ts';
import type { LinkMonitor } from '../link-monitor.ts';

/** What may be done to whoever replicates, where that is a process of ours. */
export interface EngineControls {
  /** The process that hosts a link. */
  engineOf(link: string): EngineControl;
  /** The state of a link. */
  stateOf(link: string): string;
  /** Applying is suspended and resumed. False when there is no such link. */
  pause(link: string): boolean;
  resume(link: string): boolean;
  /** Servers have moved: ask anew where they are. */
  relocate(): void;
}

export interface EngineDriver extends AsyncDisposable {
  readonly monitors: readonly LinkMonitor[];
  /** What the report says of it; null: redis-sync's own engine. */
  readonly description: EngineResult | null;
  /** Log files of what it started, relative to the run folder, by what they are. */
  readonly logFiles: Readonly<Record<string, string>>;
  /** @throws SyncError when it does not come up. */
  start(): Promise<void>;
  /** Resolves when the first copy of every link is complete. @throws the first failure of a link; the signal's reason. */
  synchronized(signal: AbortSignal): Promise<void>;
  /** Resolves never. @throws the first failure of a link; the signal's reason. */
  failed(signal: AbortSignal): Promise<void>;
  /** The failure of the first link that gave up, if one did. */
  readonly failure: SyncError | undefined;
  /** Waits until every target has what its source has by now; the writers must have stopped. @returns the links that did not get there. */
  drain(signal: AbortSignal): Promise<string[]>;
  /** Absent: faults of the engine are spec errors, and what it connects to is its own business. */
  readonly controls?: EngineControls;
  /** Ends the replication in order. Idempotent. */
  stop(): Promise<void>;
}

export interface DriverOptions {
  links: readonly LinkPlan[];
  engine: EngineOptions;
  /** Where an instance may be found; asked anew whenever it matters. */
  whereaboutsOf: (instance: string) => Whereabouts;
  /** Other ways to servers, for the engine of a source: through the fault proxy. */
  routesOf: (source: string) => Routes;
  /** Nobody minds what watching the link's target costs. */
  isDisposable: (link: LinkPlan) => boolean;
  /** The primary of an instance, for what only looks. */
  endpointOf: (instance: string) => Endpoint;
  runFolder: string;
  /** redis-sync's own engine: what is started in place of the replicator, for a selftest. */
  engineCommand?: readonly string[];
  /** Relative file names of the plan begin here. */
  baseFolder: string;
  /** Environment of programs that are started. */
  env: NodeJS.ProcessEnv;
  emit: (event: RunEventBody) => void;
  phase: () => RunPhase;
  /** `group`: it leads a process group that ends as a whole. */
  onProcess: (pid: number, what: string, logFile: string, group?: boolean) => void;
  /** Awaited before links are started that wait for others; what it throws ends the start. */
  beforeStart?: (links: readonly LinkPlan[]) => Promise<void>;
  /** Aborted when the run is to end. */
  signal: AbortSignal;
}
