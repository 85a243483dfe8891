/** Puts the report together: what ended it, how it went, what differs, what that means, what was tried, where it all is. */
import type { RunEvent } from '../events.ts';
import { faultsOf } from '../history.ts';
import type { Results } from '../results.ts';
import {
  VERDICT_TONES,
  cellText,
  isBar,
  type Block,
  type ReportDocument,
  type ReportView,
  type Section,
} from './document.ts';
import { formatDuration } from './format.ts';
import { faultsSection, linksSection, phasesSection, workloadSection } from './sections/course.ts';
import { countsSection, differencesSection } from './sections/data.ts';
import {
  engineSection,
  errorSection,
  filesSection,
  instancesSection,
  precheckSection,
} from './sections/environment.ts';
import { checksSection, findingsSection } from './sections/judgement.ts';

const SECTIONS: readonly ((view: ReportView) => Section | null)[] = [
  errorSection,
  phasesSection,
  engineSection,
  linksSection,
  countsSection,
  differencesSection,
  findingsSection,
  checksSection,
  precheckSection,
  faultsSection,
  workloadSection,
  instancesSection,
  filesSection,
];

export interface DocumentOptions {
  /** Differences written out; the others are counted. */
  differencesMax: number;
}

export function viewOf(results: Results, events: readonly RunEvent[], options: DocumentOptions): ReportView {
  return {
    results,
    events,
    faults: results.faults ?? faultsOf(events),
    differencesMax: options.differencesMax,
  };
}

/** A pure function of its arguments: the same run is the same report, whenever it is rendered. */
export function buildDocument(view: ReportView): ReportDocument {
  const { run, verdict, summary, exitCode } = view.results;
  return {
    name: run.name,
    verdict,
    tone: VERDICT_TONES[verdict],
    summary,
    exitCode,
    subtitle: `${run.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')} · ${formatDuration(run.durationMs)} · seed ${run.seed}${run.chaos === undefined ? '' : `, chaos ${run.chaos}`} · ${run.spec}`,
    sections: SECTIONS.flatMap((section) => section(view) ?? []).map((section) => ({
      ...section,
      blocks: section.blocks.map(withoutEmptyColumns),
    })),
  };
}

/** Columns without a title hold remarks; when there are none, neither is the column. */
function withoutEmptyColumns(block: Block): Block {
  if (block.kind !== 'table') return block;
  const isKept = block.columns.map(
    (column, index) =>
      column.title !== '' ||
      block.rows.some((row) => isBar(row[index] ?? '') || cellText(row[index] ?? '').text !== ''),
  );
  return {
    kind: 'table',
    columns: block.columns.filter((_column, index) => isKept[index] === true),
    rows: block.rows.map((row) => row.filter((_cell, index) => isKept[index] === true)),
  };
}

const REASONS: readonly string[] = ['error', 'differences', 'findings', 'checks', 'precheck', 'faults'];

/** For forms that are read from the top and not scrolled past: why it is so before how it went. */
export function reasonsFirst(document: ReportDocument): ReportDocument {
  const { sections } = document;
  return {
    ...document,
    sections: [...sections.filter(isReason), ...sections.filter((section) => !isReason(section))],
  };
}

function isReason(section: Section): boolean {
  return REASONS.includes(section.id);
}
