/**
 * What a run records of the servers, the clients and the engine so that it can be judged from its folder alone: one event
 * of kind `evidence` each. Plain JSON. Whatever could not be read is recorded as such, so that its check can say `unknown`.
 */
import type { RunEvent } from './events.ts';
import type { Comparison, LinkResult, Results, WorkloadResult } from './results.ts';

/** Kinds of ledgered writes: see scenarios/workload/ledger.ts. */
export type LaneKind = 'list' | 'set' | 'stream' | 'counter' | 'ring';

/** What became of the writes of one lane (a key, or the keys of a ring), and which of them one instance has. */
export interface LaneAccount {
  lane: string;
  kind: LaneKind;
  database: number;
  workload: string;
  /** The instance its client writes to; absent when the client chooses by key. */
  origin?: string;
  /** Writes by outcome, as the client was told. */
  ok: number;
  failed: number;
  unknown: number;
  /** Acknowledged writes that are not there: their numbers as inclusive ranges, ascending. */
  missing: [number, number][];
  /** There more often than once, counting each extra time. */
  duplicated: number;
  /** Acknowledged, and behind a later one of the same client. */
  reordered: number;
  /** There although refused or never written. */
  unexpected: number;
  /** A counter's value; the values of a ring's keys (null: the key is not there). */
  values?: (number | null)[];
  /** The first few of what is wrong, worded. */
  samples: string[];
  /** Other databases in which this key is. */
  strayDatabases?: number[];
}

/** When a server was asked: before the links start, around the quiet moment after the drain, after the links ended. */
export type ServerMoment = 'start' | 'quiet' | 'still-quiet' | 'end';

export type Evidence =
  /** The rehearsal went to its end (healed, verified, links stopped); what ended it early, or null. */
  | { about: 'outcome'; error: Results['error'] }
  | { about: 'link'; result: LinkResult }
  | { about: 'workload'; result: WorkloadResult }
  | { about: 'comparison'; comparison: Comparison | null }
  | { about: 'heartbeat-keys'; keysOnTargets: number }
  /** Every lane as `instance` has it at the end. */
  | { about: 'ledger'; instance: string; accounts: LaneAccount[] }
  /** Rings of `instance` while clients write: lane → values of its keys, read together. Only those that changed. */
  | { about: 'rings'; instance: string; rings: Record<string, (number | null)[]> }
  /**
   * `numbers`: fields of INFO; `commands`: calls per command; `failures`: of them refused or failed (6.2 and later); `errors`:
   * error replies by first word.
   */
  | {
      about: 'server';
      instance: string;
      node: string;
      moment: ServerMoment;
      numbers: Record<string, number>;
      commands: Record<string, number>;
      failures: Record<string, number>;
      errors: Record<string, number>;
      /** Offsets that the replicas of this server have acknowledged, by address. */
      acks: Record<string, number>;
    }
  /** After the links ended: connections and keys of ours that are still there (bounded lists). */
  | { about: 'leftovers'; instance: string; clients: string[]; keys: string[] }
  /** After the links ended: processes that still run, and files that should be gone. */
  | { about: 'remains'; processes: string[]; files: string[] }
  /** Lines of logs that nobody wants to see; `file` relative to the run folder. */
  | { about: 'log-lines'; file: string; lines: string[] }
  /** Keys of a cluster node in slots that the cluster says are another's. */
  | { about: 'slots'; instance: string; node: string; keys: number; misplaced: number; samples: string[] }
  /** Something that should have been recorded and could not be. */
  | { about: 'unread'; what: Evidence['about']; instance: string; reason: string };

export type EvidenceOf<A extends Evidence['about']> = Extract<Evidence, { about: A }>;

/** Everything recorded about one thing, in order, with the time (ms since the run began) it was recorded at. */
export function evidenceAbout<A extends Evidence['about']>(
  events: readonly RunEvent[],
  about: A,
): (EvidenceOf<A> & { ms: number })[] {
  const found: (EvidenceOf<A> & { ms: number })[] = [];
  for (const event of events) {
    if (event.kind !== 'evidence' || !isAbout(event.evidence, about)) continue;
    found.push({ ...event.evidence, ms: event.ms });
  }
  return found;
}

function isAbout<A extends Evidence['about']>(evidence: Evidence, about: A): evidence is EvidenceOf<A> {
  return evidence.about === about;
}

/** Why something is not there, or null when nobody failed to read it. */
export function unreadReason(events: readonly RunEvent[], what: Evidence['about']): string | null {
  const failed = evidenceAbout(events, 'unread').find((evidence) => evidence.what === what);
  return failed === undefined ? null : `${failed.instance}: ${failed.reason}`;
}
