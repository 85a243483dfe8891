/**
 * What torture and soak have in common: servers, traffic, a first full sync in peace; then whatever is to be done to the
 * link, under an assault on its connections; then everything heals and is judged.
 *
 *   first full sync ─▶ act ∥ assault ∥ watch ─▶ heal, drain to the source's last byte ─▶ stop in order, continue once ─▶ judge
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asError } from '../../engine/errors.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../../engine/link/options.ts';
import { Random } from '../../scenarios/data/random.ts';
import type { Workload } from '../../scenarios/workload/open-loop.ts';
import { until } from '../bench/stopwatch.ts';
import { Assault } from './assault.ts';
import { CheckpointWatch } from './checkpoint-watch.ts';
import { LINK } from './engine-life.ts';
import { Field, type FieldOptions } from './field.ts';
import { History } from './history.ts';
import { IDLE_TIMEOUT_MS, Lives, type LivesCounters } from './lives.ts';
import { startLargeWrites } from './large-values.ts';
import { startPairs } from './pairs.ts';
import type { Phase } from './schedule.ts';
import { judge, type Damage } from './verdict.ts';

export interface SessionOptions extends FieldOptions {
  /** Between one nuisance and the next, at most. */
  nuisanceEveryMs: number;
  /** What the engine is told; what is left out each life draws for itself. */
  engine?: Partial<EngineOptions>;
  /** Ends it early; what was done is judged all the same. */
  signal?: AbortSignal;
  onProgress?: (line: string) => void;
}

export interface SessionResult extends LivesCounters {
  seed: number;
  cutsAtSource: number;
  cutsAtTarget: number;
  /** Of those at the target: their bytes were delivered when their sender was gone. */
  lateDeliveries: number;
  clientKills: number;
  targetStops: number;
  forcedFullSyncs: number;
  commands: number;
  transactions: number;
  /** Looks at the checkpoint while it ran. */
  looks: number;
  /** Undefined when it could not be told: then there is a problem. */
  damage: Damage | undefined;
  problems: readonly string[];
  problemCount: number;
  verdict: 'pass' | 'fail';
  durationMs: number;
  /** History, logs, spool. Kept only when the verdict is fail. */
  evidenceFolder: string;
}

const PHASE_LIMIT_MS = 60_000;
const DRAIN_LIMIT_MS = 120_000;

/** What one kind of session does. What it throws is a problem of the result. */
export interface SessionPlan {
  /** While the assault goes on. When it resolves everything heals. */
  act: (session: Session) => Promise<void>;
  /** Healed, traffic ended, everything applied; the engine still runs. */
  drained?: (session: Session) => Promise<void>;
}

/** @returns what was found; a failure is a result. @throws when it could not be set up. */
export async function runSession(options: SessionOptions, plan: SessionPlan): Promise<SessionResult> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sync-torture-'));
  await using field = await Field.open(options);
  const session = new Session(options, field, folder);
  const result = await session.run(plan);
  if (result.verdict === 'pass') await rm(folder, { recursive: true });
  else {
    await writeFile(join(folder, 'result.json'), JSON.stringify(result, null, 2));
    await writeFile(join(folder, 'source.log'), field.source.log());
    await writeFile(join(folder, 'target.log'), field.target.log());
  }
  return result;
}

export class Session {
  readonly field: Field;
  readonly history: History;
  readonly lives: Lives;
  readonly folder: string;
  /** Duration of a full sync that nobody disturbs. */
  snapshotMs = 0;
  readonly #options: SessionOptions;
  readonly #began = performance.now();
  #watch: CheckpointWatch | undefined;
  #assault: Assault | undefined;
  #forced = 0;

  constructor(options: SessionOptions, field: Field, folder: string) {
    this.#options = options;
    this.field = field;
    this.folder = folder;
    this.history = new History(join(folder, 'history.ndjson'));
    const { signal: _signal, onProgress: _onProgress, ...shown } = options;
    this.history.note('begin', shown);
    this.lives = new Lives({
      field,
      history: this.history,
      random: new Random(options.seed, 'lives'),
      folder,
      ...(options.engine ? { engine: options.engine } : {}),
      onFullSync: (replid) => this.#watch?.onFullSync(replid),
    });
  }

  get cuts(): number {
    return this.#assault?.cuts ?? 0;
  }

  get elapsedMs(): number {
    return performance.now() - this.#began;
  }

  /** Nobody wants more, or there is no point in going on. */
  get over(): boolean {
    return this.#options.signal?.aborted === true || this.history.problemCount > 20;
  }

  say(line: string): void {
    this.#options.onProgress?.(line);
  }

  async run(plan: SessionPlan): Promise<SessionResult> {
    const watch = await CheckpointWatch.start(this.field.target.endpoint, LINK, this.history);
    this.#watch = watch;
    const workload = await this.field.startWorkload();
    const pairs = await startPairs(this.field.source.endpoint);
    const large = await startLargeWrites(this.field.source.endpoint, this.#options.seed);
    await this.#firstSync(watch);
    const assault = new Assault(this.field, this.history, {
      random: new Random(this.#options.seed, 'assault'),
      pauseMsMax: this.#options.nuisanceEveryMs,
      longStopMs: IDLE_TIMEOUT_MS + 500,
    });
    this.#assault = assault;
    await this.#attempt('the torture', () => plan.act(this));
    await assault.stop();
    const transactions = await this.#attempt('the pairs', () => pairs.stop());
    await this.#attempt('the large values', () => large.stop());
    const damage = await this.#attempt('the end', () => this.#end(workload, plan));
    await watch.stop();
    await this.#attempt('the last stop', () => this.lives.stop());
    const { sent } = await workload.stop();
    return this.#result(assault, {
      looks: watch.looks,
      commands: sent,
      transactions: transactions ?? 0,
      damage,
    });
  }

  /** The source leaves its history: the next PSYNC cannot be continued. Resolves when it has happened. */
  async forceFullSync(): Promise<void> {
    await this.reach('stream');
    const watch = this.#watch;
    if (watch) watch.sourceReplid = '';
    const replid = await this.field.changeHistory();
    this.#forced++;
    this.history.note('history changed', { replid });
    if (watch) watch.sourceReplid = replid;
  }

  /** Waits for one of these phases; a link that failed is started again (its failure is a problem already). */
  async reach(...phases: Phase[]): Promise<void> {
    await until(
      `phase ${phases.join(' or ')}`,
      async () => {
        if (this.lives.life.failed) {
          await this.lives.stop();
          await this.lives.begin();
        }
        return phases.includes(this.lives.life.phase);
      },
      PHASE_LIMIT_MS,
    );
  }

  /** Everything the source has written by now is on the target. */
  async drain(): Promise<void> {
    const { offset } = await this.field.sourcePosition();
    this.history.note('draining', { offset });
    await until(
      `applying up to the source's offset ${offset}`,
      async () => BigInt((await this.lives.life.status())?.appliedOffset ?? '-1') >= offset,
      DRAIN_LIMIT_MS,
    );
  }

  async #firstSync(watch: CheckpointWatch): Promise<void> {
    await this.lives.begin();
    await this.reach('stream');
    watch.sourceReplid = (await this.field.sourcePosition()).replid;
    const status = await this.lives.life.status();
    this.snapshotMs = status?.snapshot.durationMs ?? 500;
    this.say(`first full sync: ${status?.snapshot.keys} keys in ${Math.round(this.snapshotMs)} ms`);
  }

  /** What goes wrong here is part of the result: what follows is done all the same. */
  async #attempt<T>(what: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.history.problem(`${what}: ${asError(error).message}`);
      return undefined;
    }
  }

  async #end(workload: Workload, plan: SessionPlan): Promise<Damage> {
    await workload.stop();
    await this.lives.settle();
    await this.reach('stream');
    await this.drain();
    await plan.drained?.(this);
    await this.lives.stop();
    await this.#continueOnce();
    await this.#watch?.stop();
    return judge(this.field, this.history, DEFAULT_ENGINE_OPTIONS.heartbeatPrefix);
  }

  /** After a stop in order the next start continues. */
  async #continueOnce(): Promise<void> {
    const before = this.lives.counters.fullResyncs;
    await this.lives.begin();
    await this.reach('stream');
    if (this.lives.counters.fullResyncs > before) this.history.problem('a full sync after a stop in order');
    await this.drain();
  }

  #result(
    assault: Assault,
    rest: Pick<SessionResult, 'looks' | 'commands' | 'transactions' | 'damage'>,
  ): SessionResult {
    const { toSource, toTarget } = this.field;
    return {
      seed: this.#options.seed,
      ...this.lives.counters,
      cutsAtSource: toSource.counters.drops,
      cutsAtTarget: toTarget.counters.drops + toTarget.counters.late,
      lateDeliveries: toTarget.counters.late,
      clientKills: assault.counters.clientKills,
      targetStops: assault.counters.stops,
      forcedFullSyncs: this.#forced,
      ...rest,
      problems: this.history.problems,
      problemCount: this.history.problemCount,
      verdict: this.history.problemCount === 0 ? 'pass' : 'fail',
      durationMs: this.elapsedMs,
      evidenceFolder: this.folder,
    };
  }
}
