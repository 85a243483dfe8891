/**
 * Kills the engine at random instants of full sync and stream while its connections are cut, its clients killed, its target
 * stopped, under traffic that shows every command applied twice or not at all; then heals everything and compares.
 *
 *   first full sync (undisturbed) ─▶ kills ∥ assault ─▶ heal, drain to the source's last byte ─▶ stop in order, continue once
 *   more ─▶ compare all data, read the ledger
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ENGINE_OPTIONS } from '../../engine/link/options.ts';
import { asError } from '../../engine/errors.ts';
import { Random } from '../../scenarios/data/random.ts';
import type { Workload } from '../../scenarios/workload/open-loop.ts';
import { until } from '../bench/stopwatch.ts';
import { Assault } from './assault.ts';
import { CheckpointWatch } from './checkpoint-watch.ts';
import { LINK } from './engine-life.ts';
import { Field } from './field.ts';
import { History } from './history.ts';
import { IDLE_TIMEOUT_MS, Lives, type LivesCounters } from './lives.ts';
import { PairWriter } from './pairs.ts';
import { planKills, type PlannedKill } from './schedule.ts';
import { judge, type Damage } from './verdict.ts';

export interface TortureOptions {
  seed: number;
  /** At least so many kills, and so many cut connections. */
  kills: number;
  cuts: number;
  /** Go on for at least so long. */
  minutes: number;
  keys: number;
  commandsPerSecond: number;
  keySaveDelayUs: number;
  /** Ends the torture early; what was done is judged all the same. */
  signal?: AbortSignal;
  onProgress?: (line: string) => void;
}

export const DEFAULT_TORTURE: Omit<TortureOptions, 'seed' | 'kills' | 'cuts'> = {
  minutes: 0,
  keys: 6000,
  commandsPerSecond: 3000,
  keySaveDelayUs: 20,
};

export interface TortureResult extends LivesCounters {
  seed: number;
  cutsAtSource: number;
  cutsAtTarget: number;
  /** Of those at the target: bytes delivered when their sender was gone. */
  lateDeliveries: number;
  clientKills: number;
  targetStops: number;
  forcedFullSyncs: number;
  commands: number;
  transactions: number;
  looks: number;
  damage: Damage | undefined;
  problems: readonly string[];
  problemCount: number;
  verdict: 'pass' | 'fail';
  durationMs: number;
  /** Kept only when the verdict is fail. */
  evidenceFolder: string;
}

const PHASE_LIMIT_MS = 60_000;
const DRAIN_LIMIT_MS = 120_000;
const LONGEST_WAIT_MS = { starting: 400, 'full sync': 0, stream: 900 };

/** @returns what was found; a failed torture is a result. @throws when it could not be carried out. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sync-torture-'));
  const history = new History(join(folder, 'history.ndjson'));
  history.note('begin', { ...options, signal: undefined, onProgress: undefined });
  await using field = await Field.open(options);
  const run = new Torture(options, field, history, folder);
  const result = await run.run();
  if (result.verdict === 'pass') await rm(folder, { recursive: true });
  else {
    await writeFile(join(folder, 'result.json'), JSON.stringify(result, null, 2));
    await writeFile(join(folder, 'source.log'), field.source.log());
    await writeFile(join(folder, 'target.log'), field.target.log());
  }
  return result;
}

class Torture {
  readonly #options: TortureOptions;
  readonly #field: Field;
  readonly #history: History;
  readonly #folder: string;
  readonly #lives: Lives;
  readonly #began = performance.now();
  #watch: CheckpointWatch | undefined;
  #forced = 0;
  #snapshotMs = 0;

  constructor(options: TortureOptions, field: Field, history: History, folder: string) {
    this.#options = options;
    this.#field = field;
    this.#history = history;
    this.#folder = folder;
    this.#lives = new Lives({
      field,
      history,
      random: new Random(options.seed, 'lives'),
      folder,
      onFullSync: (replid) => this.#watch?.onFullSync(replid),
    });
  }

  async run(): Promise<TortureResult> {
    const { seed } = this.#options;
    const field = this.#field;
    const watch = await CheckpointWatch.start(field.target.endpoint, LINK, this.#history);
    this.#watch = watch;
    const workload = await field.startWorkload();
    const pairs = await PairWriter.start(field.source.endpoint);
    await this.#firstSync(watch);
    const assault = new Assault(field, this.#history, {
      random: new Random(seed, 'assault'),
      pauseMsMax: 500,
      longStopMs: IDLE_TIMEOUT_MS + 500,
    });
    await this.#attempt('the kills', () => this.#kill(assault));
    await assault.stop();
    const transactions = await pairs.stop();
    const damage = await this.#attempt('the end', () => this.#end(workload, watch));
    await watch.stop();
    await this.#attempt('the last stop', () => this.#lives.stop());
    const { sent } = await workload.stop();
    return this.#result({ assault, looks: watch.looks, commands: sent, transactions, damage });
  }

  /** What goes wrong here is part of the result: what follows is done all the same. */
  async #attempt<T>(what: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.#history.problem(`${what}: ${asError(error).message}`);
      return undefined;
    }
  }

  async #firstSync(watch: CheckpointWatch): Promise<void> {
    await this.#lives.begin();
    await this.#reach('stream');
    watch.sourceReplid = (await this.#field.sourcePosition()).replid;
    const status = await this.#lives.life.status();
    this.#snapshotMs = status?.snapshot.durationMs ?? 500;
    this.#say(`first full sync: ${Math.round(this.#snapshotMs)} ms, ${status?.snapshot.keys} keys`);
  }

  async #kill(assault: Assault): Promise<void> {
    const { kills, cuts, minutes, seed, signal } = this.#options;
    const plan = planKills(new Random(seed, 'kills'), 100_000);
    for (const planned of plan) {
      const enough = this.#lives.killed >= kills && assault.cuts >= cuts;
      if (enough && this.#elapsedMs >= minutes * 60_000) return;
      if (signal?.aborted === true || this.#history.problemCount > 20) return;
      await this.#killOnce(planned);
      if (this.#lives.killed % 20 === 0) this.#say(`${this.#lives.killed} kills, ${assault.cuts} cuts`);
    }
  }

  async #killOnce(planned: PlannedKill): Promise<void> {
    const { phase, place, restartAfterMs } = planned;
    if (phase !== 'starting') {
      if (phase === 'stream') await this.#reach('stream');
      else if (planned.forceFullSync || this.#lives.life.phase === 'stream') await this.#forceFullSync();
      if (phase === 'full sync') await this.#reach('full sync');
    }
    await pause(place * (phase === 'full sync' ? this.#snapshotMs : LONGEST_WAIT_MS[phase]));
    await this.#lives.kill();
    await pause(restartAfterMs);
    await this.#lives.begin();
  }

  async #forceFullSync(): Promise<void> {
    await this.#reach('stream');
    const watch = this.#watch;
    if (watch) watch.sourceReplid = '';
    const replid = await this.#field.changeHistory();
    this.#forced++;
    this.#history.note('history changed', { replid });
    if (watch) watch.sourceReplid = replid;
  }

  /** Waits until the engine is in a phase; a link that failed is started again (its failure is a problem already). */
  async #reach(phase: 'stream' | 'full sync'): Promise<void> {
    await until(
      `phase "${phase}"`,
      async () => {
        if (this.#lives.life.failed) {
          await this.#lives.stop();
          await this.#lives.begin();
        }
        return this.#lives.life.phase === phase;
      },
      PHASE_LIMIT_MS,
    );
  }

  async #end(workload: Workload, watch: CheckpointWatch): Promise<Damage> {
    await workload.stop();
    await this.#reach('stream');
    const { offset } = await this.#field.sourcePosition();
    this.#history.note('draining', { offset });
    await this.#drain(offset);
    await this.#lives.stop();
    await this.#checkSpool();
    await this.#continueOnce();
    await watch.stop();
    return judge(this.#field, this.#history, DEFAULT_ENGINE_OPTIONS.heartbeatPrefix);
  }

  async #drain(offset: bigint): Promise<void> {
    await until(
      `applying up to the source's last offset ${offset}`,
      async () => BigInt((await this.#lives.life.status())?.appliedOffset ?? '-1') >= offset,
      DRAIN_LIMIT_MS,
    );
  }

  /** After a stop in order the next start continues, and finds nothing left to do but what the source writes by itself. */
  async #continueOnce(): Promise<void> {
    const before = this.#lives.counters.fullResyncs;
    await this.#lives.begin();
    await this.#reach('stream');
    if (this.#lives.counters.fullResyncs > before) this.#history.problem('a full sync after a stop in order');
    await this.#drain((await this.#field.sourcePosition()).offset);
  }

  async #checkSpool(): Promise<void> {
    const left = await readdir(this.#lives.spoolFolder).catch(() => []);
    if (left.length > 0) this.#history.problem(`the engine left files behind: ${left.join(', ')}`);
  }

  get #elapsedMs(): number {
    return performance.now() - this.#began;
  }

  #say(line: string): void {
    this.#options.onProgress?.(line);
  }

  #result(parts: {
    assault: Assault;
    looks: number;
    commands: number;
    transactions: number;
    damage: Damage | undefined;
  }): TortureResult {
    const { assault, ...rest } = parts;
    const { toSource, toTarget } = this.#field;
    return {
      seed: this.#options.seed,
      ...this.#lives.counters,
      cutsAtSource: toSource.counters.drops,
      cutsAtTarget: toTarget.counters.drops + toTarget.counters.late,
      lateDeliveries: toTarget.counters.late,
      clientKills: assault.counters.clientKills,
      targetStops: assault.counters.stops,
      forcedFullSyncs: this.#forced,
      ...rest,
      problems: this.#history.problems,
      problemCount: this.#history.problemCount,
      verdict: this.#history.problemCount === 0 ? 'pass' : 'fail',
      durationMs: this.#elapsedMs,
      evidenceFolder: this.#folder,
    };
  }
}

function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}
