/**
 * What follows from what: differences that the comparison found are consequences of something the links reported (a flush
 * that was left out, an eviction, a foreign write). A finding that names all its keys explains only those; one that cannot
 * may explain every difference of its kind on its link. An explanation never turns a fail into a pass.
 */
import { plural } from './display.ts';
import {
  DIFFERENCE_CLASSES,
  type Comparison,
  type Difference,
  type DifferenceClass,
  type Finding,
} from './results.ts';

const VALUES: readonly DifferenceClass[] = ['VALUE_MISMATCH', 'TYPE_MISMATCH', 'TTL_MISMATCH'];

/** Which differences a finding can lead to. */
const CONSEQUENCES: Record<string, readonly DifferenceClass[]> = {
  FLUSH: ['EXTRA_KEY'],
  EXISTING_KEYS: ['EXTRA_KEY'],
  FULL_RESYNC: ['EXTRA_KEY'],
  EVICTION: ['MISSING_KEY', ...VALUES],
  NOT_DURABLE: ['MISSING_KEY', 'EXTRA_KEY', ...VALUES],
  FOREIGN_WRITE: ['MISSING_KEY', 'EXTRA_KEY', ...VALUES],
  UNSUPPORTED_COMMAND: ['MISSING_KEY', 'EXTRA_KEY', ...VALUES],
  SCRIPT_UNVERIFIED: ['MISSING_KEY', 'EXTRA_KEY', ...VALUES],
  APPLY_ERROR: ['MISSING_KEY', 'EXTRA_KEY', ...VALUES],
  EXPIRY_LATE: ['EXTRA_KEY', 'TTL_MISMATCH'],
  EXPIRY_AT_RISK: ['MISSING_KEY', ...VALUES],
};

/** The same findings: differences with their causes, scripts with what the comparison says about their keys. */
export function linkCauses(findings: readonly Finding[], comparison: Comparison | null): Finding[] {
  return findings.map((finding) => {
    if (comparison === null) return finding;
    if (finding.code === 'SCRIPT_UNVERIFIED') return withRecheck(finding, comparison);
    const difference = DIFFERENCE_CLASSES.find((name) => name === finding.code);
    if (difference === undefined) return finding;
    const causes = findings.filter((cause) => explains(cause, difference, comparison));
    if (causes.length === 0) return finding;
    return { ...finding, causes: causes.map(({ code, message }) => ({ code, message })) };
  });
}

function explains(cause: Finding, difference: DifferenceClass, comparison: Comparison): boolean {
  if (CONSEQUENCES[cause.code]?.includes(difference) !== true || isHarmless(cause)) return false;
  const link = cause.subject.link;
  const candidates = comparison.differences.filter(
    (each) => each.class === difference && (link === undefined || each.link === link),
  );
  const database = sweptDatabase(cause);
  const keys = namedKeys(cause);
  return candidates.some(
    (each) =>
      (database === undefined || each.database === database) &&
      (keys === undefined || keys.has(identity(each.database, each.keyBase64))),
  );
}

/** The target was made the same in spite of it. */
function isHarmless({ code, evidence }: Finding): boolean {
  if (code === 'FLUSH') return evidence['policy'] === 'propagate';
  if (code === 'EXISTING_KEYS') return evidence['policy'] !== 'merge';
  return code === 'FULL_RESYNC' && evidence['reconciled'] !== false;
}

/** Only a FLUSHDB is about one database. */
function sweptDatabase({ code, evidence }: Finding): number | undefined {
  if (code !== 'FLUSH' || evidence['command'] !== 'FLUSHDB') return undefined;
  return typeof evidence['database'] === 'number' ? evidence['database'] : undefined;
}

/** Every key it is about, or undefined when it does not name all of them. */
function namedKeys(finding: Finding): ReadonlySet<string> | undefined {
  const { samples, complete } = finding.evidence;
  if (!Array.isArray(samples) || complete !== true) return undefined;
  return new Set(samples.flatMap(identityOf));
}

function identityOf(sample: unknown): string[] {
  if (typeof sample !== 'object' || sample === null) return [];
  const database = 'database' in sample ? sample.database : 0;
  const key = 'keyBase64' in sample ? sample.keyBase64 : undefined;
  return typeof database === 'number' && typeof key === 'string' ? [identity(database, key)] : [];
}

function identity(database: number, keyBase64: string): string {
  return `${database} ${keyBase64}`;
}

/** The keys that a script declared were compared like all others; keys it did not declare, too, but nobody knows which. */
function withRecheck(finding: Finding, comparison: Comparison): Finding {
  const { samples } = finding.evidence;
  const keys = new Set(Array.isArray(samples) ? samples.flatMap(identityOf) : []);
  if (keys.size === 0) return finding;
  const { link } = finding.subject;
  const different = new Set(
    comparison.differences
      .filter((each: Difference) => link === undefined || each.link === link)
      .map((each) => identity(each.database, each.keyBase64))
      .filter((each) => keys.has(each)),
  );
  const recheck =
    different.size === 0
      ? `${plural(keys.size, 'declared key')} compared again: equal`
      : `${different.size} of ${plural(keys.size, 'declared key')} differ`;
  return { ...finding, evidence: { ...finding.evidence, recheck } };
}
