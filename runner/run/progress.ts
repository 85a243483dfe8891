/**
 * What a person sees on stderr while a run works: a line per phase, and between them, on a terminal, one line that is
 * rewritten (phase, keys, MB/s, lag). On a build server and in a pipe only lines that stay.
 */
import { formatCount } from '../../reports/display.ts';
import type { RunEvent, RunPhase } from '../../reports/events.ts';
import { formatBytes, formatDuration } from '../../reports/render/format.ts';
import type { Io } from '../cli/io.ts';

const CLEAR_LINE = '\r\u001b[K';
/** While a run works in these, how far its links are is the news. */
const LINK_PHASES: ReadonlySet<RunPhase> = new Set(['full-sync', 'incremental', 'settle']);

export interface ProgressOptions {
  /** Say every change of a link's state, not only trouble. */
  states?: boolean;
}

export class Progress {
  readonly #io: Io;
  readonly #live: boolean;
  readonly #states: boolean;
  #phaseStartedMs = 0;
  #bytesBefore = new Map<string, { bytes: number; ms: number }>();
  readonly #told = new Set<string>();
  #shown = false;

  constructor(io: Io, options: ProgressOptions = {}) {
    this.#io = io;
    this.#live = io.errIsTty && !io.isCi;
    this.#states = (options.states ?? false) || io.verbose;
  }

  /** Lines are rewritten here: on a terminal, and not on a build server. */
  get isLive(): boolean {
    return this.#live;
  }

  /** A line that stays. */
  say(text: string): void {
    if (this.#io.quiet) return;
    this.clear();
    this.#io.err(`${text}\n`);
  }

  /** A line that the next one replaces; nothing where lines stay. */
  show(text: string): void {
    if (this.#io.quiet || !this.#live) return;
    this.#io.err(`${CLEAR_LINE}${text.slice(0, this.#io.columns - 1)}`);
    this.#shown = true;
  }

  /** Takes the line back that would have been replaced; before something else is printed. */
  clear(): void {
    if (!this.#shown) return;
    this.#io.err(CLEAR_LINE);
    this.#shown = false;
  }

  observe(event: RunEvent): void {
    const { errColors } = this.#io;
    switch (event.kind) {
      case 'phase':
        return this.#onPhase(event);
      case 'sync-started':
        this.#bytesBefore.set(event.link, { bytes: 0, ms: event.ms });
        return;
      case 'progress':
        if (LINK_PHASES.has(event.phase)) this.show(this.#describeProgress(event));
        return;
      case 'link-state':
        if (this.#states || event.to === 'Retrying' || event.from === 'Retrying')
          this.say(`  link ${event.link}: ${event.from} → ${event.to} (${event.cause})`);
        return;
      case 'fault':
        return this.say(
          `  fault ${event.step}: ${event.stage}${event.reason === undefined ? '' : ` (${event.reason})`}`,
        );
      case 'finding':
        return this.#onFinding(event);
      case 'error':
        this.say(
          `  ${errColors.red('error:')} ${event.where === undefined ? '' : `${event.where}: `}${event.message}`,
        );
        if (event.hint !== undefined) this.say(`  ${errColors.dim('hint:')} ${event.hint}`);
        return;
      default:
        return;
    }
  }

  /** What repeats is told once; the report has how often. */
  #onFinding({ code, message, link }: RunEvent & { kind: 'finding' }): void {
    const name = `${link ?? ''} ${code} ${message}`;
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.say(`  ${this.#io.errColors.yellow(code)} ${message}`);
  }

  #onPhase(event: RunEvent & { kind: 'phase' }): void {
    const { errColors } = this.#io;
    if (event.status === 'started') {
      this.#phaseStartedMs = event.ms;
      return this.show(`  ${event.phase} …`);
    }
    const mark = event.status === 'finished' ? errColors.green('✓') : errColors.red('✗');
    const detail =
      event.status !== 'finished' || event.detail === undefined ? '' : errColors.dim(` ${event.detail}`);
    this.say(
      `${mark} ${event.phase.padEnd(11)} ${formatDuration(event.ms - this.#phaseStartedMs).padStart(8)}${detail}`,
    );
  }

  #describeProgress(event: RunEvent & { kind: 'progress' }): string {
    const before = this.#bytesBefore.get(event.link);
    this.#bytesBefore.set(event.link, { bytes: event.bytes, ms: event.ms });
    const rate =
      before && event.ms > before.ms
        ? Math.max(0, event.bytes - before.bytes) / ((event.ms - before.ms) / 1000)
        : 0;
    const of = event.expectedKeys ? ` of ${formatCount(event.expectedKeys)}` : '';
    const lag = event.lagMs === null ? '' : `, ${formatDuration(event.lagMs)}`;
    return event.phase === 'full-sync'
      ? `  full-sync ${event.link}: ${formatCount(event.keys)}${of} keys, ${formatBytes(rate)}/s`
      : `  ${event.phase} ${event.link}: lag ${formatBytes(event.lagBytes)}${lag}`;
  }
}
