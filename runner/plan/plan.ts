/**
 * The plan: a spec with every default filled in and every kind expanded. Pure data, printable, JSON-safe; what a run
 * executes and what is stored with it. Secrets are not in it: only where they come from.
 */
import type { EngineOptions } from '../../engine/link/options.ts';
import type { TlsOptions } from '../../engine/connect/endpoint.ts';
import type { DatasetPlan } from '../../scenarios/data/dataset.ts';
import type { Expectation } from '../../scenarios/checks/expectation.ts';
import type { StepPlan } from '../../scenarios/timeline/step.ts';
import type { WorkloadPlan } from '../../scenarios/workload/workload.ts';

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
  kind: 'standalone';
  /** Wanted major[.minor] version; '' = whatever is found. */
  version: string;
  /** Path or name of the server binary; '' = redis-server, then valkey-server, from the PATH. */
  binary: string;
  replicas: number;
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
  /** An instance with a url is only written to by data/workload/faults when it says so. */
  disposable: boolean;
  /** Declared facts of a cloud product; never reported as measured. */
  capabilities: Record<string, string | number | boolean>;
}

export interface LinkPlan {
  id: string;
  source: string;
  target: string;
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
  engine: EngineOptions;
  timeline: StepPlan[];
  expect: ExpectPlan[];
  compare: { ttlToleranceMs: number; rounds: number; method: 'auto' | 'snapshot' | 'commands' };
  report: { formats: string[] };
}
