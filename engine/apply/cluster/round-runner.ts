/**
 * Brings one round onto the cluster: every slot's transaction to the shard that owns the slot, all shards at once, again and
 * again until each was applied exactly once.
 *
 *   applied                     the slot's checkpoint is in it, so the slot itself says so
 *   MOVED                       read the topology anew, send it to the new owner
 *   ASK                         the slot is on the move, and all its keys concerned are on the new node: ASKING there
 *   TRYAGAIN                    … some are here and some there: wait until the slot has arrived
 *   connection lost             ask the slot's checkpoint on a fresh connection, then send again or not
 *   refused (OOM, READONLY …)   nothing of the transaction was executed: wait, send again
 *
 * Nothing of the next round is sent before: so within a slot nothing ever overtakes a refused transaction.
 */
import { namedIn } from '../../connect/cluster-reader.ts';
import { Connection } from '../../connect/connection.ts';
import type { Endpoint } from '../../connect/endpoint.ts';
import { asError, SyncError } from '../../errors.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import { wholeRefusal } from '../exec-failures.ts';
import { wordRefusal } from '../refusals.ts';
import { isMisplaced, unwrapRefusal } from '../replies.ts';
import type { ClusterTarget, TargetShard } from './cluster-target.ts';
import { noOffsets, readSlotOffsets, type SlotMarkEncoder, type SlotOffsets } from './slot-checkpoints.ts';
import type { SlotGroup } from './slot-rounds.ts';

const MULTI = Buffer.from('*1\r\n$5\r\nMULTI\r\n');
const EXEC = Buffer.from('*1\r\n$4\r\nEXEC\r\n');
const ASKING = Buffer.from('*1\r\n$6\r\nASKING\r\n');
const ASK_TIMEOUT_MS = 10_000;

/** A slot's transaction on its way. */
interface Delivery {
  group: SlotGroup;
  /** Commands in front of the group's own: the slot's checkpoint. */
  head: Buffer;
  /** It was sent, and the answer lost. */
  unknown: boolean;
}

export interface RoundRunnerOptions {
  link: string;
  cluster: ClusterTarget;
  marks: SlotMarkEncoder;
  /** Name of the full sync that the checkpoints belong to. */
  sync: () => string;
  /** Up to where each slot is known to be applied; grows. */
  confirmed: SlotOffsets;
  /** Results of an applied group, the checkpoint's first. @throws what stops the link. */
  onApplied: (group: SlotGroup, results: readonly Reply[], where: string) => void;
  /** A connection has found that its shard lacks writes which were applied: nothing may be sent before they are back. */
  hasLost: () => boolean;
  /** Brings them back. @throws SyncError. */
  recover: () => Promise<void>;
  /** A shard refused a transaction for now, with this reply. */
  onRefused: (kind: string) => void;
  signal: AbortSignal;
}

export class RoundRunner {
  readonly #options: RoundRunnerOptions;

  constructor(options: RoundRunnerOptions) {
    this.#options = options;
  }

  /** @throws SyncError what stops the link. */
  async run(groups: readonly SlotGroup[]): Promise<void> {
    const { marks, cluster, signal } = this.#options;
    let pending = groups.map((group): Delivery => {
      const mark = group.offset < 0 ? '' : marks.encode(group.slot, group.offset);
      return { group, head: Buffer.from(mark, 'latin1'), unknown: false };
    });
    for (let attempt = 0; pending.length > 0; attempt++) {
      const failures: Failure[] = [];
      const rest = await Promise.all(
        [...this.#byShard(pending)].map(([shard, deliveries]) => this.#onShard(shard, deliveries, failures)),
      );
      pending = rest.flat();
      if (this.#options.hasLost()) {
        await this.#options.recover();
        continue;
      }
      if (pending.length === 0) break;
      await this.#afterFailure(failures, attempt, signal);
    }
    cluster.worked();
  }

  #byShard(deliveries: readonly Delivery[]): Map<TargetShard | undefined, Delivery[]> {
    const byShard = new Map<TargetShard | undefined, Delivery[]>();
    for (const delivery of deliveries) {
      const shard = this.#options.cluster.shardOfSlot(delivery.group.slot);
      const list = byShard.get(shard);
      if (list === undefined) byShard.set(shard, [delivery]);
      else list.push(delivery);
    }
    return byShard;
  }

  /** Returns what is not applied yet. */
  async #onShard(
    shard: TargetShard | undefined,
    deliveries: readonly Delivery[],
    failures: Failure[],
  ): Promise<Delivery[]> {
    if (shard === undefined) {
      failures.push({ error: homeless() });
      return [...deliveries];
    }
    const { signal, hasLost } = this.#options;
    let todo = deliveries;
    try {
      return await shard.target.use(signal, async (connection) => {
        if (hasLost()) return [...deliveries];
        todo = await this.#withoutApplied(connection, deliveries);
        const rest = await this.#send(connection, todo, failures);
        if (rest.length < todo.length) shard.target.worked();
        return rest;
      });
    } catch (error) {
      const failure = asError(error);
      if (!(failure instanceof SyncError)) throw failure;
      signal.throwIfAborted();
      failures.push({ error: failure, shard });
      // On the old connection bytes may still be on their way.
      await shard.target.close();
      return todo.filter(({ group }) => !this.#isApplied(group));
    }
  }

  /** Of deliveries whose answer was lost, the slot says whether they were applied. */
  async #withoutApplied(connection: Connection, deliveries: readonly Delivery[]): Promise<Delivery[]> {
    const asked = deliveries.filter(({ unknown }) => unknown);
    if (asked.length === 0) return [...deliveries];
    const { link, sync, confirmed } = this.#options;
    const found = noOffsets().fill(Number.NaN);
    const slots = [...new Set(asked.map(({ group }) => group.slot))];
    await readSlotOffsets(connection, link, sync(), slots, found);
    for (const delivery of asked) {
      const { group } = delivery;
      const offset = found[group.slot] ?? Number.NaN;
      // The slot is elsewhere: ask there.
      if (Number.isNaN(offset)) continue;
      delivery.unknown = false;
      if (group.offset >= 0 && offset >= group.offset) confirmed[group.slot] = offset;
    }
    return deliveries.filter(({ group }) => !this.#isApplied(group));
  }

  #isApplied({ slot, offset }: SlotGroup): boolean {
    return offset >= 0 && (this.#options.confirmed[slot] ?? -1) >= offset;
  }

  async #send(
    connection: Connection,
    deliveries: readonly Delivery[],
    failures: Failure[],
  ): Promise<Delivery[]> {
    // What may have been applied on another node is not sent before that is known.
    const ready = deliveries.filter(({ unknown }) => !unknown);
    const rest = deliveries.filter(({ unknown }) => unknown);
    const parts: Buffer[] = [];
    let count = 0;
    for (const delivery of ready) {
      parts.push(MULTI, delivery.head, ...delivery.group.commands, EXEC);
      count += repliesOf(delivery);
      delivery.unknown = true;
    }
    const replies = await connection.pipelineRaw(Buffer.concat(parts), count);
    if (rest.length > 0) failures.push({ error: undecided() });
    let at = 0;
    for (const delivery of ready) {
      const own = replies.slice(at, at + repliesOf(delivery));
      at += own.length;
      delivery.unknown = false;
      const failure = this.#read(delivery, own, connection.endpoint);
      if (failure === undefined) continue;
      failures.push(failure);
      if (failure.asked === undefined || !(await this.#ask(delivery, failure.asked, failures)))
        rest.push(delivery);
    }
    return rest;
  }

  /** Undefined when it was applied. */
  #read(delivery: Delivery, replies: readonly Reply[], at: Endpoint): Failure | undefined {
    const { onApplied, onRefused, confirmed } = this.#options;
    const { group } = delivery;
    const results = replies.at(-1);
    const where = `${at.host}:${at.port}`;
    const whole = Array.isArray(results) ? wholeRefusal(results) : undefined;
    if (Array.isArray(results) && whole === undefined) {
      onApplied(group, results, where);
      if (group.offset >= 0) confirmed[group.slot] = group.offset;
      return undefined;
    }
    const refused = whole ?? replies.find((reply) => reply instanceof ReplyError);
    if (!(refused instanceof ReplyError))
      return {
        error: new SyncError('PROTOCOL', 'The target answered EXEC with something else than an array.', {
          where,
        }),
      };
    // The commands behind a refused MULTI were executed one by one.
    if (refused === replies[0] && replies.slice(1, -1).some((reply) => !(reply instanceof ReplyError)))
      throw new SyncError('APPLY_REFUSED', `The target refused MULTI: ${refused.message}`, { where });
    const error = unwrapRefusal(refused);
    onRefused(error.kind);
    const failure: Failure = { error: wordRefusal(error, undefined, where), reply: error };
    if (error.kind === 'ASK') failure.asked = namedIn(error.message, at);
    if (error.kind === 'MOVED') failure.moved = namedIn(error.message, at);
    return failure;
  }

  /** All keys of the transaction have left already: it is executed where they are. */
  async #ask({ group, head }: Delivery, endpoint: Endpoint, failures: Failure[]): Promise<boolean> {
    const { link, signal } = this.#options;
    const delivery = { group, head, unknown: false };
    try {
      await using connection = await Connection.open(endpoint, {
        name: `redis-sync:${link}`.replaceAll(/[^!-~]/g, '_'),
        replyTimeoutMs: ASK_TIMEOUT_MS,
        signal,
      });
      const bytes = Buffer.concat([ASKING, MULTI, head, ...group.commands, EXEC]);
      const [, ...replies] = await connection.pipelineRaw(bytes, 1 + repliesOf(delivery));
      const failure = this.#read(delivery, replies, endpoint);
      if (failure !== undefined) failures.push(failure);
      return failure === undefined;
    } catch (error) {
      const failure = asError(error);
      if (!(failure instanceof SyncError)) throw failure;
      failures.push({ error: failure });
      return false;
    }
  }

  async #afterFailure(failures: readonly Failure[], attempt: number, signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    const moved = failures.flatMap(({ moved: to }) => (to === undefined ? [] : [to]));
    const fatal = failures.find(({ error, reply }) => !error.retryable && !(reply && isMisplaced(reply)));
    if (fatal !== undefined) await (fatal.shard?.target ?? cluster).wait(fatal.error, signal);
    const waiting =
      failures.find(({ moved: to }) => to === undefined) ?? (attempt > 0 ? failures[0] : undefined);
    if (waiting !== undefined && waiting !== fatal) {
      const { error, shard } = waiting;
      await (shard?.target ?? cluster).wait(retryable(error), signal);
    }
    await cluster.refresh(signal, moved);
  }
}

interface Failure {
  error: SyncError;
  reply?: ReplyError;
  shard?: TargetShard;
  moved?: Endpoint;
  asked?: Endpoint;
}

function repliesOf({ head, group }: Pick<Delivery, 'head' | 'group'>): number {
  return group.count + (head.length === 0 ? 2 : 3);
}

function retryable(error: SyncError): SyncError {
  if (error.retryable) return error;
  const { hint, where, cause } = error;
  return new SyncError(error.code, error.message, {
    retryable: true,
    cause,
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { where }),
  });
}

/** The slot is on the move, and with it what would tell whether its transaction was applied. */
function undecided(): SyncError {
  return new SyncError('CONNECT', 'A slot of the cluster is being moved.', { retryable: true });
}

function homeless(): SyncError {
  return new SyncError('CONNECT', 'A slot of the cluster has no owner now.', { retryable: true });
}
