/**
 * The results document of a run (`results.json`): everything a verdict is taken from. Versioned; renderers read
 * nothing else. `redis-sync report RUN` re-renders it.
 */
import type { RunPhase, LinkState } from './events.ts';

export const RESULTS_SCHEMA_VERSION = 1;

export type Verdict = 'pass' | 'fail' | 'unknown';
export type Severity = 'explained' | 'notice' | 'warning' | 'error';
/** How we know: measured on real servers, simulated by a component of the harness, or only declared in the spec. */
export type EvidenceKind = 'measured' | 'simulated' | 'declared';

/** Difference classes of the full-data comparison. One key can have several (a value and a TTL difference). */
export const DIFFERENCE_CLASSES = [
  'MISSING_KEY',
  'EXTRA_KEY',
  'TYPE_MISMATCH',
  'VALUE_MISMATCH',
  'TTL_MISMATCH',
] as const;
export type DifferenceClass = (typeof DIFFERENCE_CLASSES)[number];

/** One side of a difference. `text` is what redis-cli would print, bounded; null when the key is not there. */
export interface DifferenceSide {
  type: string;
  /** Elements (or bytes for a string). */
  length: number;
  /** Absolute expiry in ms since the epoch; null = none. */
  expireAtMs: number | null;
  text: string;
  /** `host:port` it was read from. */
  node?: string;
}

export interface Difference {
  class: DifferenceClass;
  link: string;
  database: number;
  /** The key as redis-cli prints it, quoted and escaped. */
  key: string;
  keyBase64: string;
  source: DifferenceSide | null;
  target: DifferenceSide | null;
  /** First differing element or property, in words: `field "f": "1" ≠ "2"`, `element 17 of 20 is missing on the target`. */
  detail: string;
}

export interface Finding {
  code: string;
  severity: Severity;
  message: string;
  subject: { instance?: string; link?: string; database?: number; key?: string };
  evidence: Record<string, unknown>;
  evidenceKind: EvidenceKind;
  /** wait, resume, reconfigure, clear-and-reconfigure, fix-source … */
  action?: string;
  /** How often, or how many keys. Absent: once. */
  count?: number;
  /** Findings that this one is, or may be, a consequence of. */
  causes?: { code: string; message: string }[];
}

/** One firing of a timeline step; times are ms since the run began, null = it did not come to that. */
export interface FaultResult {
  step: string;
  fault: string;
  where: string | null;
  requestedMs: number | null;
  effectiveMs: number | null;
  healedMs: number | null;
  outcome: 'effective' | 'failed' | 'never-fired';
  /** Why it failed or never fired. */
  reason: string | null;
  evidence: Record<string, unknown>;
}

export interface CheckResult {
  check: string;
  verdict: Verdict | 'skipped';
  summary: string;
  counts: Record<string, number>;
}

export interface PhaseResult {
  phase: RunPhase;
  startedMs: number;
  durationMs: number;
  status: 'finished' | 'failed' | 'skipped';
  detail?: string;
}

export interface CountRow {
  /** Id of the link, or of the comparison (`Comparison.parts`) when that is of several links. */
  link: string;
  database: number;
  /** From INFO keyspace, before anything was scanned. Own keys (checkpoint, heartbeat) are already subtracted. */
  sourceKeys: number;
  targetKeys: number;
  sourceExpires: number;
  targetExpires: number;
}

export interface TypeRow {
  link: string;
  database: number;
  type: string;
  compared: number;
  equal: number;
  different: number;
}

/** Figures of a link that not everybody who replicates can tell; `cost`: memory and CPU, `copyBytes`: size of the first copy. */
export const LINK_FIGURES = [
  'copyKeys',
  'copyBytes',
  'commands',
  'lagBytes',
  'streamBytes',
  'transactions',
  'resyncs',
  'retries',
  'dropped',
  'errors',
  'cost',
] as const;
export type LinkFigure = (typeof LINK_FIGURES)[number];

/** Who replicated, when it was not redis-sync's own engine. */
export interface EngineResult {
  driver: string;
  /** What that was, and what was started for it. */
  what: string;
  /** What the figures rest on, and what is not known. */
  notes: string[];
}

export interface LinkResult {
  link: string;
  source: string;
  target: string;
  state: LinkState;
  fullSync: { keys: number; bytes: number; durationMs: number; count: number } | null;
  stream: { commands: number; bytes: number; transactions: number };
  partialResyncs: number;
  fullResyncs: number;
  retries: number;
  /** Commands seen but not applied, by reason (publish, heartbeat, select, ping …). */
  dropped: Record<string, number>;
  /** What was done besides applying, by kind: rewritten, translated, retried, overwritten, evicted … */
  handled?: Record<string, number>;
  /** Error replies of the target by first word. */
  errors: Record<string, number>;
  lagMs: { p50: number; p95: number; p99: number; max: number; samples: number } | null;
  peakRssBytes: number;
  cpuSeconds: number;
  /** These are not known: their zeros mean nothing. */
  unmeasured?: LinkFigure[];
}

export interface InstanceResult {
  instance: string;
  kind: string;
  server: string;
  version: string;
  addresses: string[];
  provisioned: boolean;
  /** How redis-cli has to connect; never a password. */
  tls?: boolean;
  username?: string;
}

/** What one source of a union holds of one database. Own keys are already subtracted. */
export interface ComparisonShare {
  link: string;
  instance: string;
  database: number;
  keys: number;
  expires: number;
}

/** Which instances were compared under the name that the rows have as their `link`. */
export interface ComparisonPart {
  id: string;
  /** end-to-end: over several links, beside the comparison of each. union: several sources with one target. */
  kind: 'link' | 'union' | 'end-to-end';
  sources: string[];
  target: string;
  links: string[];
  shares?: ComparisonShare[];
}

export interface Comparison {
  method: string;
  /** Why this method, when it was not the first choice. */
  methodReason?: string;
  rounds: number;
  keysCompared: number;
  bytesCompared: number;
  durationMs: number;
  /** Of the pass over all keys, without counting and re-reading. */
  passMs?: number;
  counts: CountRow[];
  types: TypeRow[];
  /** Totals by class over all differences, also those not listed. */
  totals: Record<DifferenceClass, number>;
  /** Bounded list. */
  differences: Difference[];
  /** Keys that could not be compared, by reason. Any > 0 forbids a pass. */
  unverified: Record<string, number>;
  /** Keys that differed at first and were equal, or gone on both sides, when read again. */
  transient?: number;
  /** Keys left out because they expired, or were about to, while they were read. */
  expiredInFlight?: number;
  /** Differences counted from their first read only: more were found than are kept for reading again. */
  notRechecked?: number;
  /** Facts that do not decide but that a person should know (clock skew, evictions meanwhile). */
  warnings?: string[];
  /** Largest difference between the clocks of a source and a target node. */
  clockSkewMs?: number;
  /** What the rows' `link` stands for, when it is more than the link of that id. */
  parts?: ComparisonPart[];
}

export interface PrecheckRow {
  id: string;
  subject: string;
  verdict: 'PASS' | 'WARN' | 'FAIL' | 'SKIP' | 'UNKNOWN';
  measured: string;
  expected: string;
  repair?: string;
  evidence: EvidenceKind;
}

export interface WorkloadResult {
  name: string;
  target: string;
  requestedRate: number;
  sent: number;
  ok: number;
  failed: number;
  unknown: number;
  /** A command of the mix that was never sent is there with zeros. */
  perCommand: Record<string, { ok: number; failed: number; unknown?: number }>;
  /** Commands that fell due; what was neither sent nor shed was still waiting when the workload stopped. */
  scheduled?: number;
  /** Commands that were due while the queue of a stalled server was full. */
  shed?: number;
  reconnects?: number;
  /** Error replies by first word. */
  errors?: Record<string, number>;
  /** Of batches, from sending to the last reply; null: none came back. */
  latencyMs?: { p50: number; p95: number; p99: number; max: number; samples: number } | null;
  /** Operations of the mix (`set exat`) that the server does not have; they were not sent. */
  unsupported?: string[];
  /** Operations of the mix that were to be sent and of which nothing got a good answer. */
  neverSucceeded?: string[];
}

export interface Results {
  schemaVersion: typeof RESULTS_SCHEMA_VERSION;
  tool: { name: 'redis-sync'; version: string; node: string };
  run: {
    id: string;
    name: string;
    spec: string;
    specSha256: string;
    seed: number;
    /** The timeline was drawn from the seed, with this profile. */
    chaos?: string;
    startedAt: string;
    endedAt: string;
    durationMs: number;
    folder: string;
    /** The provisioned servers were left up (`--keep`), so the printed redis-cli lines work. */
    kept?: boolean;
  };
  verdict: Verdict;
  /** The verdict in one sentence. */
  summary: string;
  exitCode: number;
  instances: InstanceResult[];
  /** Absent: redis-sync's own. */
  engine?: EngineResult;
  links: LinkResult[];
  precheck: PrecheckRow[];
  phases: PhaseResult[];
  workload: WorkloadResult[];
  comparison: Comparison | null;
  checks: CheckResult[];
  findings: Finding[];
  /** What the timeline did. */
  faults?: FaultResult[];
  /** The failure that ended the run early, if one did. */
  error: { code: string; message: string; where?: string; hint?: string } | null;
  /** Relative to the run folder. */
  files: Record<string, string>;
}
