/** The engine's lives, one after the other on the same link: started, killed at an instant, started again; and what they said. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asError } from '../../engine/errors.ts';
import type { FromReplicator } from '../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../../engine/link/options.ts';
import type { Random } from '../../scenarios/data/random.ts';
import { until } from '../bench/stopwatch.ts';
import { EngineLife } from './engine-life.ts';
import type { Field } from './field.ts';
import type { History } from './history.ts';
import { PHASES, type Phase } from './schedule.ts';

/** Shorter than the longest stop of the target: replies then come too late. */
export const IDLE_TIMEOUT_MS = 3000;
const STOP_MS_MAX = 19_000;
const LATE_LIMIT_MS = 30_000;

export interface LivesCounters {
  lives: number;
  kills: Record<Phase, number>;
  /** Told to stop; the two at the end count as well. */
  stops: number;
  /** Frozen, replaced, thawed. */
  overtaken: number;
  /** Sessions begun with the source. */
  partialResyncs: number;
  fullResyncs: number;
  /** Full syncs that reached their end. */
  fullSyncsFinished: number;
  retries: number;
}

export interface LivesOptions {
  field: Field;
  history: History;
  random: Random;
  folder: string;
  /** What every life is told; else each draws limits of its own. */
  engine?: Partial<EngineOptions>;
  /** A full sync of this history begins. */
  onFullSync: (replid: string) => void;
}

export class Lives {
  readonly counters: LivesCounters = {
    lives: 0,
    kills: { starting: 0, 'full sync': 0, stream: 0 },
    stops: 0,
    overtaken: 0,
    partialResyncs: 0,
    fullResyncs: 0,
    fullSyncsFinished: 0,
    retries: 0,
  };
  readonly #options: LivesOptions;
  readonly #late = new Set<Promise<void>>();
  #life: EngineLife | undefined;
  /** A life that is still frozen must not lose its files to its successor. */
  #spools = 0;

  constructor(options: LivesOptions) {
    this.#options = options;
  }

  /** Where the one that lives now keeps its files. */
  get spoolFolder(): string {
    return join(this.#options.folder, `spool-${this.#spools}`);
  }

  /** The one that lives now. */
  get life(): EngineLife {
    if (this.#life === undefined) throw new Error('no engine is running');
    return this.#life;
  }

  /** Starts the next one, with limits of its own. */
  async begin(): Promise<void> {
    const { field, history, folder } = this.#options;
    const number = ++this.counters.lives;
    const engine = this.#drawOptions();
    const { envelopeCommands, logMemoryBytes } = engine;
    const isLate = (): boolean => this.counters.lives > number;
    this.#life = await EngineLife.start({
      source: field.endpointOf('source'),
      target: field.endpointOf('target'),
      engine,
      logFile: join(folder, 'replicator.log'),
      spoolFolder: this.spoolFolder,
      onMessage: (message) => this.#onMessage(message, isLate()),
      onDied: (why) => {
        if (!isLate()) history.problem(`the engine ended: ${why}`);
      },
    });
    history.note('engine started', { life: number, pid: this.#life.pid, envelopeCommands, logMemoryBytes });
  }

  async kill(): Promise<void> {
    const { life } = this;
    const { phase } = life;
    this.#options.history.note('kill', { phase });
    await life.kill();
    this.counters.kills[phase]++;
  }

  /** In order: it must end in time and leave no file. */
  async stop(): Promise<void> {
    const { history } = this.#options;
    const began = performance.now();
    this.counters.stops++;
    await this.life.stop();
    const tookMs = Math.round(performance.now() - began);
    history.note('engine stopped', { tookMs });
    if (tookMs > STOP_MS_MAX) history.problem(`the engine did not stop in order in ${STOP_MS_MAX / 1000} s`);
    const left = await readdir(this.spoolFolder).catch(() => []);
    if (left.length > 0) history.problem(`the engine left files behind: ${left.join(', ')}`);
  }

  /**
   * Freezes the one that lives, starts another on the same link, and thaws the first when the other has been at work for a
   * while. It must notice that it was replaced, and end.
   */
  async overtake(thawAfterMs: number): Promise<void> {
    const { history } = this.#options;
    const { life } = this;
    history.note('overtake', { pid: life.pid, phase: life.phase, thawAfterMs });
    life.freeze();
    this.counters.overtaken++;
    this.#spools++;
    await this.begin();
    const late: Promise<void> = this.#thaw(life, thawAfterMs).finally(() => this.#late.delete(late));
    this.#late.add(late);
  }

  /** Resolves when every overtaken life has ended. */
  async settle(): Promise<void> {
    await Promise.all(this.#late);
  }

  get killed(): number {
    return PHASES.reduce((sum, phase) => sum + this.counters.kills[phase], 0);
  }

  async #thaw(life: EngineLife, afterMs: number): Promise<void> {
    const { history } = this.#options;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    history.note('thaw', { pid: life.pid });
    life.thaw();
    try {
      await until('the end of an overtaken engine', () => life.failed, LATE_LIMIT_MS);
    } catch (error) {
      history.problem(asError(error).message);
    }
    await life.kill();
  }

  #drawOptions(): EngineOptions {
    const { random, engine } = this.#options;
    return {
      ...DEFAULT_ENGINE_OPTIONS,
      heartbeatMs: 200,
      // Its connection would take the blows that are meant for the lane's.
      watchMs: 0,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      envelopeCommands: random.pick([16, 200, DEFAULT_ENGINE_OPTIONS.envelopeCommands]),
      // Small enough to spill while the target stands still.
      logMemoryBytes: random.pick([64 * 1024, 1024 * 1024, DEFAULT_ENGINE_OPTIONS.logMemoryBytes]),
      ...engine,
    };
  }

  #onMessage(message: FromReplicator, isLate: boolean): void {
    const { history, onFullSync } = this.#options;
    history.note(`${isLate ? 'overtaken ' : ''}engine: ${message.kind}`, { ...message });
    if (isLate) return;
    switch (message.kind) {
      case 'sync-started':
        if (message.mode === 'partial') this.counters.partialResyncs++;
        else {
          this.counters.fullResyncs++;
          onFullSync(message.replid);
        }
        return;
      case 'sync-finished':
        if (message.mode === 'full') this.counters.fullSyncsFinished++;
        return;
      case 'link-state':
        if (message.to === 'Retrying') this.counters.retries++;
        return;
      case 'link-failed':
        return history.problem(`the link failed: ${message.error.code} ${message.error.message}`);
      case 'finding':
        if (message.severity === 'error') history.problem(`finding ${message.code}: ${message.message}`);
        return;
      default:
        return;
    }
  }
}
