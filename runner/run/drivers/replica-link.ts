/**
 * One link by Redis's own replication: the target is told REPLICAOF, INFO of both sides says how far it is, and REPLICAOF NO
 * ONE promotes it when it has caught up.
 *
 *   NotStarted ─REPLICAOF─▶ Initializing ─link up─▶ Synchronizing ⇄ Retrying (link down, a side away)
 *                                                        └─drained─▶ Finished (promoted)
 */
import { readCredentials } from '../../../engine/connect/credentials.ts';
import type { Routes } from '../../../engine/connect/routes.ts';
import { describeEndpoint, type Endpoint } from '../../../engine/connect/endpoint.ts';
import { asError, SyncError } from '../../../engine/errors.ts';
import { delay } from '../../../engine/psync/backoff.ts';
import type { LinkPlan } from '../../plan/plan.ts';
import type { DriverOptions } from './driver.ts';
import { LinkReporter } from './link-reporter.ts';
import { OffsetLag } from './offset-lag.ts';
import type { ReportedLink } from './reported-links.ts';
import { ResyncCounter } from './resync-counter.ts';
import { ServerView, totalKeys } from './server-view.ts';

const POLL_MS = 50;
/** A drain that does not move for so long is given up. */
const DRAIN_STALL_MS = 60_000;
const UNMEASURED = ['commands', 'transactions', 'retries', 'dropped', 'errors', 'copyBytes', 'cost'] as const;

interface Positions {
  sourceOffset: bigint;
  appliedOffset: bigint;
  isUp: boolean;
}

export class ReplicaLink implements ReportedLink {
  readonly reporter: LinkReporter;
  readonly #source: ServerView;
  readonly #target: ServerView;
  readonly #routes: () => Routes;
  readonly #resyncs: ResyncCounter;
  readonly #lag = new OffsetLag(() => performance.now());
  readonly #ending = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  /** The target's own login to a primary, to be put back. */
  #logins = new Map<string, string>();
  #isReplica = false;
  #beganAtOffset: bigint | undefined;

  /** @param isOnlyReader the source's own counters of resyncs speak of this link alone. */
  constructor(plan: LinkPlan, options: DriverOptions, { isOnlyReader }: { isOnlyReader: boolean }) {
    const unmeasured = isOnlyReader ? UNMEASURED : [...UNMEASURED, 'resyncs' as const];
    this.reporter = new LinkReporter(plan, options, unmeasured);
    this.#source = new ServerView(() => options.whereaboutsOf(plan.source));
    this.#routes = () => options.routesOf(plan.source);
    this.#target = new ServerView(() => options.whereaboutsOf(plan.target));
    this.#resyncs = new ResyncCounter(this.reporter, { isOnlyReader });
  }

  /** @throws SyncError CONNECT, AUTH, PERMISSION: a side is away, or does not allow INFO, CONFIG or REPLICAOF. */
  async start(): Promise<void> {
    const info = await this.#source.info('replication', 'stats');
    this.#resyncs.begin(info);
    await this.#attach('REPLICAOF');
    this.#watching = this.#watch();
  }

  async drain(signal: AbortSignal): Promise<boolean> {
    const began = performance.now();
    const wanted = await this.#sourceOffset(signal);
    let last = this.reporter.monitor.appliedOffset;
    let movedAt = began;
    while (!this.#hasApplied(wanted) && !signal.aborted && !this.reporter.monitor.isOver) {
      const now = this.reporter.monitor.appliedOffset;
      if (now !== last) movedAt = performance.now();
      last = now;
      if (performance.now() - movedAt > DRAIN_STALL_MS) break;
      await delay(POLL_MS, signal);
    }
    const applied = this.reporter.monitor.appliedOffset;
    this.reporter.drained(wanted, applied < wanted ? applied : wanted, performance.now() - began);
    if (applied < wanted) return false;
    await this.stop();
    return true;
  }

  /** Promotes it: a target that stays a replica would be emptied with its source. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#watching;
    try {
      if (this.#isReplica) await this.#promote();
    } catch (error) {
      const failure = new SyncError('CONNECT', `It could not be promoted: ${asError(error).message}`, {
        where: this.reporter.plan.target,
        hint: 'If it is still there: REPLICAOF NO ONE, and its own masterauth.',
      });
      if (!this.reporter.monitor.isOver) this.reporter.fail(failure);
    }
    await this.#source[Symbol.asyncDispose]();
    await this.#target[Symbol.asyncDispose]();
  }

  async #promote(): Promise<void> {
    await this.#target.call('REPLICAOF', 'NO', 'ONE');
    for (const [name, value] of this.#logins) await this.#target.call('CONFIG', 'SET', name, value);
    this.#isReplica = false;
    if (!this.reporter.monitor.isOver) this.reporter.enter('Finished', 'promoted: REPLICAOF NO ONE');
  }

  async #attach(cause: string): Promise<void> {
    const source = await this.#source.locate();
    const { host, port } = this.#wayTo(source);
    const { username = '', password } = readCredentials(source);
    if (password !== undefined) {
      await this.#logIn('masterauth', password);
      if (username !== '') await this.#logIn('masteruser', username);
    }
    await this.#target.call('REPLICAOF', host, String(port));
    this.#isReplica = true;
    const isFirst = this.reporter.state === 'NotStarted';
    this.reporter.enter(isFirst ? 'Initializing' : 'Retrying', `${cause} ${describeEndpoint(source)}`);
  }

  /** A disturbed link leads through the fault proxy: the target dials, so it is told. */
  #wayTo(source: Endpoint): { host: string; port: number } {
    return this.#routes()[describeEndpoint(source)] ?? source;
  }

  async #logIn(name: string, value: string): Promise<void> {
    if (!this.#logins.has(name)) this.#logins.set(name, (await this.#target.setting(name)) ?? '');
    await this.#target.call('CONFIG', 'SET', name, value);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const positions = await this.#look();
        if (positions.isUp) this.#onUp(positions);
        else this.#onDown('the replication link is down');
      } catch (error) {
        this.#onDown(asError(error).message);
      }
      await delay(POLL_MS, signal);
    }
  }

  /** The source first: what the target has afterwards is no less than what it had then. */
  async #look(): Promise<Positions> {
    const source = await this.#source.info('replication', 'stats');
    const target = await this.#target.info('replication', 'keyspace');
    const sourceOffset = BigInt(source['master_repl_offset'] ?? -1);
    if (target['role'] === 'master') await this.#attach('told again after a restart: REPLICAOF');
    else await this.#follow(target);
    const isUp = target['master_link_status'] === 'up' && target['master_sync_in_progress'] === '0';
    const appliedOffset = isUp
      ? BigInt(target['slave_repl_offset'] ?? -1)
      : this.reporter.monitor.appliedOffset;
    this.#resyncs.observe(source, { isUp, keys: totalKeys(target) });
    this.#lag.wrote(sourceOffset);
    const lagMs = this.#lag.applied(appliedOffset);
    if (isUp) this.#beganAtOffset ??= appliedOffset;
    this.reporter.observe({
      replid: source['master_replid'] ?? '',
      sourceOffset,
      appliedOffset,
      lagMs: this.#lag.nowMs,
      lagSamples: isUp ? lagMs : [],
      copiedKeys: totalKeys(target),
      copied: this.#beganAtOffset !== undefined,
      streamBytes: Math.max(0, Number(appliedOffset - (this.#beganAtOffset ?? appliedOffset))),
      ...this.#resyncs.counts,
    });
    return { sourceOffset, appliedOffset, isUp };
  }

  /** The source may have moved: then it is told where. */
  async #follow(target: Readonly<Record<string, string>>): Promise<void> {
    if (target['master_link_status'] === 'up') return;
    const { host, port } = this.#wayTo(await this.#source.locate());
    if (target['master_host'] === host && target['master_port'] === String(port)) return;
    await this.#attach('the source has moved: REPLICAOF');
  }

  #onUp({ appliedOffset }: Positions): void {
    const { state } = this.reporter;
    if (state === 'Initializing' || state === 'Retrying')
      this.reporter.enter('Synchronizing', `master_link_status:up at ${appliedOffset}`);
  }

  #onDown(cause: string): void {
    if (this.reporter.state === 'Synchronizing') this.reporter.enter('Retrying', cause);
  }

  #hasApplied(wanted: bigint): boolean {
    return this.reporter.monitor.isSynchronizing && this.reporter.monitor.appliedOffset >= wanted;
  }

  /** Asked until it answers: a source that was just healed may still be on its way up. */
  async #sourceOffset(signal: AbortSignal): Promise<bigint> {
    const began = performance.now();
    for (;;) {
      try {
        return BigInt((await this.#source.info('replication'))['master_repl_offset'] ?? -1);
      } catch (error) {
        if (signal.aborted || performance.now() - began > DRAIN_STALL_MS) throw error;
        await delay(POLL_MS, signal);
      }
    }
  }
}
