/**
 * The catalogue of finding codes: what each means, how bad it is unless its finder knows better, and what to do.
 * A code that is not here (an engine newer than the report) is shown as it came, without advice.
 */
import type { Finding, Severity } from './results.ts';

export type FindingAction =
  | 'none'
  | 'wait'
  | 'resume'
  | 'reconfigure'
  | 'clear-and-reconfigure'
  | 'fix-source'
  | 'fix-target';

export interface FindingKind {
  severity: Severity;
  meaning: string;
  /** One word for machines … */
  action: FindingAction;
  /** … and one instruction for people. */
  advice: string;
}

export const FINDINGS = {
  COUNT_MISMATCH: {
    severity: 'error',
    meaning: 'Keys without expiry (keys − expires) differ in number between source and target.',
    action: 'clear-and-reconfigure',
    advice:
      'Look at the listed differences; if the target was not written by anyone else, clear it and synchronize again.',
  },
  EXPIRED_GAP: {
    severity: 'explained',
    meaning:
      'Raw key counts differ only by keys with an expiry: expired keys linger on one side until they are touched.',
    action: 'none',
    advice: 'Nothing to do. Compare keys − expires, not DBSIZE.',
  },
  MISSING_KEY: {
    severity: 'error',
    meaning: 'A key of the source is not on the target.',
    action: 'clear-and-reconfigure',
    advice:
      'Find out what removed it (eviction, another writer, a lost write); then clear the target and synchronize again.',
  },
  EXTRA_KEY: {
    severity: 'error',
    meaning: 'A key is on the target but not on the source.',
    action: 'clear-and-reconfigure',
    advice:
      'Check for other writers on the target and for a FLUSH on the source; remove the extra keys or start from an empty target.',
  },
  TYPE_MISMATCH: {
    severity: 'error',
    meaning: 'The key is on both sides with different types.',
    action: 'clear-and-reconfigure',
    advice: 'The target was not empty or has another writer. Remove the key there and synchronize again.',
  },
  VALUE_MISMATCH: {
    severity: 'error',
    meaning: 'The key has the same type on both sides but different content.',
    action: 'clear-and-reconfigure',
    advice:
      'Compare the two values; check for other writers on the target and for refused commands in this report.',
  },
  TTL_MISMATCH: {
    severity: 'error',
    meaning: 'The expiry differs by more than the tolerance, or only one side has one.',
    action: 'clear-and-reconfigure',
    advice: 'Check the clocks of both servers; a key that lost its expiry never goes away by itself.',
  },
  LIST_DUPLICATED: {
    severity: 'error',
    meaning: 'A list has its elements twice: it was sent again and appended to instead of replaced.',
    action: 'clear-and-reconfigure',
    advice: 'Delete the list on the target and synchronize it again.',
  },
  KEY_OVERLAP: {
    severity: 'error',
    meaning: 'A key is in several sources of one target: which of its values the target has is chance.',
    action: 'fix-source',
    advice: 'Delete the key in all sources but its owner, then synchronize again.',
  },
  KEY_NOT_OWNED: {
    severity: 'error',
    meaning: 'A key is in a source that does not own it, by the patterns or slots of the spec.',
    action: 'fix-source',
    advice: 'Find out who writes it there; move it to its owner, or correct the patterns.',
  },
  CONFLICT: {
    severity: 'warning',
    meaning: 'The same key was written on both sides while they were synchronized.',
    action: 'fix-source',
    advice: 'Give every key one owning side; check that the winner shown here is the value you want.',
  },
  LOOP_ECHO: {
    severity: 'error',
    meaning: 'A change came back to the side it started from.',
    action: 'reconfigure',
    advice: 'Stop one direction; the origin marker does not get through.',
  },
  HEARTBEAT_LEAK: {
    severity: 'error',
    meaning: 'A heartbeat key of the source is on the target.',
    action: 'fix-target',
    advice: 'Delete the key on the target. If it comes back, another tool is copying it.',
  },
  HEARTBEAT_LEFTOVER: {
    severity: 'warning',
    meaning: 'A heartbeat key is still on the source after the end.',
    action: 'wait',
    advice: 'It expires by itself within seconds; if it stays, delete it.',
  },
  FLUSH: {
    severity: 'error',
    meaning: 'FLUSHALL or FLUSHDB was run on the source while it was synchronized.',
    action: 'clear-and-reconfigure',
    advice:
      'Keep applications from flushing (rename the command or deny it by ACL); then clear the target and synchronize again.',
  },
  EVICTION: {
    severity: 'error',
    meaning:
      'The target evicted keys to stay under its memory limit; every write was still answered with OK.',
    action: 'fix-target',
    advice: 'Set maxmemory-policy noeviction, give the target more memory, and synchronize again.',
  },
  OOM: {
    severity: 'error',
    meaning: 'The target refused writes because it is out of memory.',
    action: 'resume',
    advice: 'Raise maxmemory on the target (110 % of the source is a start) and resume; nothing is lost.',
  },
  CROSSSLOT: {
    severity: 'error',
    meaning: 'A command with keys in several slots was refused by the cluster target.',
    action: 'fix-source',
    advice: 'Use hash tags or single-key commands in the application, or set engine.crossSlot to split.',
  },
  UNSUPPORTED_COMMAND: {
    severity: 'error',
    meaning: 'The source sent a command that the target does not know, may not run, or is not to get.',
    action: 'fix-source',
    advice: 'Compare the versions of both sides; stop using the command during the migration.',
  },
  SCRIPT_UNVERIFIED: {
    severity: 'warning',
    meaning: 'A script was forwarded as text; its effect on the target is not guaranteed to be the same.',
    action: 'fix-source',
    advice: 'Switch the source to effect replication (lua-replicate-commands yes) or check the touched keys.',
  },
  FULL_RESYNC: {
    severity: 'warning',
    meaning: 'The source did not let the link continue; all data was copied again.',
    action: 'wait',
    advice: 'Increase repl-backlog-size and the replica output buffer limit on the source.',
  },
  ENDPOINT_CHANGED: {
    severity: 'warning',
    meaning: 'An endpoint answered from another address or with another identity.',
    action: 'reconfigure',
    advice: 'Check that it is still the same data; reconfigure the link if it is not.',
  },
  TOPOLOGY_CHANGED: {
    severity: 'error',
    meaning: 'Shards or slots of an endpoint moved while it was synchronized.',
    action: 'clear-and-reconfigure',
    advice: 'Finish the scaling, then clear the moved keys on the target and reconfigure.',
  },
  CONFIG_DRIFT: {
    severity: 'warning',
    meaning: 'A server setting changed during the run.',
    action: 'reconfigure',
    advice: 'Set it back, or reconfigure if the change is wanted.',
  },
  FOREIGN_WRITE: {
    severity: 'error',
    meaning: 'Somebody other than the link wrote to the target.',
    action: 'fix-target',
    advice: 'Make the target read-only for applications until the cutover.',
  },
  NOT_DURABLE: {
    severity: 'error',
    meaning: 'Writes the target had confirmed were lost in its failover.',
    action: 'clear-and-reconfigure',
    advice: 'Ask for durability (WAIT) or synchronize again after a failover of the target.',
  },
  LAG: {
    severity: 'warning',
    meaning: 'The target was behind the source by more than expected.',
    action: 'wait',
    advice: 'Wait for it to catch up; if it does not, look at the target’s CPU and at the network.',
  },
  LATENCY_UNRELIABLE: {
    severity: 'notice',
    meaning: 'No heartbeat could be written to the source, so the lag in time is a lower bound.',
    action: 'fix-source',
    advice: 'Grant SETEX on the heartbeat key, or read the lag in bytes.',
  },
  OUT_OF_SCOPE: {
    severity: 'notice',
    meaning:
      'Something was seen that the link does not synchronize (another database, a module value, a function).',
    action: 'none',
    advice: 'Move it by other means if the target needs it.',
  },
  DECLARED_ONLY: {
    severity: 'notice',
    meaning: 'A fact about a cloud product was declared in the spec and could not be measured.',
    action: 'none',
    advice: 'Check it on the product itself.',
  },
  APPLY_ERROR: {
    severity: 'error',
    meaning: 'The target executed a command of the stream and it failed there: the data differed before.',
    action: 'clear-and-reconfigure',
    advice:
      'Check for other writers on the target and whether it was empty at the start; then clear it and synchronize again.',
  },
  EXPIRY_LATE: {
    severity: 'warning',
    meaning:
      'Keys of the target live longer than at the source: they were near their end when they were written, and have not got their true time back.',
    action: 'resume',
    advice:
      'Start the link again. At the cutover, when nobody writes to the source any more, run it with --until synced; where a right is missing, grant it (docs/permissions.md).',
  },
  EXPIRY_AT_RISK: {
    severity: 'warning',
    meaning: 'The target expired keys by its own clock while the link stood still.',
    action: 'clear-and-reconfigure',
    advice:
      'If the source renews keys shortly before their end, compare both sides; raise engine.expiry.guard to the longest standstill you expect, or use a target with import mode (Valkey 8.1).',
  },
  CLOCK_SKEW: {
    severity: 'warning',
    meaning: 'The clocks of source and target differ: from the cutover on keys expire earlier or later.',
    action: 'fix-target',
    advice: 'Synchronize the clocks of both servers (NTP) before the cutover.',
  },
  IMPORT_MODE: {
    severity: 'notice',
    meaning:
      'The target was put into import mode, in which it expires nothing by itself, or taken out of it.',
    action: 'none',
    advice: 'Switch it off after the cutover: CONFIG SET import-mode no.',
  },
  EXISTING_KEYS: {
    severity: 'warning',
    meaning: 'The target had keys when the link began; the spec allowed that.',
    action: 'none',
    advice: 'Check the listed keys: their old values are gone, and what was merged is still there.',
  },
  SOURCE_REGRESSED: {
    severity: 'error',
    meaning:
      'The source came back without data that the target has: it restarted empty or from an old file, or failed over to a replica that was behind.',
    action: 'fix-source',
    advice:
      'Find out which side has the right data. Restore the source and start the link again, or set engine.emptySource to follow.',
  },
  SPEC_CHANGED: {
    severity: 'warning',
    meaning:
      'The spec was read again while the link ran, and something in it cannot change without a restart.',
    action: 'reconfigure',
    advice: 'Stop the link and start it again with the new spec; it goes on where it is.',
  },
  HEAL_FAILED: {
    severity: 'error',
    meaning: 'A fault could not be taken back; servers may still be in the state it left.',
    action: 'fix-target',
    advice: 'Look at the evidence, put the server back by hand, and run again.',
  },
  SNAPSHOT_DISCARDED: {
    severity: 'notice',
    meaning: 'A link that only follows (the reverse of a pair) received a snapshot, and did not apply it.',
    action: 'none',
    advice: 'Nothing is to be done: its target has had that data before, or was not meant to get it.',
  },
} as const satisfies Record<string, FindingKind>;

export type FindingCode = keyof typeof FINDINGS;

export const FINDING_CODES: readonly FindingCode[] = Object.keys(FINDINGS).filter(isFindingCode);

export function isFindingCode(code: string): code is FindingCode {
  return Object.hasOwn(FINDINGS, code);
}

/** The catalogue's entry, or null for an unknown code. */
export function findingKind(code: string): FindingKind | null {
  return isFindingCode(code) ? FINDINGS[code] : null;
}

/** Fills severity and action from the catalogue. Evidence is `measured` unless said otherwise. */
export function newFinding(
  code: FindingCode,
  message: string,
  details: Partial<Omit<Finding, 'code' | 'message'>> = {},
): Finding {
  const kind: FindingKind = FINDINGS[code];
  return {
    severity: kind.severity,
    subject: {},
    evidence: {},
    evidenceKind: 'measured',
    action: kind.action,
    ...details,
    code,
    message,
  };
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'notice', 'explained'];

/** Worst first; the order of discovery otherwise. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}
