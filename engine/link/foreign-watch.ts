/**
 * Watches one target, or one shard of a cluster, for writes of others, from the moment it has the snapshot: listens to its stream, compares what was
 * deleted there with what the target counts, and tells what is left.
 */
import type { Connection } from '../connect/connection.ts';
import { openWhere } from '../connect/discover.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import type { GrowingFact, GrowingFindings } from '../apply/growing-findings.ts';
import { printKey } from '../apply/refusals.ts';
import { delay } from '../psync/backoff.ts';
import { ForeignWrites, type ForeignWrite } from './foreign-writes.ts';
import type { EngineOptions, LinkOptions } from './options.ts';
import { TargetTap } from './target-tap.ts';
import type { TargetSample } from './target-sample.ts';
import { findWriters } from './writers.ts';

export interface ForeignWatchOptions {
  policy: 'report' | 'fail';
  /** What it is called in findings. */
  name: string;
  /** Asked before every connection: the target may have moved. */
  target: () => Whereabouts;
  heartbeatPrefix: string;
  idleTimeoutMs: number;
  growing: GrowingFindings;
  /** So many more; `what` names the last one. */
  onForeign: (writes: number, what: string) => void;
  /** The target does not let us listen. */
  onRefused: (error: Error) => void;
}

/** What is to be done about writes of others; undefined: nobody looks. */
export function foreignPolicy(
  engine: Pick<EngineOptions, 'foreignWrites'>,
  { disposable, origins }: Pick<LinkOptions, 'disposable' | 'origins'>,
): 'report' | 'fail' | undefined {
  // The target of a link in a circle is there to be written to.
  if (engine.foreignWrites === 'ignore' || origins !== undefined) return undefined;
  if (engine.foreignWrites !== 'auto') return engine.foreignWrites;
  return disposable === true ? 'report' : undefined;
}

/** How long what the target wrote last is waited for at the end. */
const LAST_WORDS_MS = 1000;

export class ForeignWatch {
  readonly #options: ForeignWatchOptions;
  readonly #writes: ForeignWrites;
  readonly #tap: TargetTap;
  /** The last look at the target, and where that was. */
  #sample: TargetSample | undefined;
  #where: string | undefined;
  /** The same, until the tap has got there. */
  #unsettled: TargetSample | undefined;
  #guessing: Promise<void> | undefined;
  #writers: readonly string[] = [];

  constructor(options: ForeignWatchOptions) {
    this.#options = options;
    const { heartbeatPrefix, target, idleTimeoutMs, onRefused } = options;
    this.#writes = new ForeignWrites({
      heartbeatPrefix,
      onForeign: (write) => this.#onForeign(write),
      onForeignDeletions: (deletions) => this.#tell(`${deletions} deletions`, undefined, deletions),
    });
    this.#tap = new TargetTap({
      target,
      idleTimeoutMs,
      // Until it is known, nobody may be counted on.
      hasReplicas: () => (this.#sample?.replicas.length ?? 1) > 0,
      onBegin: (sample, { links, offset }) => {
        // Of another link, or our own again by the time the target lets us listen.
        for (const link of links) this.#writes.loading(link);
        this.#writes.settle(sample);
        this.#writes.reserve(offset);
      },
      onCommand: (outline, offset) => this.#writes.take(outline, offset),
      onProgress: () => this.#settle(),
      onGap: () => this.#writes.forget(),
      onRefused,
    });
  }

  /** What the target counts says something once every command up to then was heard. */
  observe(sample: TargetSample, where: string): void {
    this.#sample = sample;
    this.#where = where;
    this.#unsettled = sample;
    this.#settle();
  }

  /** Hears what happened up to the last sample, unless there is no time for that, and ends. Never throws. */
  async close(isHasty: boolean): Promise<void> {
    const deadlineMs = performance.now() + (isHasty ? 0 : LAST_WORDS_MS);
    while (this.#tap.offset >= 0n && this.#unsettled !== undefined && performance.now() < deadlineMs)
      await delay(5);
    const over = new AbortController();
    if (!isHasty) await Promise.race([this.#guessing, delay(LAST_WORDS_MS, over.signal)]);
    over.abort();
    await this.#tap.close();
  }

  #settle(): void {
    const sample = this.#unsettled;
    if (sample === undefined || this.#tap.offset < sample.offset) return;
    this.#unsettled = undefined;
    this.#writes.settle(sample);
  }

  #onForeign({ command, key, database }: ForeignWrite): void {
    const place = { command, key: printKey(key), keyBase64: key.toString('base64') };
    const sample = database === undefined ? place : { ...place, database };
    this.#tell(`${command} ${place.key}`, sample, 1);
  }

  #tell(what: string, sample: Record<string, unknown> | undefined, writes: number): void {
    this.#options.growing.add(this.#fact(), sample, writes);
    this.#options.onForeign(writes, what);
    this.#guessing ??= this.#guessWriters();
  }

  #fact(): GrowingFact {
    return {
      code: 'FOREIGN_WRITE',
      severity: 'error',
      message: `Somebody other than the link writes to ${this.#options.name}.`,
      evidence: {
        ...(this.#where === undefined ? {} : { shard: this.#where }),
        policy: this.#options.policy,
        ...(this.#writers.length > 0 ? { possibleWriters: this.#writers } : {}),
      },
    };
  }

  /** Who it was can only be guessed, from who is connected and did such a thing last. Told with what comes next. */
  async #guessWriters(): Promise<void> {
    try {
      const { target } = this.#options;
      await using connection: Connection = await openWhere(target(), { name: 'redis-sync:writers' });
      this.#writers = await findWriters(connection);
      // Also when nothing comes next.
      this.#options.growing.refresh(this.#fact());
    } catch {
      // A target that went away: nobody is named.
    }
  }
}
