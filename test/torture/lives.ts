/** The engine's lives, one after the other on the same link: started, killed at an instant, started again; and what they said. */
import { join } from 'node:path';
import type { FromReplicator } from '../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../../engine/link/options.ts';
import type { Random } from '../../scenarios/data/random.ts';
import { EngineLife } from './engine-life.ts';
import type { Field } from './field.ts';
import type { History } from './history.ts';
import { PHASES, type Phase } from './schedule.ts';

/** Shorter than the longest stop of the target: replies then come too late. */
export const IDLE_TIMEOUT_MS = 3000;

export interface LivesCounters {
  lives: number;
  kills: Record<Phase, number>;
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
    partialResyncs: 0,
    fullResyncs: 0,
    fullSyncsFinished: 0,
    retries: 0,
  };
  readonly spoolFolder: string;
  readonly #options: LivesOptions;
  #life: EngineLife | undefined;

  constructor(options: LivesOptions) {
    this.#options = options;
    this.spoolFolder = join(options.folder, 'spool');
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
    this.#life = await EngineLife.start({
      source: field.endpointOf('source'),
      target: field.endpointOf('target'),
      engine,
      logFile: join(folder, 'replicator.log'),
      spoolFolder: this.spoolFolder,
      onMessage: (message) => this.#onMessage(message),
      onDied: (why) => history.problem(`the engine ended: ${why}`),
    });
    history.note('engine started', { life: number, pid: this.#life.pid, envelopeCommands, logMemoryBytes });
  }

  async kill(): Promise<Phase> {
    const { life } = this;
    const { phase } = life;
    this.#options.history.note('kill', { phase });
    await life.kill();
    this.counters.kills[phase]++;
    return phase;
  }

  async stop(): Promise<void> {
    await this.life.stop();
    this.#options.history.note('engine stopped');
  }

  get killed(): number {
    return PHASES.reduce((sum, phase) => sum + this.counters.kills[phase], 0);
  }

  #drawOptions(): EngineOptions {
    const { random, engine } = this.#options;
    return {
      ...DEFAULT_ENGINE_OPTIONS,
      heartbeatMs: 200,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      envelopeCommands: random.pick([16, 200, DEFAULT_ENGINE_OPTIONS.envelopeCommands]),
      // Small enough to spill while the target stands still.
      logMemoryBytes: random.pick([64 * 1024, 1024 * 1024, DEFAULT_ENGINE_OPTIONS.logMemoryBytes]),
      ...engine,
    };
  }

  #onMessage(message: FromReplicator): void {
    const { history, onFullSync } = this.#options;
    history.note(`engine: ${message.kind}`, { ...message });
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
