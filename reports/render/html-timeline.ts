/**
 * The run as one picture: phases, the state of each link, when which fault was in effect, and the lag over it. Inline
 * SVG; colours come from the page's style sheet. Time runs from left to right, the same for all rows.
 */
import { lagCurves, lastMs, linkStatesOf, type LagPoint, type LinkStateSpan } from '../history.ts';
import type { FaultResult } from '../results.ts';
import type { ReportView } from './document.ts';
import { formatDuration } from './format.ts';
import { escapeMarkup as escape } from './markup.ts';
import { phasesFor } from './sections/course.ts';

const WIDTH = 1000;
const LEFT = 118;
const RIGHT = 16;
const ROW = 22;
const PLOT = 130;
/** Width of one character of the labels, roughly. */
const CHARACTER = 6.2;

interface Scale {
  endMs: number;
  x: (ms: number) => number;
}

/** An `<svg>` element, or '' when nothing was recorded. */
export function renderTimeline(view: ReportView): string {
  const phases = phasesFor(view);
  const endMs = Math.max(
    lastMs(view.events),
    ...phases.map((phase) => phase.startedMs + phase.durationMs),
    0,
  );
  if (endMs === 0) return '';
  const scale: Scale = { endMs, x: (ms) => LEFT + (Math.min(ms, endMs) / endMs) * (WIDTH - LEFT - RIGHT) };
  const curves = [...lagCurves(view.events)].filter(([, points]) =>
    points.some((point) => point.lagMs !== null),
  );
  const fired = view.faults.filter((fault) => fault.effectiveMs !== null);
  const states = groupBy(linkStatesOf(view.events), (span) => span.link);

  const drawing: string[] = [];
  let y = 4;
  drawing.push(rowName('phases', y), ...phases.map((phase, index) => phaseBand(phase, index, y, scale)));
  y += ROW + 6;
  for (const [link, spans] of states) {
    drawing.push(rowName(`link ${link}`, y), ...spans.map((span) => stateBand(span, y, scale)));
    y += ROW;
  }
  const bandsFrom = y;
  const steps = groupBy(fired, (fault) => fault.step);
  for (const [step, firings] of steps) {
    drawing.push(rowName(step, y), ...firings.map((fault) => faultMark(fault, y, scale)));
    y += ROW;
  }
  if (curves.length > 0) {
    y += 14;
    drawing.push(lagPlot(curves, y, scale));
    y += PLOT;
  }
  const bands = fired.map((fault) => faultBand(fault, bandsFrom, y, scale));
  drawing.push(timeAxis(y, scale));
  y += 22;
  const label = `Phases, links, faults and lag over ${formatDuration(endMs)}`;
  return `<svg viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${escape(label)}">${[...bands, ...drawing].join('')}</svg>`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function rowName(name: string, y: number): string {
  return `<text class="name" x="${LEFT - 10}" y="${y + 15}" text-anchor="end">${escape(shorten(name, 17))}<title>${escape(name)}</title></text>`;
}

function shorten(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}

interface Band {
  fromMs: number;
  toMs: number;
  fill: string;
  text: string;
  title: string;
  /** Share of the row's height, for states that are not the normal one. */
  opacity: number;
}

function band({ fromMs, toMs, fill, text, title, opacity }: Band, y: number, { x }: Scale): string {
  const from = x(fromMs);
  const width = Math.max(2, x(toMs) - from);
  const fits = width > text.length * CHARACTER + 8;
  const label = fits ? `<text class="name" x="${px(from + 6)}" y="${y + 14}">${escape(text)}</text>` : '';
  return `<g><title>${escape(title)}</title><rect x="${px(from)}" y="${y}" width="${px(width)}" height="${ROW - 4}" rx="3" fill="var(${fill})" fill-opacity="${opacity}" stroke="var(--card)"/>${label}</g>`;
}

function phaseBand(
  phase: ReturnType<typeof phasesFor>[number],
  index: number,
  y: number,
  scale: Scale,
): string {
  const fill = phase.status === 'failed' ? '--bad-soft' : index % 2 === 0 ? '--phase-a' : '--phase-b';
  const toMs = phase.startedMs + phase.durationMs;
  const title = `${phase.phase}, ${formatDuration(phase.durationMs)}, ${phase.status}`;
  return band({ fromMs: phase.startedMs, toMs, fill, text: phase.phase, title, opacity: 1 }, y, scale);
}

const STATE_FILLS: Partial<Record<LinkStateSpan['state'], string>> = {
  Synchronizing: '--good',
  Finished: '--good',
  Retrying: '--warn',
  Suspending: '--warn',
  Failed: '--bad',
  InitializeFailed: '--bad',
};

function stateBand(span: LinkStateSpan, y: number, scale: Scale): string {
  const toMs = span.toMs ?? scale.endMs;
  const title = `${span.state} for ${formatDuration(toMs - span.fromMs)}: ${span.cause}`;
  const fill = STATE_FILLS[span.state] ?? '--dim';
  return band({ fromMs: span.fromMs, toMs, fill, text: span.state, title, opacity: 0.28 }, y, scale);
}

/** A fault that is not healed (or cannot be) is a mark, not a band. */
function faultMark(fault: FaultResult, y: number, { x }: Scale): string {
  const fromMs = fault.effectiveMs ?? 0;
  const from = x(fromMs);
  const to = x(fault.healedMs ?? fromMs);
  const title = `${fault.step}: ${fault.fault} in effect at +${formatDuration(fromMs)}${fault.healedMs === null ? '' : `, healed at +${formatDuration(fault.healedMs)}`}`;
  const bar = `<rect class="fault" x="${px(from)}" y="${y + 4}" width="${px(Math.max(3, to - from))}" height="${ROW - 12}" rx="2"/>`;
  const onTheRight = to + fault.fault.length * CHARACTER + 12 < WIDTH;
  const label = onTheRight
    ? `<text x="${px(Math.max(to, from + 3) + 5)}" y="${y + 14}">${escape(fault.fault)}</text>`
    : `<text x="${px(from - 5)}" y="${y + 14}" text-anchor="end">${escape(fault.fault)}</text>`;
  return `<g><title>${escape(title)}</title>${bar}${label}</g>`;
}

function faultBand(fault: FaultResult, top: number, bottom: number, { x }: Scale): string {
  const from = x(fault.effectiveMs ?? 0);
  const width = Math.max(2, x(fault.healedMs ?? fault.effectiveMs ?? 0) - from);
  return `<rect class="fault-band" x="${px(from)}" y="${top}" width="${px(width)}" height="${bottom - top}"/>`;
}

function lagPlot(curves: readonly [string, LagPoint[]][], top: number, scale: Scale): string {
  const highest = Math.max(1, ...curves.flatMap(([, points]) => points.map((point) => point.lagMs ?? 0)));
  const step = niceStep(highest / 3);
  const steps = Math.ceil(highest / step);
  const y = (lagMs: number): number => top + PLOT - (lagMs / (step * steps)) * PLOT;
  const grid = Array.from({ length: steps + 1 }, (_, index) => {
    const lagMs = step * index;
    const at = px(y(lagMs));
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 10}" y="${px(y(lagMs) + 4)}" text-anchor="end">${escape(formatDuration(lagMs))}</text>`;
  });
  const lines = curves.map(([link, points], index) => {
    const path = pathOf(points, scale, y);
    return `<path class="curve" stroke="var(--link-${index % 6})" d="${path}"><title>${escape(`lag of link ${link}`)}</title></path>`;
  });
  const legend = curves.map(([link], index) => {
    const at = LEFT + 8 + index * 180;
    return `<g><rect x="${at}" y="${top - 6}" width="14" height="3" fill="var(--link-${index % 6})"/><text x="${at + 20}" y="${top - 1}">${escape(shorten(`lag of ${link}`, 24))}</text></g>`;
  });
  return [...grid, ...lines, ...legend].join('');
}

/** A new piece of line after every gap; of the samples that share a pixel the worst is drawn. */
function pathOf(points: readonly LagPoint[], { x }: Scale, y: (lagMs: number) => number): string {
  const drawn: { at: number; lagMs: number | null }[] = [];
  for (const { ms, lagMs } of points) {
    const at = Math.round(x(ms));
    const last = drawn.at(-1);
    if (last?.at === at && last.lagMs !== null && lagMs !== null) last.lagMs = Math.max(last.lagMs, lagMs);
    else drawn.push({ at, lagMs });
  }
  return drawn
    .map(({ at, lagMs }, index) => {
      if (lagMs === null) return '';
      const isContinued = index > 0 && drawn[index - 1]?.lagMs !== null;
      return `${isContinued ? 'L' : 'M'}${at} ${px(y(lagMs))}`;
    })
    .join('');
}

function timeAxis(y: number, { endMs, x }: Scale): string {
  const stepMs = niceStep(endMs / 10);
  const marks: string[] = [];
  for (let ms = 0; ms <= endMs; ms += stepMs) {
    const at = px(x(ms));
    marks.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${y}" y2="${y + 4}"/><text x="${at}" y="${y + 16}" text-anchor="middle">${escape(formatDuration(ms))}</text>`,
    );
  }
  return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>${marks.join('')}`;
}

/** The next of 1, 2, 5 × 10ⁿ. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least) ?? 10;
  return factor * power;
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
