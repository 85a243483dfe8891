/** One replicator in this process, for live tests about endpoints that move: what it said, and waiting for what it will say. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Whereabouts } from '../../../engine/connect/discovery.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import type { FromReplicator, LinkStatus } from '../../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../../../engine/link/options.ts';
import { Replicator } from '../../../engine/link/replicator.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { infoOf } from '../../support/replication.ts';

export const LINK = 'moving';

type Message<Kind extends FromReplicator['kind']> = FromReplicator & { kind: Kind };

export class LiveLink implements AsyncDisposable {
  readonly messages: FromReplicator[] = [];
  readonly replicator: Replicator;
  readonly #folder: string;
  readonly #running: Promise<void>;
  #wake: (() => void)[] = [];

  private constructor(
    folder: string,
    source: Whereabouts,
    target: Whereabouts,
    engine: Partial<EngineOptions>,
  ) {
    this.#folder = folder;
    this.replicator = new Replicator(
      {
        source,
        links: [{ id: LINK, target }],
        engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 100, retryMs: 50_000, ...engine },
        spoolFolder: join(folder, 'spool'),
      },
      (message) => {
        this.messages.push(message);
        for (const wake of this.#wake.splice(0)) wake();
      },
    );
    this.#running = this.replicator.run();
  }

  static async start(
    source: Whereabouts,
    target: Whereabouts,
    engine: Partial<EngineOptions> = {},
  ): Promise<LiveLink> {
    return new LiveLink(await mkdtemp(join(tmpdir(), 'redis-sync-moving-')), source, target, engine);
  }

  get status(): LinkStatus {
    const [status] = this.replicator.status();
    if (status === undefined) throw new Error('no link');
    return status;
  }

  /** Everything of one kind said so far. */
  said<Kind extends FromReplicator['kind']>(kind: Kind): Message<Kind>[] {
    return this.messages.filter((message): message is Message<Kind> => message.kind === kind);
  }

  findings(code: string): Message<'finding'>[] {
    return this.said('finding').filter((finding) => finding.code === code);
  }

  /** Resolves when it has been said (before or after this call). @throws when the link fails first. */
  async heard<T extends FromReplicator>(wanted: (message: FromReplicator) => message is T): Promise<T>;
  async heard(wanted: (message: FromReplicator) => boolean): Promise<FromReplicator>;
  async heard(wanted: (message: FromReplicator) => boolean): Promise<FromReplicator> {
    for (;;) {
      const found = this.messages.find(wanted);
      if (found) return found;
      const [failed] = this.said('link-failed');
      if (failed) throw new Error(`The link failed: ${failed.error.message}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async state(state: LinkStatus['state']): Promise<void> {
    while (this.status.state !== state) {
      const [failed] = this.said('link-failed');
      if (failed) throw new Error(`The link failed: ${failed.error.message}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Resolves with the failure of the link. */
  async failed(): Promise<Message<'link-failed'>['error']> {
    for (;;) {
      const [failed] = this.said('link-failed');
      if (failed) return failed.error;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Waits until everything the source has written by now is applied. */
  async drained(source: Endpoint): Promise<void> {
    const wanted = BigInt((await infoOf(source, 'replication'))['master_repl_offset'] ?? -1);
    while (BigInt(this.status.appliedOffset) < wanted || this.status.deferred !== 0) {
      if (BigInt(this.status.appliedOffset) >= wanted) this.replicator.settle(LINK);
      const [failed] = this.said('link-failed');
      if (failed) throw new Error(`The link failed: ${failed.error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async stop(): Promise<void> {
    this.replicator.stop();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.replicator.abort();
    await this.#running;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Every string key that is not our own, with its value. */
export async function stringsOf(endpoint: Endpoint): Promise<Record<string, string>> {
  await using connection = await Connection.open(endpoint);
  const reply = await connection.call('KEYS', '*');
  const keys = (Array.isArray(reply) ? reply.map(textOf) : [])
    .filter((name) => !/^(redis-sync:|DTS_REDIS_)/.test(name))
    .toSorted();
  const values = await connection.pipeline(keys.map((key) => ['GET', key]));
  return Object.fromEntries(keys.map((key, index) => [key, textOf(values[index] ?? null)]));
}

/** `key:0` … with their index as value. */
export async function fill(endpoint: Endpoint, keys: number): Promise<void> {
  await using connection = await Connection.open(endpoint);
  await connection.pipeline(Array.from({ length: keys }, (_, index) => ['SET', `key:${index}`, index]));
}
