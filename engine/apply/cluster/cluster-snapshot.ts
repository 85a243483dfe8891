/**
 * Applies one snapshot to a cluster: read once, each key handed to the applier of the shard that owns its slot. Keys whose
 * slot has moved meanwhile come back and go to where it is now.
 *
 *   snapshot ─▶ reader ─┬─▶ applier of shard a ──MOVED, ASK, TRYAGAIN──┐
 *                       └─▶ applier of shard b                         │
 *                            ▲                                         ▼
 *                            └────────── topology read anew ──── stray keys, one by one
 *
 * Everything is RESTORE … REPLACE, or a transaction that first deletes: it may be sent again, anywhere, in any order.
 */
import { namedIn } from '../../connect/cluster-reader.ts';
import { Connection } from '../../connect/connection.ts';
import { SyncError } from '../../errors.ts';
import { clusterSlot } from '../../keys/cluster-slot.ts';
import type { SnapshotHandler } from '../../rdb/entry.ts';
import { RawSnapshotReader } from '../../rdb/raw-reader.ts';
import { encodeCommand } from '../../resp/encode.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import type { LinkCounters } from '../counters.ts';
import { wordRefusal, type SentCommand } from '../refusals.ts';
import { isMisplaced, reactionTo, unwrapRefusal } from '../replies.ts';
import { INLINE_BYTES_MAX, type SnapshotApplier } from '../snapshot-applier.ts';
import type { Reconciliation } from '../reconciliation.ts';
import type { ClusterTarget, TargetShard } from './cluster-target.ts';
import type { OwnTurns } from './own-turns.ts';

const STRAYS_MAX = 1000;
const MULTI = encodeCommand(['MULTI']);
const EXEC = encodeCommand(['EXEC']);
const ASKING = encodeCommand(['ASKING']);

export interface ClusterSnapshotOptions {
  cluster: ClusterTarget;
  turns: OwnTurns;
  counters: LinkCounters;
  /** The applier of one shard. */
  openApplier: (
    shard: TargetShard,
    onMisplaced: (command: SentCommand, error: ReplyError) => void,
  ) => SnapshotApplier;
  reconciliation: Reconciliation | undefined;
  /** Keys of another database than 0: a cluster has none. @throws what stops the link. */
  onDatabase: (database: number) => void;
  /** A command was executed and failed there, or the target does not take it. */
  onRefused: (command: SentCommand, error: ReplyError) => void;
  signal: AbortSignal;
}

/** Commands of one key, whose slot was not where they went. */
interface Stray {
  key: Buffer;
  commands: SentCommand[];
  /** Where the node said that it is. */
  asked: string | undefined;
}

export class ClusterSnapshot {
  readonly #options: ClusterSnapshotOptions;
  readonly #reader: RawSnapshotReader;
  readonly #appliers = new Map<TargetShard, SnapshotApplier>();
  #header: Parameters<NonNullable<SnapshotHandler['header']>> | undefined;
  #large: SnapshotApplier | undefined;
  #strays: Stray[] = [];

  constructor(options: ClusterSnapshotOptions) {
    this.#options = options;
    this.#reader = new RawSnapshotReader(this.#openHandler(), { maxInlineBytes: INLINE_BYTES_MAX });
  }

  /** Applies the next bytes; resolves when so little is in flight that more may come. */
  async push(chunk: Buffer): Promise<void> {
    this.#options.counters.snapshotBytes += chunk.length;
    this.#reader.push(chunk);
    for (const applier of this.#appliers.values()) await applier.room();
    if (this.#strays.length > STRAYS_MAX) await this.#settleStrays();
  }

  /** Every key is on the target. @throws SyncError SNAPSHOT_CORRUPT when the snapshot is not complete. */
  async finish(): Promise<void> {
    this.#reader.finish();
    do {
      for (const applier of this.#appliers.values()) await applier.complete();
      await this.#settleStrays();
    } while (this.#strays.length > 0);
    this.abandon();
  }

  abandon(): void {
    for (const applier of this.#appliers.values()) applier.abandon();
  }

  #applierOf(key: Uint8Array): SnapshotApplier {
    const { cluster } = this.#options;
    const shard = cluster.shardOfKey(key) ?? cluster.shards[0];
    if (shard === undefined) throw new SyncError('CONNECT', 'The cluster has no shard.', { retryable: true });
    return this.#applier(shard);
  }

  #applier(shard: TargetShard): SnapshotApplier {
    const known = this.#appliers.get(shard);
    if (known !== undefined) return known;
    const applier = this.#options.openApplier(shard, (command, error) => this.#stray(command, error));
    if (this.#header !== undefined) applier.handler.header?.(...this.#header);
    this.#appliers.set(shard, applier);
    return applier;
  }

  #openHandler(): SnapshotHandler {
    const all = (tell: (handler: SnapshotHandler) => void): void => {
      for (const shard of this.#options.cluster.shards) tell(this.#applier(shard).handler);
    };
    const first = (): SnapshotHandler | undefined => {
      const [shard] = this.#options.cluster.shards;
      return shard && this.#applier(shard).handler;
    };
    return {
      header: (...header) => {
        this.#header = header;
        for (const applier of this.#appliers.values()) applier.handler.header?.(...header);
      },
      sizes: (...sizes) => first()?.sizes?.(...sizes),
      aux: (name, value) => {
        if (name === 'lua') all((handler) => handler.aux?.(name, value));
        else first()?.aux?.(name, value);
      },
      functionLibrary: (code) => all((handler) => handler.functionLibrary?.(code)),
      entry: (entry) => {
        if (entry.database !== 0) this.#options.onDatabase(entry.database);
        this.#applierOf(entry.key).handler.entry(entry);
      },
      largeStart: (entry) => {
        if (entry.database !== 0) this.#options.onDatabase(entry.database);
        this.#large = this.#applierOf(entry.key);
        this.#large.handler.largeStart?.(entry);
      },
      largePart: (bytes) => this.#large?.handler.largePart?.(bytes),
      largeEnd: () => this.#large?.handler.largeEnd?.(),
      moduleAux: (module) => first()?.moduleAux?.(module),
    };
  }

  /** Commands of a rebuilt value come one after the other: they stay together. */
  #stray(command: SentCommand, error: ReplyError): void {
    const asked = error.kind === 'ASK' ? error.message : undefined;
    const last = this.#strays.at(-1);
    const joins = command.name !== 'RESTORE' && last?.key.equals(command.key) === true;
    if (joins) last.commands.push(command);
    else this.#strays.push({ key: command.key, commands: [command], asked });
  }

  async #settleStrays(): Promise<void> {
    const { cluster, signal } = this.#options;
    while (this.#strays.length > 0) {
      await cluster.refresh(signal);
      const strays = this.#strays;
      this.#strays = [];
      let failure: SyncError | undefined;
      for (const stray of strays) {
        const again = await this.#settle(stray);
        if (again === undefined) continue;
        failure = again;
        this.#strays.push(stray);
      }
      if (failure === undefined) cluster.worked();
      else await cluster.wait(failure, signal);
    }
  }

  /** What went wrong, if it is to be tried again. */
  async #settle(stray: Stray): Promise<SyncError | undefined> {
    const { cluster, signal } = this.#options;
    const shard = cluster.shardOfSlot(clusterSlot(stray.key));
    if (shard === undefined) return new SyncError('CONNECT', 'A slot has no owner.', { retryable: true });
    const asked = stray.asked;
    stray.asked = undefined;
    try {
      if (asked === undefined)
        return await shard.target.use(signal, (connection) => this.#send(connection, stray, false));
      const endpoint = namedIn(asked, shard.facts?.primary.endpoint ?? { host: '', port: 0 });
      await using connection = await Connection.open(endpoint, { name: 'redis-sync:asking', signal });
      return await this.#send(connection, stray, true);
    } catch (error) {
      if (error instanceof SyncError && error.retryable) return error;
      throw error;
    }
  }

  #arriving({ key }: Stray): Buffer {
    return encodeCommand(this.#options.turns.arriving(clusterSlot(key)));
  }

  async #send(connection: Connection, stray: Stray, asking: boolean): Promise<SyncError | undefined> {
    const { commands } = stray;
    const isSingle = commands.length === 1;
    const parts = commands.map(({ bytes }) => bytes);
    const body = isSingle ? parts : [MULTI, ...parts, EXEC];
    const all = asking ? [ASKING, this.#arriving(stray), ASKING, ...body] : body;
    const replies = await connection.pipelineRaw(Buffer.concat(all), all.length);
    const error = firstError(replies);
    if (error === undefined) return undefined;
    const where = `${connection.endpoint.host}:${connection.endpoint.port}`;
    if (error.kind === 'ASK') stray.asked = error.message;
    const [command] = commands;
    if (isMisplaced(error) || reactionTo(error).reaction === 'retry')
      return new SyncError('CONNECT', wordRefusal(error, command, where).message, { where, retryable: true });
    if (command !== undefined) this.#options.onRefused(command, error);
    return undefined;
  }
}

function firstError(replies: readonly Reply[]): ReplyError | undefined {
  for (const reply of replies.flat()) if (reply instanceof ReplyError) return unwrapRefusal(reply);
  return undefined;
}
