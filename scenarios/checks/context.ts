/**
 * What checks are given, made from a plan and an event history alone: a run is judged from the same things while it ends
 * and years later, so both give the same verdict.
 */
import { collectFindings } from '../../reports/derived-findings.ts';
import type { RunEvent } from '../../reports/events.ts';
import { evidenceAbout } from '../../reports/evidence.ts';
import { eventsOf, linkStatesOf, syncsOf } from '../../reports/history.ts';
import {
  LINK_FIGURES,
  type LinkFigure,
  type LinkResult,
  type Results,
  type WorkloadResult,
} from '../../reports/results.ts';
import { findFault } from '../faults/registry.ts';
import type { CheckContext } from './check.ts';
import type { Expectation } from './expectation.ts';
import { unstartedResult } from '../workload/workload.ts';

/** The part of a plan that a run is judged by. */
export interface JudgedPlan {
  links: readonly { id: string; source: string; target: string }[];
  workload: readonly { name: string; into: readonly string[]; ratePerSecond: number }[];
  timeline: readonly { id: string; fault: string; optional: boolean }[];
  expect: readonly Expectation[];
  engine: { heartbeatMs: number; heartbeatPrefix: string };
  instances: readonly { name: string; config?: Readonly<Record<string, string>>; url?: string }[];
}

/** Of a run that was cut off as well: what was not recorded any more is what the last events say, or not there. */
export function contextOf(plan: JudgedPlan, events: readonly RunEvent[]): CheckContext {
  const outcome = evidenceAbout(events, 'outcome').at(-1);
  const links = linksOf(plan, events, outcome !== undefined);
  const comparison = evidenceAbout(events, 'comparison').at(-1)?.comparison ?? null;
  const { heartbeatMs, heartbeatPrefix: prefix } = plan.engine;
  const keysOnTargets = evidenceAbout(events, 'heartbeat-keys').at(-1)?.keysOnTargets ?? null;
  return {
    events,
    links,
    comparison,
    findings: collectFindings({ events, links, comparison }),
    workload: plan.workload.map((planned) => workloadResult(planned, events)),
    steps: plan.timeline.map(({ id, fault, optional }) => ({
      id,
      fault,
      optional,
      dataLoss: findFault(fault)?.dataLoss ?? 'none',
    })),
    expect: plan.expect,
    heartbeat: heartbeatMs === 0 ? null : { prefix, keysOnTargets },
    error: outcome === undefined ? firstError(events) : outcome.error,
    ended: outcome !== undefined,
    selfSaving: plan.instances.filter(savesItself).map(({ name }) => name),
  };
}

function linksOf(plan: JudgedPlan, events: readonly RunEvent[], ended: boolean): LinkResult[] {
  const recorded = evidenceAbout(events, 'link').map(({ result }) => result);
  // A comparison of live endpoints has a plan with links, and starts none.
  if (ended) return recorded;
  return plan.links.map(
    (link) => recorded.find((result) => result.link === link.id) ?? lastSeen(link, events),
  );
}

/** What the events of a link say of it as they happen. */
const RECORDED: readonly LinkFigure[] = ['resyncs'];

function lastSeen(
  { id, source, target }: JudgedPlan['links'][number],
  events: readonly RunEvent[],
): LinkResult {
  const syncs = syncsOf(events).filter((sync) => sync.link === id && sync.finishedMs !== null);
  const full = syncs.filter((sync) => sync.mode === 'full');
  const last = full.at(-1);
  return {
    link: id,
    source,
    target,
    state: linkStatesOf(events).findLast((span) => span.link === id)?.state ?? 'NotStarted',
    fullSync:
      last === undefined
        ? null
        : {
            keys: last.keys,
            bytes: last.bytes,
            durationMs: (last.finishedMs ?? last.startedMs) - last.startedMs,
            count: full.length,
          },
    stream: { commands: 0, bytes: 0, transactions: 0 },
    partialResyncs: syncs.length - full.length,
    fullResyncs: Math.max(0, full.length - 1),
    retries: 0,
    dropped: {},
    errors: {},
    lagMs: null,
    peakRssBytes: 0,
    cpuSeconds: 0,
    unmeasured: LINK_FIGURES.filter((figure) => !RECORDED.includes(figure)),
  };
}

/** A planned workload that never started is there too, with zeros. */
function workloadResult(
  planned: JudgedPlan['workload'][number],
  events: readonly RunEvent[],
): WorkloadResult {
  const recorded = evidenceAbout(events, 'workload').findLast(({ result }) => result.name === planned.name);
  return recorded?.result ?? unstartedResult(planned);
}

function firstError(events: readonly RunEvent[]): Results['error'] {
  const first = eventsOf(events, 'error').at(0);
  if (first === undefined) return null;
  const { code, message, where, hint } = first;
  return {
    code,
    message,
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Whoever we start does not save unless told to. */
function savesItself({ config = {}, url }: JudgedPlan['instances'][number]): boolean {
  return url !== undefined || (config['save'] ?? '""').length > 2 || config['appendonly'] === 'yes';
}
