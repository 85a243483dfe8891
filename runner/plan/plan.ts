/**
 * The plan: a spec with every default filled in and every kind expanded. Pure data, printable, JSON-safe; what a run
 * executes and what is stored with it. Secrets are not in it: only where they come from.
 */
import type { EngineOptions } from '../../engine/link/options.ts';
import type { TlsOptions } from '../../engine/connect/endpoint.ts';
import type { ChaosProfileName } from '../../scenarios/chaos/profiles.ts';
import type { DatasetPlan } from '../../scenarios/data/dataset.ts';
import type { Expectation } from '../../scenarios/checks/expectation.ts';
import type { DriverPlan } from './driver.ts';
import type { StepPlan } from '../../scenarios/timeline/step.ts';
import type { WorkloadPlan } from '../../scenarios/workload/workload.ts';

/**
 * standalone: a primary and its replicas. sentinel: the same, watched by Sentinels of the run's own. codis-group: the same,
 * with a share of Codis's slots. cluster: several primaries, each with replicas.
 */
export type InstanceKind = 'standalone' | 'sentinel' | 'cluster' | 'codis-group';

/** Where Sentinels are asked for an instance. */
export interface SentinelPlan {
  /** The name under which the Sentinels watch the primary. */
  name: string;
  /** Urls of the Sentinels. */
  nodes: string[];
  username?: string;
  passwordEnv?: string;
  passwordFile?: string;
}

export interface InstancePlan {
  name: string;
  kind: InstanceKind;
  /** Wanted major[.minor] version; '' = whatever is found. */
  version: string;
  /** Provisioned as containers of this image; absent: as processes. */
  image?: string;
  /** Path or name of the server binary; '' = redis-server, then valkey-server, from the PATH. */
  binary: string;
  /** Of each primary. */
  replicas: number;
  /** Primaries; more than one only in a cluster. */
  shards: number;
  /** Sentinels that watch a provisioned instance; 0 unless its kind is sentinel. */
  sentinels: number;
  /** redis.conf directives. */
  config: Record<string, string>;
  /** An existing endpoint instead of a provisioned one (password never inside). */
  url?: string;
  /** The same at several possible addresses; the one that is a primary counts, and is found anew on every connect. */
  urls?: string[];
  /** The same, where Sentinels say that it is. */
  sentinel?: SentinelPlan;
  username?: string;
  /** Name of the environment variable that holds the password (`password: ${NAME}` in the spec), or a file. */
  passwordEnv?: string;
  passwordFile?: string;
  tls?: TlsOptions;
  /** Provisioned, and reached by TLS only, with certificates that the run makes. */
  ownTls?: true;
  /** Its servers are started so that a step can move their clocks. */
  movableClock?: true;
  /** An instance with a url is only written to by data/workload/faults when it says so. */
  disposable: boolean;
  /** Declared facts of a cloud product; never reported as measured. */
  capabilities: Record<string, string | number | boolean>;
}

/** First and last of a range of slots. */
export type SlotRange = [number, number];

export interface LinkPlan {
  id: string;
  source: string;
  target: string;
  /**
   * The reverse of another link: the target has the source's data already. A snapshot is received because PSYNC begins with
   * one, and thrown away; what is written from then on is applied.
   */
  incrementalOnly?: true;
  /** Starts when the link of this id is Synchronizing. Absent: at once. */
  startsAfter?: string;
  /** Patterns of the keys that the source owns; absent = nothing was said. */
  owns?: string[];
  /** The source is a Codis group with these slots. */
  codisSlots?: SlotRange[];
  /** The target must be empty when the link starts, whatever other links have brought. Absent: what they brought is fine. */
  emptyCheck?: 'literal';
}

/** One line of `expect:`. Unlisted, `data-equal` is always expected. */
export type ExpectPlan = Expectation;

export interface Plan {
  name: string;
  description: string;
  profile: string;
  seed: number;
  /** As given on the command line. */
  spec: string;
  specSha256: string;
  instances: InstancePlan[];
  topology: { kind: string };
  links: LinkPlan[];
  data: DatasetPlan[];
  workload: WorkloadPlan[];
  /** How long the workload runs in incremental before settling. */
  incrementalMs: number;
  /** Who replicates. `engine` is of redis-sync's own engine; of the others it says only that no heartbeat is written. */
  driver: DriverPlan;
  engine: EngineOptions;
  timeline: StepPlan[];
  /** Named rehearsals that `verify` runs instead of the timeline; `all` = all that fit. Absent: none. */
  scenarios?: string[];
  /** The timeline was drawn from the seed, with this profile. */
  chaos?: ChaosProfileName;
  expect: ExpectPlan[];
  compare: { ttlToleranceMs: number; rounds: number; method: 'auto' | 'snapshot' | 'commands' };
  report: { formats: string[] };
}
