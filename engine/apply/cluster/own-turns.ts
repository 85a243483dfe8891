/**
 * Says in the stream of a shard that what follows there is the link's own, where commands cannot stand in a transaction that
 * begins with one of our keys, because they are of many slots: a full sync, deadlines given back, a flush.
 *
 *   HSET redis-sync:loading:<id>:{tag} begins 1 · RESTORE … · UNLINK … · HSET redis-sync:loading:<id>:{tag} ends 1 · DEL …
 *
 * Whoever listens to the shard (link/foreign-writes.ts) then takes nothing for a foreign write. The tag is that of any slot
 * which the shard has at that moment; a slot that moves takes the key with it, so it is the `ends` that counts, not the DEL. A
 * checkpoint of the link in any slot of the shard ends the turn too: nothing is behind it that a break could have left open.
 */
import { readTopology } from '../../connect/cluster-topology.ts';
import { describeEndpoint } from '../../connect/endpoint.ts';
import type { Connection } from '../../connect/connection.ts';
import type { Argument } from '../../resp/encode.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import { loadingKey } from '../checkpoint.ts';
import { wordRefusal } from '../refusals.ts';
import { isMisplaced } from '../replies.ts';
import type { CircleMarks } from './circle-marks.ts';
import type { ClusterTarget, TargetShard } from './cluster-target.ts';
import { slotTaggedKey } from './slot-checkpoints.ts';

export class OwnTurns {
  readonly #link: string;
  /** Keys of the long turn that are on the target. */
  readonly #keys = new Set<string>();
  readonly #marks: CircleMarks | undefined;
  #isLong = false;

  /** @param marks of a link of a circle: then each command has one of its own. */
  constructor(link: string, marks?: CircleMarks) {
    this.#link = link;
    this.#marks = marks;
  }

  /** A turn on every shard, until `endAll`; also on those that come to be known meanwhile (`greet`). @throws SyncError. */
  async beginAll(cluster: ClusterTarget, signal: AbortSignal): Promise<void> {
    this.#isLong = true;
    await cluster.useAll(signal, (connection, shard) => this.greet(connection, shard));
  }

  /** For a fresh connection to a shard, before anything is written on it. @throws SyncError. */
  async greet(connection: Connection, shard: TargetShard): Promise<void> {
    if (!this.#isLong) return;
    const key = await this.#say('begins', connection, shard);
    if (key !== undefined) this.#keys.add(key);
  }

  /** The same in a slot that is on its way to the node: to be sent behind ASKING. */
  arriving(slot: number): readonly Argument[] {
    const key = this.#keyIn(slot);
    this.#keys.add(key);
    return ['HSET', key, 'begins', 1];
  }

  /** @throws SyncError. */
  async endAll(cluster: ClusterTarget, signal: AbortSignal): Promise<void> {
    if (!this.#isLong) return;
    this.#isLong = false;
    await cluster.useAll(signal, async (connection, shard) => {
      const key = await this.#say('ends', connection, shard);
      if (key !== undefined) this.#keys.add(key);
    });
    for (const key of this.#keys)
      await cluster.useKey(key, signal, (connection) => connection.call('DEL', key));
    this.#keys.clear();
  }

  /**
   * A short turn.
   *
   * @param keys where the commands have their key.
   * @returns the replies to `commands`.
   * @throws SyncError.
   */
  async pipeline(
    connection: Connection,
    shard: TargetShard,
    commands: readonly (readonly Argument[])[],
    keys: 'second' | 'keyless' = 'second',
  ): Promise<Reply[]> {
    if (commands.length === 0) return [];
    if (this.#marks !== undefined) {
      const slot = keys === 'keyless' ? shard.facts?.slots[0]?.[0] : undefined;
      return this.#marks.send(connection, commands, slot);
    }
    const key = this.#isLong ? undefined : await this.#say('begins', connection, shard);
    const after: (readonly Argument[])[] = [];
    if (key !== undefined) after.push(['HSET', key, 'ends', 1], ['DEL', key]);
    const replies = await connection.pipeline([...commands, ...after]);
    return replies.slice(0, commands.length);
  }

  /** In a slot that takes it. @returns the key; undefined when the shard has no slot that stands still. */
  async #say(
    what: 'begins' | 'ends',
    connection: Connection,
    { facts }: TargetShard,
  ): Promise<string | undefined> {
    const known = facts?.slots[0]?.[0];
    if (known !== undefined && (await this.#sayIn(known, what, connection))) return this.#keyIn(known);
    // It has moved, or is on the move: the node itself knows best.
    for (const slot of await steadySlots(connection))
      if (await this.#sayIn(slot, what, connection)) return this.#keyIn(slot);
    return undefined;
  }

  /** False when the slot is elsewhere. @throws SyncError. */
  async #sayIn(slot: number, what: 'begins' | 'ends', connection: Connection): Promise<boolean> {
    const reply = await connection.tryCall('HSET', this.#keyIn(slot), what, 1);
    if (!(reply instanceof ReplyError)) return true;
    if (isMisplaced(reply)) return false;
    throw wordRefusal(reply, undefined, describeEndpoint(connection.endpoint));
  }

  #keyIn(slot: number): string {
    return slotTaggedKey(loadingKey(this.#link), slot);
  }
}

/** One of each range. @throws SyncError. */
async function steadySlots(connection: Connection): Promise<number[]> {
  const { shards, self, moving } = await readTopology(connection);
  const own = shards.find(({ primary }) => primary.id === self)?.slots ?? [];
  const unsteady = new Set(moving.map(({ slot }) => slot));
  return own.flatMap(([first, last]) => {
    for (let slot = first; slot <= last; slot++) if (!unsteady.has(slot)) return slot;
    return [];
  });
}
