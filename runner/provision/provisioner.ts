/**
 * The seam between a plan and real servers. One implementation per way to get an instance (a local process, an existing
 * endpoint, …), registered in registry.ts.
 *
 * An implementation must
 *   - resolve only when every node answers, and replicas are in sync with their primary;
 *   - leave nothing behind when it throws or when `signal` aborts;
 *   - record every process it starts in `context.processes` in the tick it starts it;
 *   - put everything it writes below `context.runFolder`.
 * It must not write data into an instance, print, install signal handlers, or end anything it did not start.
 */
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { NodeCertificates } from '../../scenarios/faults/subjects.ts';
import type { InstancePlan } from '../plan/plan.ts';
import type { ProcessLedger } from './process-ledger.ts';

/**
 * What can be done to an instance; faults ask for these, never for a kind of provisioner.
 * kill: end a node's process hard · pause: stop and resume it · restart: end and start it again at its address ·
 * config: CONFIG SET is allowed · write: the run may write data into it · tls: its certificates are ours ·
 * clock: its clock can be moved.
 */
export type Capability = 'kill' | 'pause' | 'restart' | 'config' | 'write' | 'tls' | 'clock';

export interface ProvisionContext {
  /** Folder of this run; servers live in `<runFolder>/servers/<instance>/<node>/`. */
  runFolder: string;
  processes: ProcessLedger;
  /** Relative paths of a plan (binary, passwordFile, TLS files) are taken from here: the spec's folder. Default: cwd. */
  baseFolder?: string;
  /** Where secrets named by `passwordEnv` come from. Default: process.env. */
  env?: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal;
  /** How long a node may take until it answers. Default 30000 for one we start, 10000 for an existing one. */
  readyTimeoutMs?: number;
  /** A free loopback port; tests pass a picker that collides. */
  pickPort?: () => Promise<number>;
}

/** What one may do to a node's process. Present on nodes whose instance has the capabilities. */
export interface NodeControl {
  /** Ends the process as a power failure would (SIGKILL to it and its snapshot child). */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. Resolves when it has taken effect. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it if it runs, starts it at the same address with the same configuration, waits until it answers. */
  restart(): Promise<void>;
  /** Sets its clock ahead of the machine's, ms; negative: behind. Absent unless it was started for that. */
  readonly moveClock?: (byMs: number) => void;
}

export interface ProvisionedNode {
  /** `primary`, `replica-0`, … as provisioned; a failover does not rename it. */
  readonly name: string;
  /** As provisioned, too. */
  readonly role: 'primary' | 'replica' | 'sentinel';
  readonly endpoint: Endpoint;
  /** host:port, safe to print. */
  readonly address: string;
  readonly pid?: number | undefined;
  readonly logFile?: string;
  /** Where its configuration and data live. */
  readonly folder?: string;
  readonly control?: NodeControl;
  /** Present where `tls` is. */
  readonly certificates?: NodeCertificates;
}

export interface ProvisionedInstance extends AsyncDisposable {
  readonly name: string;
  readonly kind: InstancePlan['kind'];
  /** `redis`, `valkey`, …; empty when it could not be measured. */
  readonly server: string;
  /** As measured, `7.0.15`; empty when it could not be. */
  readonly version: string;
  /** True when this run started it, false for an existing endpoint. */
  readonly provisioned: boolean;
  readonly nodes: readonly ProvisionedNode[];
  /** Processes that belong to it and hold no data: Sentinels. */
  readonly attendants?: readonly ProvisionedNode[];
  readonly capabilities: ReadonlySet<Capability>;
  /** Where it was found when it was provisioned. */
  primary(): Endpoint;
  /** Where a link looks for it, on every connect. Absent: at `primary()`. */
  readonly whereabouts?: Whereabouts;
  /** Starts one more replica of a node, in sync when it resolves. Present where `kill` is. */
  addReplica?(of: Pick<ProvisionedNode, 'endpoint'>): Promise<ProvisionedNode>;
  /** Ends what was started for it (nothing when processes are kept). Idempotent. */
  stop(): Promise<void>;
}

export interface Provisioner {
  readonly name: string;
  /** True when this implementation is the one for the plan. */
  accepts(plan: InstancePlan): boolean;
  /** @throws SyncError PROVISION, CONNECT, AUTH, PERMISSION, SPEC_INVALID, ABORTED; `where` begins with the instance's name. */
  provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance>;
}
