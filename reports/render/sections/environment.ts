/** Where and with what: the failure that ended the run, the instances, the files. */
import { plural } from '../../display.ts';
import type { PrecheckRow } from '../../results.ts';
import { left, styled, type Block, type Entry, type ReportView, type Section } from '../document.ts';

/** The failure that ended the run early; null when none did. */
export function errorSection({ results }: ReportView): Section | null {
  const { error } = results;
  if (error === null) return null;
  const lines = [
    ...(error.where === undefined ? [] : [{ label: 'where', text: error.where }]),
    ...(error.hint === undefined ? [] : [{ label: 'do', text: error.hint }]),
  ];
  const entry = { tone: 'bad' as const, label: error.code, title: error.message, lines, commands: [] };
  return { id: 'error', title: 'What ended the run', blocks: [{ kind: 'entries', entries: [entry] }] };
}

export function instancesSection({ results }: ReportView): Section | null {
  if (results.instances.length === 0) return null;
  const rows = results.instances.map((instance) => [
    styled(instance.instance),
    `${instance.server} ${instance.version}`,
    instance.kind,
    instance.addresses.join(', '),
    styled(instance.provisioned ? 'started for this run' : 'existing', 'dim'),
  ]);
  const columns = [left('instance'), left('server'), left('kind'), left('address'), left('')];
  return { id: 'instances', title: 'Instances', blocks: [{ kind: 'table', columns, rows }] };
}

/** Who replicated, when it was not our own engine. */
export function engineSection({ results }: ReportView): Section | null {
  const { engine } = results;
  if (engine === undefined) return null;
  const lines = engine.notes.map((note) => ({ label: 'note', text: note }));
  const entry = { tone: 'plain' as const, label: engine.driver, title: engine.what, lines, commands: [] };
  return { id: 'engine', title: 'Engine', blocks: [{ kind: 'entries', entries: [entry] }] };
}

/** Prechecks that are not simply PASS. */
export function precheckSection({ results }: ReportView): Section | null {
  const rows = results.precheck.filter((row) => row.verdict !== 'PASS' && row.verdict !== 'SKIP');
  if (rows.length === 0) return null;
  const entries = groupRows(rows).map(precheckEntry);
  const quiet = results.precheck.length - rows.length;
  const note: Block = {
    kind: 'note',
    note: styled(`${plural(quiet, 'other precheck')} passed or did not apply.`, 'dim'),
  };
  return {
    id: 'precheck',
    title: 'Prechecks',
    blocks: [{ kind: 'entries', entries }, ...(quiet > 0 ? [note] : [])],
  };
}

/** Rows that say the same of several subjects, together. */
function groupRows(rows: readonly PrecheckRow[]): PrecheckRow[][] {
  const groups = new Map<string, PrecheckRow[]>();
  for (const row of rows) {
    const { id, verdict, expected, repair, evidence } = row;
    const key = JSON.stringify([id, verdict, expected, repair, evidence]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/** Where it was not measured, that is said. */
function told({ evidence }: PrecheckRow, text: string): string {
  return evidence === 'measured' ? text : `${text} (${evidence})`;
}

/** One entry for all; what was measured is said of each, once where it is the same. */
function precheckEntry(rows: readonly PrecheckRow[]): Entry {
  const [first] = rows;
  const measured = new Set(rows.map((row) => row.measured));
  const each = rows.map((row) => told(row, `${row.subject}: ${row.measured}`));
  const texts = first !== undefined && measured.size === 1 ? [told(first, first.measured)] : each;
  return {
    tone: first?.verdict === 'FAIL' ? 'bad' : 'warn',
    label: first?.verdict ?? '',
    title: `${first?.id} (${rows.map(({ subject }) => subject).join(', ')})`,
    lines: [
      ...texts.map((text) => ({ label: 'measured', text })),
      { label: 'expected', text: first?.expected ?? '' },
      ...(first?.repair === undefined ? [] : [{ label: 'do', text: first.repair }]),
    ],
    commands: [],
  };
}

export function filesSection({ results }: ReportView): Section {
  const { run, files } = results;
  const facts = [
    { label: 'run folder', value: styled(run.folder) },
    ...Object.entries(files).map(([name, path]) => ({ label: name, value: styled(path, 'dim') })),
  ];
  return { id: 'files', title: 'Files', blocks: [{ kind: 'facts', facts }] };
}
