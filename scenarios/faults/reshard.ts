/** Slots of a cluster move from one shard to another with the keys in them, while clients write: MOVED and ASK for everybody. */
import { describeEndpoint } from '../../engine/connect/endpoint.ts';
import { askTopology, type Shard } from '../../engine/connect/cluster-topology.ts';
import type { Connection } from '../../engine/connect/connection.ts';
import { wordReplyError } from '../../engine/connect/reply-errors.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { aimedInstance, invalid, openNode, primaryOf, shardOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { countOf } from './parameters.ts';
import type { FaultInstance } from './subjects.ts';

const KEYS_AT_ONCE = 100;
/** On the move together, their commands pipelined: one by one a thousand slots take as long as the run. */
const SLOTS_AT_ONCE = 20;
const MIGRATE_TIMEOUT_MS = 10_000;

export const reshard = defineFault({
  name: 'reshard',
  summary: 'Slots of a cluster move from one shard to another with their keys, while clients write.',
  requires: ['cluster', 'write'],
  aims: 'instance',
  properties: {
    slots: countOf('How many.', 100),
    from: countOf('Number of the shard that gives them.', 0, 0),
    to: countOf('Number of the shard that gets them.', 1, 0),
  },
  dataLoss: 'none',
  reversible: false,
  async inject({ context, given }) {
    const instance = aimedInstance(context);
    if (instance.kind !== 'cluster')
      throw invalid(context, `${instance.name} is no cluster`, 'Use kind: cluster.');
    const [from, to] = [given.count('from', 0), given.count('to', 1)];
    const giver = await shardOf(instance, from);
    const slots = slotsOf(giver).slice(0, given.count('slots', 100));
    await using move = await Move.open(instance, { from, to, giver });
    let [keys, moved] = [0, 0];
    while (moved < slots.length && !context.signal.aborted) {
      const some = slots.slice(moved, moved + SLOTS_AT_ONCE);
      keys += await move.slots(some);
      moved += some.length;
    }
    const owners = new Set(await ownersOf(instance, slots));
    // The run may end before all have moved: a link that stops because of it is what some rehearsals are about.
    const isCutShort = context.signal.aborted && moved > 0;
    return owners.size === 1 || isCutShort
      ? effective({ slots: moved, keys, from: move.from, to: move.to })
      : ineffective('the slots are not all in one shard', { slots: slots.length, owners: [...owners] });
  },
});

function slotsOf({ slots }: Shard): number[] {
  return slots.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}

async function ownersOf(instance: FaultInstance, slots: readonly number[]): Promise<(string | undefined)[]> {
  const { shards, owners } = await askTopology(instance.nodes().map(({ endpoint }) => endpoint));
  return slots.map((slot) => shards[owners[slot] ?? -1]?.primary.id);
}

/** The steps of redis-cli --cluster reshard (clusterManagerMoveSlot), for some slots at once. */
class Move implements AsyncDisposable {
  readonly from: string;
  readonly to: string;
  readonly #source: Connection;
  readonly #target: Connection;
  readonly #others: readonly Connection[];
  readonly #ids: { source: string; target: string };

  private constructor(
    connections: { source: Connection; target: Connection; others: readonly Connection[] },
    ids: { source: string; target: string },
  ) {
    this.#source = connections.source;
    this.#target = connections.target;
    this.#others = connections.others;
    this.#ids = ids;
    this.from = describeEndpoint(connections.source.endpoint);
    this.to = describeEndpoint(connections.target.endpoint);
  }

  static async open(
    instance: FaultInstance,
    { from, to, giver }: { from: number; to: number; giver: Shard },
  ): Promise<Move> {
    const taker = await shardOf(instance, to);
    const [source, target] = [await primaryOf(instance, from), await primaryOf(instance, to)];
    const others = instance.nodes().filter((node) => node !== source && node !== target);
    return new Move(
      {
        source: await openNode(source),
        target: await openNode(target),
        others: await Promise.all(others.map((node) => openNode(node))),
      },
      { source: giver.primary.id, target: taker.primary.id },
    );
  }

  /** @returns how many keys were in them. @throws SyncError what a node refused. */
  async slots(slots: readonly number[]): Promise<number> {
    const { source, target } = this.#ids;
    await ask(
      this.#target,
      slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source]),
    );
    await ask(
      this.#source,
      slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target]),
    );
    let moved = 0;
    // Also after Ctrl-C: a slot that is half moved is worse than one that is moved a little late.
    for (let left = slots; left.length > 0;) {
      const found = await this.#keysOf(left);
      await ask(
        this.#source,
        found.map(({ keys }) => this.#migrate(keys)),
      );
      moved += found.reduce((sum, { keys }) => sum + keys.length, 0);
      left = found.map(({ slot }) => slot);
    }
    // The new owner first: otherwise nobody would have them for a moment. Others hear of it by themselves, if they do not listen.
    for (const connection of [this.#target, this.#source, ...this.#others])
      await connection.pipeline(slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, 'NODE', target]));
    return moved;
  }

  /** Some keys of each; of slots that have any. */
  async #keysOf(slots: readonly number[]): Promise<{ slot: number; keys: Buffer[] }[]> {
    const listed = await ask(
      this.#source,
      slots.map((slot) => ['CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE]),
    );
    return slots.flatMap((slot, index) => {
      const reply = listed[index];
      const keys = Array.isArray(reply) ? reply.filter((key) => Buffer.isBuffer(key)) : [];
      return keys.length === 0 ? [] : [{ slot, keys }];
    });
  }

  #migrate(keys: readonly Buffer[]): (string | number | Buffer)[] {
    const { host, port } = this.#target.endpoint;
    return ['MIGRATE', host, port, '', 0, MIGRATE_TIMEOUT_MS, 'REPLACE', 'KEYS', ...keys];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of [this.#source, this.#target, ...this.#others]) await connection.close();
  }
}

/** @throws SyncError with the first refusal. */
async function ask(
  connection: Connection,
  commands: readonly (readonly (string | number | Buffer)[])[],
): Promise<Reply[]> {
  const replies = await connection.pipeline(commands);
  const refused = replies.find((reply) => reply instanceof ReplyError);
  if (refused instanceof ReplyError)
    throw wordReplyError(
      refused,
      connection.endpoint,
      commands[0]?.[0] === 'MIGRATE' ? 'MIGRATE' : 'CLUSTER',
    );
  return replies;
}
