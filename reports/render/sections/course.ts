/** How it went: phases, links, the timeline's faults, the workload. */
import { formatCount } from '../../display.ts';
import { lastMs, phasesOf } from '../../history.ts';

import type {
  FaultResult,
  LinkFigure,
  LinkResult,
  PhaseResult,
  Results,
  WorkloadResult,
} from '../../results.ts';
import {
  left,
  right,
  styled,
  type Bar,
  type Block,
  type Cell,
  type ReportView,
  type Section,
  type Tone,
} from '../document.ts';
import {
  formatBytes,
  formatDuration,
  formatMegabytesPerSecond,
  formatPerSecond,
  significant,
} from '../format.ts';

/** The results' phases; from the history when a run crashed before it wrote them. */
export function phasesFor({ results, events }: ReportView): PhaseResult[] {
  return results.phases.length > 0 ? results.phases : phasesOf(events);
}

const PHASE_TONES: Record<PhaseResult['status'], Tone> = { finished: 'plain', failed: 'bad', skipped: 'dim' };

export function phasesSection(view: ReportView): Section | null {
  const phases = phasesFor(view);
  if (phases.length === 0) return null;
  const endMs = Math.max(
    lastMs(view.events),
    ...phases.map((phase) => phase.startedMs + phase.durationMs),
    1,
  );
  const bar = (phase: PhaseResult): Bar => ({
    from: phase.startedMs / endMs,
    to: (phase.startedMs + phase.durationMs) / endMs,
    tone: PHASE_TONES[phase.status],
  });
  const rows = phases.map((phase): Cell[] => [
    styled(phase.phase, PHASE_TONES[phase.status]),
    phase.status === 'skipped' ? styled('skipped', 'dim') : formatDuration(phase.durationMs),
    bar(phase),
    styled(
      [phase.status === 'failed' ? 'failed' : '', phase.detail ?? ''].filter(Boolean).join(': '),
      PHASE_TONES[phase.status],
    ),
  ]);
  const columns = [left('phase'), right('took'), left(''), left('')];
  return { id: 'phases', title: 'Phases', blocks: [{ kind: 'table', columns, rows }] };
}

export function linksSection({ results }: ReportView): Section | null {
  if (results.links.length === 0) return null;
  const copy = results.links.map((link): Cell[] => [
    link.link,
    stateCell(link),
    ...(link.fullSync === null
      ? ['–', '–', '–', '–', '–']
      : [
          told(link, 'copyKeys', formatCount(link.fullSync.keys)),
          told(link, 'copyBytes', formatBytes(link.fullSync.bytes)),
          formatDuration(link.fullSync.durationMs),
          told(link, 'copyBytes', formatMegabytesPerSecond(link.fullSync.bytes, link.fullSync.durationMs)),
          told(link, 'copyKeys', formatPerSecond(link.fullSync.keys, link.fullSync.durationMs)),
        ]),
  ]);
  const started = results.links.filter((link) => link.state !== 'NotStarted');
  const stream = started.map((link): Cell[] => [
    link.link,
    told(link, 'commands', formatCount(link.stream.commands)),
    told(link, 'streamBytes', formatBytes(link.stream.bytes)),
    lagCell(link),
    told(link, 'resyncs', countCell(link.fullResyncs, 'warn')),
    told(link, 'resyncs', countCell(link.partialResyncs, 'plain')),
    told(link, 'retries', countCell(link.retries, 'plain')),
  ]);
  stream.push(...chainRows(results));
  const engine = started.map((link): Cell[] => [
    link.link,
    told(link, 'dropped', tallyCell(link.dropped, 'dim')),
    told(link, 'dropped', tallyCell(link.handled ?? {}, 'dim')),
    told(link, 'errors', tallyCell(link.errors, 'bad')),
    told(link, 'cost', formatBytes(link.peakRssBytes)),
    told(link, 'cost', `${significant(link.cpuSeconds)} s`),
  ]);
  const copyColumns = [
    left('full sync'),
    left('state'),
    ...['keys', 'size', 'took', 'MB/s', 'keys/s'].map(right),
  ];
  const streamColumns = [
    left('stream'),
    ...['commands', 'size', 'lag p50/p95/p99 ms', 'full resyncs', 'partial', 'retries'].map(right),
  ];
  const engineColumns = [
    left('engine'),
    left('not applied'),
    left('handled'),
    left('refused'),
    right('peak memory'),
    right('CPU'),
  ];
  const tables: Block[] = [
    { kind: 'table', columns: copyColumns, rows: copy },
    { kind: 'table', columns: streamColumns, rows: stream },
    { kind: 'table', columns: engineColumns, rows: engine },
  ];
  return { id: 'links', title: 'Links', blocks: started.length > 0 ? tables : tables.slice(0, 1) };
}

/** The figure, or that nobody told it. */
function told({ unmeasured }: LinkResult, figure: LinkFigure, cell: Cell): Cell {
  return unmeasured?.includes(figure) === true ? styled('unknown', 'dim') : cell;
}

/** Over several hops the lag is the sum of theirs. */
function chainRows({ comparison, links }: Results): Cell[][] {
  const chains = comparison?.parts?.filter(({ kind }) => kind === 'end-to-end') ?? [];
  return chains.flatMap(({ id, links: way }): Cell[][] => {
    const lags = way.map((name) => links.find(({ link }) => link === name)?.lagMs ?? null);
    const known = lags.filter((lag) => lag !== null && lag.samples > 0);
    if (known.length < lags.length) return [];
    const sum = (of: 'p50' | 'p95' | 'p99'): string =>
      significant(known.reduce((total, lag) => total + (lag?.[of] ?? 0), 0));
    const nothing = styled('', 'dim');
    return [
      [
        `${id} (sum)`,
        nothing,
        nothing,
        [sum('p50'), sum('p95'), sum('p99')].join(' / '),
        nothing,
        nothing,
        nothing,
      ],
    ];
  });
}

function stateCell(link: LinkResult): Cell {
  const failed = link.state === 'Failed' || link.state === 'InitializeFailed';
  return styled(link.state, failed ? 'bad' : 'plain');
}

function lagCell({ lagMs }: LinkResult): Cell {
  if (lagMs === null || lagMs.samples === 0) return styled('–', 'dim');
  return [lagMs.p50, lagMs.p95, lagMs.p99].map(significant).join(' / ');
}

function countCell(count: number, tone: Tone): Cell {
  return styled(formatCount(count), count === 0 ? 'dim' : tone);
}

function tallyCell(tally: Record<string, number>, tone: Tone): Cell {
  const present = Object.entries(tally).filter(([, count]) => count > 0);
  if (present.length === 0) return styled('nothing', 'dim');
  return styled(present.map(([name, count]) => `${name} ${formatCount(count)}`).join(', '), tone);
}

export function faultsSection({ faults }: ReportView): Section | null {
  if (faults.length === 0) return null;
  const rows = faults.map((fault): Cell[] => [
    fault.step,
    fault.where === null ? fault.fault : `${fault.fault} on ${fault.where}`,
    momentCell(fault.requestedMs),
    momentCell(fault.effectiveMs),
    momentCell(fault.healedMs),
    outcomeCell(fault),
  ]);
  const columns = [
    left('step'),
    left('fault'),
    right('requested'),
    right('effective'),
    right('healed'),
    left(''),
  ];
  return { id: 'faults', title: 'Timeline', blocks: [{ kind: 'table', columns, rows }] };
}

function momentCell(ms: number | null): Cell {
  return ms === null ? styled('–', 'dim') : `+${formatDuration(ms)}`;
}

function outcomeCell(fault: FaultResult): Cell {
  if (fault.outcome === 'effective') return styled('took effect', 'good');
  const why = fault.reason === null ? '' : `: ${fault.reason}`;
  return styled(`${fault.outcome === 'failed' ? 'no effect' : 'never fired'}${why}`, 'warn');
}

export function workloadSection({ results }: ReportView): Section | null {
  if (results.workload.length === 0) return null;
  const rows = results.workload.map((workload): Cell[] => [
    workload.name,
    workload.target,
    `${formatCount(workload.requestedRate)}/s`,
    formatCount(workload.sent),
    formatCount(workload.ok),
    countCell(workload.failed, 'warn'),
    countCell(workload.unknown, 'warn'),
    remarkCell(workload),
  ]);
  const columns = [
    left('workload'),
    left('into'),
    right('asked'),
    right('sent'),
    right('ok'),
    right('failed'),
    right('unknown'),
    left(''),
  ];
  return { id: 'workload', title: 'Workload', blocks: [{ kind: 'table', columns, rows }] };
}

/** What a reader of the numbers beside it should know. */
function remarkCell(workload: WorkloadResult): Cell {
  const commands = Object.entries(workload.perCommand).flatMap(([command, count]) =>
    count.ok === 0 ? [command] : [],
  );
  const never = [...new Set([...commands, ...(workload.neverSucceeded ?? [])])];
  const { shed = 0, unsupported = [], reconnects = 0 } = workload;
  const remarks = [
    never.length > 0 ? `never succeeded: ${never.join(', ')}` : '',
    shed > 0 ? `${formatCount(shed)} not sent, the server was stalled` : '',
    reconnects > 0 ? `reconnected ${formatCount(reconnects)}×` : '',
    unsupported.length > 0 ? `not on this server: ${unsupported.join(', ')}` : '',
  ];
  return styled(remarks.filter(Boolean).join('; '), never.length > 0 ? 'warn' : 'dim');
}
