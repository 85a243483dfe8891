/** What follows from it: checks and findings. */
import { formatCount } from '../../display.ts';
import { bySeverity, findingKind } from '../../findings.ts';
import type { CheckResult, Finding, Severity } from '../../results.ts';
import { left, styled, type Entry, type ReportView, type Section, type Tone } from '../document.ts';

const CHECK_TONES: Record<CheckResult['verdict'], Tone> = {
  pass: 'good',
  fail: 'bad',
  unknown: 'warn',
  skipped: 'dim',
};
const CHECK_ORDER: CheckResult['verdict'][] = ['fail', 'unknown', 'pass', 'skipped'];

/** Worst first, so that the reason for the verdict is the first line. */
export function checksSection({ results }: ReportView): Section | null {
  if (results.checks.length === 0) return null;
  const sorted = results.checks.toSorted(
    (a, b) => CHECK_ORDER.indexOf(a.verdict) - CHECK_ORDER.indexOf(b.verdict),
  );
  const rows = sorted.map((check) => {
    const tone = CHECK_TONES[check.verdict];
    return [
      styled(check.verdict, tone),
      check.check,
      styled(check.summary, check.verdict === 'skipped' ? 'dim' : 'plain'),
    ];
  });
  return {
    id: 'checks',
    title: 'Checks',
    blocks: [{ kind: 'table', columns: [left('verdict'), left('check'), left('')], rows }],
  };
}

const SEVERITY_TONES: Record<Severity, Tone> = {
  error: 'bad',
  warning: 'warn',
  notice: 'plain',
  explained: 'dim',
};

export function findingsSection({ results }: ReportView): Section | null {
  if (results.findings.length === 0) return null;
  const entries = bySeverity(results.findings).map(findingEntry);
  return { id: 'findings', title: 'Findings', blocks: [{ kind: 'entries', entries }] };
}

function findingEntry(finding: Finding): Entry {
  const { link, database, instance, key } = finding.subject;
  const subject = [
    ...(instance === undefined ? [] : [instance]),
    ...(link === undefined ? [] : [`link ${link}`]),
    ...(database === undefined ? [] : [`db ${database}`]),
    ...(key === undefined ? [] : [`key ${key}`]),
  ];
  const count = finding.count ?? 1;
  const times =
    count > 1 && !finding.message.includes(formatCount(count)) ? ` (${formatCount(count)} times)` : '';
  const kind = findingKind(finding.code);
  return {
    tone: SEVERITY_TONES[finding.severity],
    label: finding.code,
    title: `${finding.severity}: ${finding.message}${times}`,
    lines: [
      ...(subject.length > 0 ? [{ label: 'where', text: subject.join(', ') }] : []),
      ...sampleLines(finding),
      ...(finding.causes ?? []).map(({ code, message }) => ({
        label: 'because',
        text: `${code}: ${message}`,
      })),
      ...(kind === null
        ? []
        : [
            { label: 'means', text: kind.meaning },
            { label: 'do', text: kind.advice },
          ]),
      ...(finding.evidenceKind === 'measured' ? [] : [{ label: 'evidence', text: finding.evidenceKind }]),
    ],
    commands: [],
  };
}

const SAMPLES_SHOWN = 5;

/** Places where it happened, and what the comparison says about them. */
function sampleLines({ evidence }: Finding): { label: string; text: string }[] {
  const { samples, recheck } = evidence;
  const lines: { label: string; text: string }[] = [];
  if (Array.isArray(samples) && samples.length > 0) {
    const shown = samples.slice(0, SAMPLES_SHOWN).map(wordSample);
    const more = samples.length > shown.length ? ' …' : '';
    lines.push({ label: 'among', text: `${shown.join(', ')}${more}` });
  }
  if (typeof recheck === 'string') lines.push({ label: 'compared', text: recheck });
  return lines;
}

/** `SET "k" in db 0`, `"k" in db 3`, or whatever else the sample says. */
function wordSample(sample: unknown): string {
  if (typeof sample !== 'object' || sample === null) return String(sample);
  const fields = new Map(Object.entries(sample));
  const { command, key, database, reply } = Object.fromEntries(
    [...fields].map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
  if (reply !== undefined) return reply;
  const words = [command, key].filter((word) => word !== undefined);
  if (words.length === 0) return JSON.stringify(sample);
  return `${words.join(' ')}${database === undefined ? '' : ` in db ${database}`}`;
}
