/**
 * What `run` shows of its links: one line each, with state, offsets and lag. On a terminal the line is rewritten every
 * second; elsewhere a line stays when the state changed, and every ten seconds. Under --json a document per line and second.
 */
import { formatCount } from '../../reports/display.ts';
import { formatBytes, formatDuration } from '../../reports/render/format.ts';
import type { Io } from '../cli/io.ts';
import type { LinkMonitor } from './link-monitor.ts';
import type { Progress } from './progress.ts';

const TICK_MS = 1000;
const TICKS_BETWEEN_LINES = 10;

export class LinkStates implements Disposable {
  readonly #monitors: readonly LinkMonitor[];
  readonly #io: Io;
  readonly #progress: Progress;
  readonly #timer: NodeJS.Timeout;
  readonly #printed = new Map<LinkMonitor, string>();
  #ticks = 0;

  constructor(monitors: readonly LinkMonitor[], io: Io, progress: Progress) {
    this.#monitors = monitors;
    this.#io = io;
    this.#progress = progress;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** How it ended; stays on the screen. */
  printLast(): void {
    this[Symbol.dispose]();
    this.#progress.clear();
    for (const monitor of this.#monitors) this.#print(monitor);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (!this.#io.json && this.#io.outIsTty && this.#progress.isLive) {
      const lines = this.#monitors.flatMap((monitor) => describeState(monitor) ?? []);
      if (lines.length > 0) this.#progress.show(`  ${lines.join(' · ')}`);
      return;
    }
    const isDue = this.#io.json || this.#ticks++ % TICKS_BETWEEN_LINES === 0;
    for (const monitor of this.#monitors)
      if (isDue || this.#printed.get(monitor) !== monitor.state) this.#print(monitor);
  }

  #print(monitor: LinkMonitor): void {
    const line = this.#io.json ? stateDocument(monitor) : describeState(monitor);
    if (line === undefined || (this.#io.quiet && !this.#io.json)) return;
    this.#printed.set(monitor, monitor.state);
    this.#io.out(`${line}\n`);
  }
}

/** undefined before the first status. */
function describeState({ plan, state, status }: LinkMonitor): string | undefined {
  if (status === undefined) return undefined;
  const { appliedOffset, receivedOffset, lagBytes, lagMs, snapshot, stream } = status;
  if (state === 'Initializing') {
    const of = snapshot.expectedKeys > 0 ? ` of ${formatCount(snapshot.expectedKeys)}` : '';
    return `${plan.id}  ${state}  ${formatCount(snapshot.keys)}${of} keys, ${formatBytes(snapshot.bytes)}`;
  }
  // Measured when the last heartbeat came through: of a link that waits it tells nothing.
  const inTime = lagMs === null || state === 'Retrying' ? '' : `, ${formatDuration(lagMs)}`;
  const lag = `${formatBytes(lagBytes)}${inTime}`;
  return `${plan.id}  ${state}  applied ${appliedOffset} of ${receivedOffset}, lag ${lag}, ${formatCount(stream.commands)} commands`;
}

function stateDocument(monitor: LinkMonitor): string | undefined {
  const state = stateOf(monitor, new Date());
  return state === undefined ? undefined : JSON.stringify(state);
}

/** What programs are told about a link: a line of --json, an entry of /status. undefined before the first status. */
export function stateOf({ plan, state, status }: LinkMonitor, at: Date): object | undefined {
  if (status === undefined) return undefined;
  const { appliedOffset, receivedOffset, replid, lagBytes, lagMs, snapshot, stream, waitingFor } = status;
  const now = { replid, receivedOffset, appliedOffset, lagBytes, lagMs, snapshot, stream, waitingFor };
  return { at: at.toISOString(), link: plan.id, state, ...now };
}
