/**
 * What torture and soak have in common: servers, traffic, a first full sync in peace; then whatever is to be done to the
 * link, under an assault on its connections; then everything heals and is judged.
 *
 *   first full sync ─▶ act ∥ assault ∥ watch (audits) ─▶ heal, drain to the source's last byte ─▶ stop in order, continue ─▶ judge
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asError } from '../../engine/errors.ts';
import type { EngineOptions } from '../../engine/link/options.ts';
import { Random } from '../../scenarios/data/random.ts';
import { until } from '../bench/stopwatch.ts';
import { Assault, type AssaultCounters } from './assault.ts';
import { CheckpointWatch } from './checkpoint-watch.ts';
import { LINK } from './engine-life.ts';
import { Field, type FieldOptions } from './field.ts';
import { History } from './history.ts';
import { IDLE_TIMEOUT_MS, Lives, type LivesCounters } from './lives.ts';
import type { Phase } from './schedule.ts';
import { Traffic } from './traffic.ts';
import { addDamage, judge, NO_DAMAGE, type Damage } from './verdict.ts';

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
  /** Times both sides were compared, and what was found in all of them. */
  audits: number;
  damage: Damage;
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
  readonly #traffic: Traffic;
  readonly #random: Random;
  readonly #nuisances: AssaultCounters = { clientKills: 0, stops: 0 };
  #damage = NO_DAMAGE;
  #audits = 0;
  #forced = 0;

  constructor(options: SessionOptions, field: Field, folder: string) {
    this.#options = options;
    this.field = field;
    this.folder = folder;
    this.history = new History(join(folder, 'history.ndjson'));
    const { signal: _signal, onProgress: _onProgress, ...shown } = options;
    this.history.note('begin', shown);
    this.#random = new Random(options.seed, 'assault');
    this.#traffic = new Traffic(field, { seed: options.seed, renewals: options.expiring === true });
    this.lives = new Lives({
      field,
      history: this.history,
      random: new Random(options.seed, 'lives'),
      folder,
      ...(options.engine ? { engine: options.engine } : {}),
      onFullSync: (replid) => this.#watch?.onFullSync(replid),
    });
  }

  /** Connections cut so far, on both sides. */
  get cuts(): number {
    const { toSource, toTarget } = this.field;
    return toSource.counters.drops + toTarget.counters.drops + toTarget.counters.late;
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
    await this.#traffic.start();
    await this.#firstSync(watch);
    this.#startAssault();
    await this.#attempt('the torture', () => plan.act(this));
    await this.#attempt('the end', () => this.#end(plan));
    await watch.stop();
    await this.#attempt('the last stop', () => this.lives.stop());
    return this.#result(watch.looks);
  }

  /**
   * Heals everything, lets everything be applied, and compares both sides; then traffic and assault go on. Only before a full
   * sync, which would put right what the stream did wrong: until then the link takes the source for quiet.
   */
  async audit(): Promise<void> {
    await this.#calm();
    await this.#judge();
    await this.#traffic.start();
    this.#startAssault();
  }

  /** After an audit the source leaves its history: the next PSYNC cannot be continued. Resolves when it has happened. */
  async forceFullSync(): Promise<void> {
    await this.audit();
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

  /** Everything the source has written by now is on the target, and nobody writes: deadlines are the source's own. */
  async drain(): Promise<void> {
    const { offset } = await this.field.sourcePosition();
    this.history.note('draining', { offset });
    await until(
      `applying up to the source's offset ${offset}`,
      async () => {
        const { life } = this.lives;
        const status = await life.status();
        if (BigInt(status?.appliedOffset ?? '-1') < offset) return false;
        life.settle();
        return status?.deferred === 0;
      },
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

  #startAssault(): void {
    const { nuisanceEveryMs } = this.#options;
    this.#assault = new Assault(this.field, this.history, {
      random: this.#random,
      counters: this.#nuisances,
      pauseMsMax: nuisanceEveryMs,
      longStopMs: IDLE_TIMEOUT_MS + 500,
    });
  }

  /** No assault, no writer, and everything that was written is on the target. */
  async #calm(): Promise<void> {
    await this.#assault?.stop();
    this.#assault = undefined;
    await this.#traffic.stop();
    await this.lives.settle();
    await this.reach('stream');
    await this.drain();
  }

  async #judge(): Promise<void> {
    this.history.note('audit');
    this.#audits++;
    this.#damage = addDamage(this.#damage, await judge(this.field, this.history));
  }

  async #end(plan: SessionPlan): Promise<void> {
    await this.#calm();
    await plan.drained?.(this);
    await this.lives.stop();
    await this.#continueOnce();
    await this.#watch?.stop();
    await this.#judge();
  }

  /** After a stop in order the next start continues. */
  async #continueOnce(): Promise<void> {
    const before = this.lives.counters.fullResyncs;
    await this.lives.begin();
    await this.reach('stream');
    if (this.lives.counters.fullResyncs > before) this.history.problem('a full sync after a stop in order');
    await this.drain();
  }

  #result(looks: number): SessionResult {
    const { toSource, toTarget } = this.field;
    return {
      seed: this.#options.seed,
      ...this.lives.counters,
      cutsAtSource: toSource.counters.drops,
      cutsAtTarget: toTarget.counters.drops + toTarget.counters.late,
      lateDeliveries: toTarget.counters.late,
      clientKills: this.#nuisances.clientKills,
      targetStops: this.#nuisances.stops,
      forcedFullSyncs: this.#forced,
      ...this.#traffic.counters,
      looks,
      audits: this.#audits,
      damage: this.#damage,
      problems: this.history.problems,
      problemCount: this.history.problemCount,
      verdict: this.history.problemCount === 0 ? 'pass' : 'fail',
      durationMs: this.elapsedMs,
      evidenceFolder: this.folder,
    };
  }
}
