/** Where and with what: the failure that ended the run, the instances, the files. */
import { plural } from '../../display.ts';
import { left, styled, type Block, type ReportView, type Section } from '../document.ts';

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
  const entries = rows.map((row) => ({
    tone: row.verdict === 'FAIL' ? ('bad' as const) : ('warn' as const),
    label: row.verdict,
    title: `${row.id} (${row.subject})`,
    lines: [
      {
        label: 'measured',
        text: row.evidence === 'measured' ? row.measured : `${row.measured} (${row.evidence})`,
      },
      { label: 'expected', text: row.expected },
      ...(row.repair === undefined ? [] : [{ label: 'do', text: row.repair }]),
    ],
    commands: [],
  }));
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

export function filesSection({ results }: ReportView): Section {
  const { run, files } = results;
  const facts = [
    { label: 'run folder', value: styled(run.folder) },
    ...Object.entries(files).map(([name, path]) => ({ label: name, value: styled(path, 'dim') })),
  ];
  return { id: 'files', title: 'Files', blocks: [{ kind: 'facts', facts }] };
}
