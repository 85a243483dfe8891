/**
 * In a circle whoever reads the target's streams must tell what a link writes there from what clients write. Rounds say it
 * with the checkpoints that begin their transactions; what a link writes besides them gets the same mark, in its own slot:
 *
 *   MULTI · HSET redis-sync:link:<id>:{tag of the slot} path <p> · the command · EXEC
 *
 * A full sync is not marked key by key: before its first key every shard's stream says that one begins, and a link that reads
 * on behind that would take everything for fresh writes (origin/origin-filter.ts).
 */
import { clusterSlot } from '../../keys/cluster-slot.ts';
import { encodeCommand, type Argument } from '../../resp/encode.ts';
import type { Connection } from '../../connect/connection.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import { describeEndpoint } from '../../connect/endpoint.ts';
import { encodePath, loadingKey } from '../checkpoint.ts';
import { LOADING_BEGINS } from '../origin/origin-filter.ts';
import { ANYWHERE } from '../origin/origin-path.ts';
import { wordRefusal } from '../refusals.ts';
import { isMisplaced, unwrapRefusal } from '../replies.ts';
import { retryableIfMoved, type ClusterTarget } from './cluster-target.ts';
import { slotCheckpointKey, slotTaggedKey } from './slot-checkpoints.ts';

const MULTI = encodeCommand(['MULTI']);
const EXEC = encodeCommand(['EXEC']);
const REPLIES = 4;

export class CircleMarks {
  /** Of what was written to the source itself. */
  readonly path: string;
  readonly #link: string;

  constructor(link: string, path: string) {
    this.#link = link;
    this.path = path;
  }

  /** From here on in a slot's transaction the path is this one. */
  encode(slot: number, path: string): Buffer {
    return encodePath(slotCheckpointKey(this.#link, slot), path);
  }

  /**
   * Sends commands with their key in second place, each as a transaction of its own that says where it comes from.
   *
   * @param slot where the mark stands, of commands without a key.
   * @returns the reply to each.
   */
  async send(
    connection: Connection,
    commands: readonly (readonly Argument[])[],
    slot?: number,
  ): Promise<Reply[]> {
    const parts = commands.flatMap((words) => {
      const at = slot ?? clusterSlot(bytesOf(words[1]));
      return [MULTI, this.encode(at, this.path), encodeCommand(words), EXEC];
    });
    const replies = await connection.pipelineRaw(Buffer.concat(parts), commands.length * REPLIES);
    return commands.map((_, index) => resultOf(replies.slice(index * REPLIES, (index + 1) * REPLIES)));
  }

  /** Tells whoever reads the cluster's streams that a full sync begins. @throws SyncError. */
  async announceLoading(cluster: ClusterTarget, signal: AbortSignal): Promise<void> {
    await cluster.useAll(signal, async (connection, { facts }) => {
      const slot = facts?.slots[0]?.[0];
      if (slot === undefined) return;
      const key = slotTaggedKey(loadingKey(this.#link), slot);
      const replies = await connection.pipeline([
        ['HSET', key, 'path', ANYWHERE, LOADING_BEGINS, 1],
        ['DEL', key],
      ]);
      const refused = replies.find((reply) => reply instanceof ReplyError);
      if (!(refused instanceof ReplyError)) return;
      const error = wordRefusal(refused, undefined, describeEndpoint(connection.endpoint));
      throw isMisplaced(refused) ? retryableIfMoved(error) : error;
    });
  }
}

/** What the command said, or what kept it from being executed. */
function resultOf(replies: readonly Reply[]): Reply {
  const results = replies.at(-1) ?? null;
  if (Array.isArray(results)) return results[1] ?? null;
  const refused = replies.find((reply) => reply instanceof ReplyError);
  return refused instanceof ReplyError ? unwrapRefusal(refused) : results;
}

function bytesOf(word: Argument | undefined): Uint8Array {
  return typeof word === 'object' ? word : Buffer.from(String(word ?? ''));
}
