/** The full-data comparisons of a run, put together into the one the report shows. */
import { compareInstances } from '../../engine/compare/compare.ts';
import { readCounts } from '../../engine/compare/counts.ts';
import { DIFFERENCE_CLASSES, type ComparisonResult } from '../../engine/compare/difference.ts';
import { COMPARE_CLIENT_NAME, type CompareProgress } from '../../engine/compare/options.ts';
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { OWN_KEY_PREFIX } from '../../engine/link/options.ts';
import { formatCount } from '../../reports/display.ts';
import type { Comparison, ComparisonPart, ComparisonShare, Difference } from '../../reports/results.ts';
import type { ComparisonPlan } from '../plan/comparisons.ts';
import type { Plan } from '../plan/plan.ts';

export interface CompareOptions {
  comparisons: readonly ComparisonPlan[];
  /** The servers that hold an instance's keys together, now. */
  endpointsOf: (instance: string) => Promise<Endpoint[]>;
  compare: Plan['compare'];
  heartbeatPrefix: string;
  signal?: AbortSignal;
  onProgress?: (comparison: string, progress: CompareProgress) => void;
}

/** One after the other, so that the servers are read by one comparison at a time. */
export async function runComparisons(options: CompareOptions): Promise<Comparison> {
  const { comparisons, endpointsOf, compare, heartbeatPrefix, signal, onProgress } = options;
  const parts: [ComparisonPlan, ComparisonResult][] = [];
  const described: ComparisonPart[] = [];
  for (const comparison of comparisons) {
    const { id, kind, sources, target, links } = comparison;
    const endpoints = await Promise.all(sources.map(endpointsOf));
    // Before anything is scanned, as the comparison's own counts.
    const shares =
      kind === 'union' ? await countShares(comparison, endpoints, [OWN_KEY_PREFIX, heartbeatPrefix]) : [];
    const result = await compareInstances({
      sources: endpoints.flat(),
      targets: await endpointsOf(target),
      ttlToleranceMs: compare.ttlToleranceMs,
      rounds: compare.rounds,
      method: compare.method,
      ignorePrefixes: [heartbeatPrefix],
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onProgress: (progress: CompareProgress) => onProgress(id, progress) } : {}),
    });
    parts.push([comparison, result]);
    described.push({ id, kind, sources, target, links, ...(shares.length > 0 ? { shares } : {}) });
  }
  return { ...mergeComparisons(parts), parts: described };
}

/** How much of the keys each source holds, database by database. */
async function countShares(
  { sources, links }: ComparisonPlan,
  endpoints: readonly Endpoint[][],
  ignorePrefixes: readonly string[],
): Promise<ComparisonShare[]> {
  const shares: ComparisonShare[] = [];
  for (const [index, instance] of sources.entries()) {
    const byDatabase = new Map<number, { keys: number; expires: number }>();
    for (const endpoint of endpoints[index] ?? []) {
      await using connection = await Connection.open(endpoint, { name: COMPARE_CLIENT_NAME });
      for (const { database, keys, expires } of await readCounts(connection, ignorePrefixes)) {
        const before = byDatabase.get(database) ?? { keys: 0, expires: 0 };
        byDatabase.set(database, { keys: before.keys + keys, expires: before.expires + expires });
      }
    }
    for (const [database, counts] of byDatabase)
      shares.push({ link: links[index] ?? '', instance, database, ...counts });
  }
  return shares;
}

/** One line on how far a comparison is. */
export function describeComparing(link: string, now: CompareProgress): string {
  const of = now.expectedKeys > 0 ? ` of ${formatCount(now.expectedKeys)}` : '';
  const keys = `${formatCount(now.keys)}${of} keys`;
  if (now.phase === 'recheck') return `  verify ${link}: round ${now.round}, ${keys} that look different`;
  const suspects = now.suspects > 0 ? `, ${formatCount(now.suspects)} look different` : '';
  return `  verify ${link}: ${keys}${suspects}`;
}

/** One line on what a comparison did. */
export function describeCompared({ keysCompared, method }: Comparison): string {
  return `${formatCount(keysCompared)} keys, method ${method}`;
}

export function mergeComparisons(
  parts: readonly [Pick<ComparisonPlan, 'id'>, ComparisonResult][],
): Comparison {
  const merged: Comparison = {
    method: [...new Set(parts.map(([, part]) => part.method))].join(', '),
    rounds: Math.max(0, ...parts.map(([, part]) => part.rounds)),
    keysCompared: 0,
    bytesCompared: 0,
    durationMs: 0,
    passMs: 0,
    counts: [],
    types: [],
    totals: { MISSING_KEY: 0, EXTRA_KEY: 0, TYPE_MISMATCH: 0, VALUE_MISMATCH: 0, TTL_MISMATCH: 0 },
    differences: [],
    unverified: {},
    transient: sum(parts.map(([, part]) => part.transient)),
    expiredInFlight: sum(parts.map(([, part]) => part.expiredInFlight)),
    notRechecked: sum(parts.map(([, part]) => part.notRechecked)),
    clockSkewMs: Math.max(0, ...parts.map(([, part]) => part.clockSkewMs)),
    warnings: parts.flatMap(([link, part]) =>
      part.warnings.map((warning) => (parts.length > 1 ? `${link.id}: ${warning}` : warning)),
    ),
  };
  const reasons = new Set<string>();
  for (const [{ id: link }, part] of parts) {
    merged.keysCompared += part.keysCompared;
    merged.bytesCompared += part.bytesCompared;
    merged.durationMs += part.durationMs;
    merged.passMs = (merged.passMs ?? 0) + part.passMs;
    merged.counts.push(...part.counts.map((row) => ({ link, ...row })));
    merged.types.push(...part.types.map((row) => ({ link, ...row })));
    merged.differences.push(
      ...part.differences.map((difference) => ({ link, ...difference })).toSorted(byKey),
    );
    for (const kind of DIFFERENCE_CLASSES) merged.totals[kind] += part.totals[kind];
    for (const [reason, keys] of Object.entries(part.unverified)) {
      merged.unverified[reason] = (merged.unverified[reason] ?? 0) + keys;
    }
    if (part.methodReason !== undefined) reasons.add(part.methodReason);
  }
  if (reasons.size > 0) merged.methodReason = [...reasons].join('; ');
  return merged;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The order a reader looks things up in, and the same in every run. */
function byKey(left: Difference, right: Difference): number {
  if (left.database !== right.database) return left.database - right.database;
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return DIFFERENCE_CLASSES.indexOf(left.class) - DIFFERENCE_CLASSES.indexOf(right.class);
}
