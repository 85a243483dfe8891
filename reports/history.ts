/**
 * Reading an event history back: lines of `events.ndjson` into events, and events into what a report shows — phases,
 * the states of each link, its syncs, what the timeline did, and the curves.
 */
import type { LinkState, RunEvent, RunPhase } from './events.ts';
import type { FaultResult, PhaseResult } from './results.ts';

export interface History {
  events: RunEvent[];
  /** The last line was cut off in the middle (the run was killed while writing it); it is left out. */
  torn: boolean;
  /** 1-based numbers of other lines that are not events: the file was damaged. They are left out. */
  unreadable: number[];
}

/** Parses `events.ndjson`. Never throws: a crashed run can be judged and reported as far as it was recorded. */
export function parseHistory(text: string): History {
  const lines = text.split('\n');
  const history: History = { events: [], torn: false, unreadable: [] };
  lines.forEach((line, index) => {
    if (line === '') return;
    const event = parseEvent(line);
    if (event !== null) history.events.push(event);
    else if (index === lines.length - 1) history.torn = true;
    else history.unreadable.push(index + 1);
  });
  return history;
}

function parseEvent(line: string): RunEvent | null {
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : null;
  } catch {
    return null;
  }
}

/** The file is written by us and versioned with the results; the envelope is what is checked. */
function isEvent(value: unknown): value is RunEvent {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    typeof value.kind === 'string' &&
    'seq' in value &&
    typeof value.seq === 'number' &&
    'at' in value &&
    typeof value.at === 'string' &&
    'ms' in value &&
    typeof value.ms === 'number'
  );
}

/** Narrow the history to one kind of event. */
export function eventsOf<K extends RunEvent['kind']>(
  events: readonly RunEvent[],
  kind: K,
): Extract<RunEvent, { kind: K }>[] {
  return events.filter((event): event is Extract<RunEvent, { kind: K }> => event.kind === kind);
}

/** Milliseconds from the start of the run to its last event. */
export function lastMs(events: readonly RunEvent[]): number {
  return events.reduce((latest, event) => Math.max(latest, event.ms), 0);
}

/** Phases in the order they began. One that never ended (crash, Ctrl-C) is `failed` and lasts to the last event. */
export function phasesOf(events: readonly RunEvent[]): PhaseResult[] {
  const phases: PhaseResult[] = [];
  const open = new Map<RunPhase, PhaseResult>();
  for (const event of eventsOf(events, 'phase')) {
    const running = open.get(event.phase);
    if (event.status === 'started') {
      const phase: PhaseResult = {
        phase: event.phase,
        startedMs: event.ms,
        durationMs: 0,
        status: 'finished',
      };
      phases.push(phase);
      open.set(event.phase, phase);
      continue;
    }
    open.delete(event.phase);
    const phase = running ?? { phase: event.phase, startedMs: event.ms, durationMs: 0, status: event.status };
    if (running === undefined) phases.push(phase);
    phase.status = event.status;
    phase.durationMs = event.ms - phase.startedMs;
    if (event.detail !== undefined) phase.detail = event.detail;
  }
  const end = lastMs(events);
  for (const phase of open.values()) {
    phase.status = 'failed';
    phase.durationMs = end - phase.startedMs;
    phase.detail = 'did not end';
  }
  return phases;
}

export interface LinkStateSpan {
  link: string;
  state: LinkState;
  fromMs: number;
  /** null: it was still in this state at the end. */
  toMs: number | null;
  cause: string;
}

/** Every state each link was in, in order of entering. */
export function linkStatesOf(events: readonly RunEvent[]): LinkStateSpan[] {
  const spans: LinkStateSpan[] = [];
  const current = new Map<string, LinkStateSpan>();
  for (const event of eventsOf(events, 'link-state')) {
    const before = current.get(event.link);
    if (before !== undefined) before.toMs = event.ms;
    const span = { link: event.link, state: event.to, fromMs: event.ms, toMs: null, cause: event.cause };
    spans.push(span);
    current.set(event.link, span);
  }
  return spans;
}

export interface SyncSpan {
  link: string;
  mode: 'full' | 'partial';
  startedMs: number;
  /** null: it did not finish. */
  finishedMs: number | null;
  keys: number;
  bytes: number;
  replid: string;
  offset: string;
  cause: string;
}

/** Every full and partial synchronization, in order of starting. */
export function syncsOf(events: readonly RunEvent[]): SyncSpan[] {
  const spans: SyncSpan[] = [];
  for (const event of events) {
    if (event.kind === 'sync-started') {
      const { link, mode, replid, offset, cause } = event;
      spans.push({
        link,
        mode,
        startedMs: event.ms,
        finishedMs: null,
        keys: 0,
        bytes: 0,
        replid,
        offset,
        cause,
      });
    } else if (event.kind === 'sync-finished') {
      const span = spans.findLast(
        (candidate) => candidate.link === event.link && candidate.mode === event.mode,
      );
      if (span === undefined) continue;
      span.finishedMs = event.ms;
      span.keys = event.keys;
      span.bytes = event.bytes;
    }
  }
  return spans;
}

/** What the timeline did: one entry per firing, and one per step that never fired. */
export function faultsOf(events: readonly RunEvent[]): FaultResult[] {
  const results: FaultResult[] = [];
  for (const event of eventsOf(events, 'fault')) {
    let result = results.findLast((candidate) => candidate.step === event.step);
    if (result === undefined || event.stage === 'requested') {
      result = {
        step: event.step,
        fault: event.fault,
        where: event.where ?? null,
        requestedMs: null,
        effectiveMs: null,
        healedMs: null,
        outcome: 'failed',
        reason: null,
        evidence: {},
      };
      results.push(result);
    }
    applyStage(result, event);
  }
  return results;
}

function applyStage(result: FaultResult, event: Extract<RunEvent, { kind: 'fault' }>): void {
  result.evidence = { ...result.evidence, ...event.evidence };
  switch (event.stage) {
    case 'requested':
      result.requestedMs = event.ms;
      break;
    case 'effective':
      result.effectiveMs = event.ms;
      result.outcome = 'effective';
      break;
    case 'healed':
      result.healedMs = event.ms;
      break;
    case 'failed':
      result.outcome = 'failed';
      break;
    case 'never-fired':
      result.outcome = 'never-fired';
      break;
    default:
      event.stage satisfies never;
  }
  if (event.reason !== undefined) result.reason = event.reason;
}

export interface LagPoint {
  ms: number;
  /** null while no heartbeat has come through. */
  lagMs: number | null;
  lagBytes: number;
  keys: number;
  bytes: number;
}

/** The curve of each link, from its progress events. */
export function lagCurves(events: readonly RunEvent[]): Map<string, LagPoint[]> {
  const curves = new Map<string, LagPoint[]>();
  for (const { link, ms, lagMs, lagBytes, keys, bytes } of eventsOf(events, 'progress')) {
    const curve = curves.get(link) ?? [];
    curve.push({ ms, lagMs, lagBytes, keys, bytes });
    curves.set(link, curve);
  }
  return curves;
}
