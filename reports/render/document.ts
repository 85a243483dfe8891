/**
 * The report before it has a form: a verdict and sections of tables, facts and entries. Every section is made once, here
 * in plain values; terminal, Markdown and HTML only lay it out. What a renderer escapes is therefore everything.
 */
import type { RunEvent } from '../events.ts';
import type { FaultResult, Results, Verdict } from '../results.ts';

export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'plain';

export interface Styled {
  text: string;
  tone: Tone;
}

/** From where to where something lasted, as shares (0 to 1) of the whole. A form without bars leaves it out. */
export interface Bar {
  from: number;
  to: number;
  tone: Tone;
}

export type Cell = string | Styled | Bar;

export interface Column {
  title: string;
  align: 'left' | 'right';
}

/** Something to be read: a difference, a finding. */
export interface Entry {
  tone: Tone;
  label: string;
  title: string;
  /** `text` can have several lines. */
  lines: { label: string; text: string }[];
  /** To be copied; never wrapped or cut. */
  commands: string[];
}

export type Block =
  | { kind: 'table'; columns: Column[]; rows: Cell[][] }
  | { kind: 'facts'; facts: { label: string; value: Styled }[] }
  | { kind: 'entries'; entries: Entry[] }
  | { kind: 'note'; note: Styled };

export interface Section {
  id: string;
  title: string;
  blocks: Block[];
}

export interface ReportDocument {
  name: string;
  verdict: Verdict;
  tone: Tone;
  summary: string;
  /** One line: when, how long, which seed. */
  subtitle: string;
  exitCode: number;
  sections: Section[];
}

/** What a section is made from. */
export interface ReportView {
  results: Results;
  events: readonly RunEvent[];
  faults: readonly FaultResult[];
  /** Differences written out; the others are counted. */
  differencesMax: number;
}

export const VERDICT_TONES: Record<Verdict, Tone> = { pass: 'good', fail: 'bad', unknown: 'warn' };

export function left(title: string): Column {
  return { title, align: 'left' };
}

export function right(title: string): Column {
  return { title, align: 'right' };
}

export function styled(text: string, tone: Tone = 'plain'): Styled {
  return { text, tone };
}

export function isBar(cell: Cell): cell is Bar {
  return typeof cell !== 'string' && 'from' in cell;
}

export function cellText(cell: Cell): Styled {
  if (typeof cell === 'string') return styled(cell);
  return isBar(cell) ? styled('') : cell;
}
