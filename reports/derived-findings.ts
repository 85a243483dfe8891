/**
 * Findings that follow from what was recorded: from the comparison, the counts, the error replies of the targets and
 * the history. Together with what the engine reported itself they are the run's findings.
 */
import type { RunEvent } from './events.ts';
import { eventsOf, syncsOf } from './history.ts';
import { findingKind, newFinding, type FindingCode } from './findings.ts';
import { linkCauses } from './causes.ts';
import { plural } from './display.ts';
import { DIFFERENCE_CLASSES } from './results.ts';
import type { Comparison, Difference, DifferenceClass, Finding, LinkResult } from './results.ts';

export interface FindingSources {
  events: readonly RunEvent[];
  links: readonly LinkResult[];
  comparison: Comparison | null;
}

/**
 * Everything the run found, in order of discovery. What the engine reported wins: a derived finding with the same
 * code for the same link is left out.
 */
export function collectFindings(sources: FindingSources): Finding[] {
  const reported = reportedFindings(sources.events);
  const known = new Set(reported.map(identity));
  const derived = [
    ...resyncFindings(sources.events),
    ...refusalFindings(sources.links),
    ...countFindings(sources.comparison),
    ...differenceFindings(sources.comparison),
  ];
  const all = [...reported, ...derived.filter((finding) => !known.has(identity(finding)))];
  return linkCauses(all, sources.comparison);
}

function identity(finding: Finding): string {
  return `${finding.code} ${finding.subject.link ?? ''}`;
}

/**
 * The same fact reported again (a refused command per retry) is one finding with a count. One that says its count itself is
 * told anew as it grows: the last word counts.
 */
function reportedFindings(events: readonly RunEvent[]): Finding[] {
  const findings = new Map<string, Finding>();
  for (const event of eventsOf(events, 'finding')) {
    const key = `${event.code} ${event.link ?? ''} ${event.message}`;
    const known = findings.get(key);
    const total = event.evidence?.['count'];
    if (known !== undefined && typeof total === 'number') {
      known.count = total;
      known.evidence = event.evidence ?? {};
      continue;
    }
    if (known !== undefined) {
      known.count = (known.count ?? 1) + 1;
      continue;
    }
    const kind = findingKind(event.code);
    findings.set(key, {
      code: event.code,
      severity: event.severity ?? kind?.severity ?? 'warning',
      message: event.message,
      subject: event.link === undefined ? {} : { link: event.link },
      evidence: event.evidence ?? {},
      evidenceKind: 'measured',
      ...(kind === null ? {} : { action: kind.action }),
      ...(typeof total === 'number' ? { count: total } : {}),
    });
  }
  return [...findings.values()];
}

/** The first full sync of a link is its start; each later one is a FULL_RESYNC. */
function resyncFindings(events: readonly RunEvent[]): Finding[] {
  const started = new Set<string>();
  const findings: Finding[] = [];
  for (const sync of syncsOf(events)) {
    if (sync.mode === 'full' && started.has(sync.link)) {
      const evidence = { replid: sync.replid, offset: sync.offset, atMs: sync.startedMs };
      findings.push(
        newFinding('FULL_RESYNC', `All data was copied again: ${sync.cause}.`, {
          subject: { link: sync.link },
          evidence,
        }),
      );
    }
    started.add(sync.link);
  }
  return findings;
}

const REFUSALS: Record<string, FindingCode> = { OOM: 'OOM', CROSSSLOT: 'CROSSSLOT' };

function refusalFindings(links: readonly LinkResult[]): Finding[] {
  return links.flatMap((link) =>
    Object.entries(link.errors).flatMap(([word, count]) => {
      const code = REFUSALS[word];
      if (code === undefined || count === 0) return [];
      const message = `The target answered ${word} to ${plural(count, 'command')}.`;
      return [
        newFinding(code, message, { subject: { link: link.link }, evidence: { replies: count }, count }),
      ];
    }),
  );
}

/** Requirement S0-14: keys − expires is equal; a difference in expires alone is lingering expired keys (S0-13). */
function countFindings(comparison: Comparison | null): Finding[] {
  return (comparison?.counts ?? []).flatMap((row) => {
    const source = row.sourceKeys - row.sourceExpires;
    const target = row.targetKeys - row.targetExpires;
    const details = { subject: { link: row.link, database: row.database }, evidence: { ...row } };
    if (source !== target) {
      const message = `Database ${row.database} has ${plural(source, 'key')} without expiry on the source and ${plural(target, 'key')} on the target.`;
      return [newFinding('COUNT_MISMATCH', message, { ...details, count: Math.abs(source - target) })];
    }
    if (row.sourceKeys === row.targetKeys) return [];
    const gap = Math.abs(row.sourceKeys - row.targetKeys);
    const message = `Database ${row.database}: INFO counts ${plural(gap, 'key')} ${row.sourceKeys > row.targetKeys ? 'more on the source' : 'more on the target'}, all of them with an expiry.`;
    return [newFinding('EXPIRED_GAP', message, { ...details, count: gap })];
  });
}

const DIFFERENCE_WORDS: Record<DifferenceClass, (keys: string) => string> = {
  MISSING_KEY: (keys) => `${keys} of the source missing on the target.`,
  EXTRA_KEY: (keys) => `${keys} only on the target.`,
  TYPE_MISMATCH: (keys) => `${keys} with different types.`,
  VALUE_MISMATCH: (keys) => `${keys} with different values.`,
  TTL_MISMATCH: (keys) => `${keys} with different expiry.`,
};

function differenceFindings(comparison: Comparison | null): Finding[] {
  if (comparison === null) return [];
  return DIFFERENCE_CLASSES.flatMap((code) => {
    const count = comparison.totals[code];
    if (count === 0) return [];
    const listed = comparison.differences.filter((difference) => difference.class === code);
    return [newFinding(code, DIFFERENCE_WORDS[code](plural(count, 'key')), { ...detailsOf(listed), count })];
  });
}

/** The link when all are on one, and the first as an example. */
function detailsOf(listed: readonly Difference[]): Partial<Finding> {
  const [first] = listed;
  if (first === undefined) return {};
  const { link, database, key, detail } = first;
  return {
    subject: listed.every((difference) => difference.link === link) ? { link } : {},
    evidence: { first: { link, database, key, detail } },
  };
}
