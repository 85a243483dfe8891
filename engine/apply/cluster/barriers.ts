/**
 * Commands without a key, on every shard of a cluster: function libraries and scripts are loaded everywhere; a flush removes
 * the keys that are the source's, one by one, so that neither our checkpoints nor another shard's data go with them.
 *
 * Each may be repeated: after a break nobody has to know how far it came.
 */
import type { Connection } from '../../connect/connection.ts';
import { SyncError } from '../../errors.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import { CommandFramer } from '../../resp/command-framer.ts';
import type { Argument } from '../../resp/encode.ts';
import type { LinkFinding } from '../finding.ts';
import { wordRefusal } from '../refusals.ts';
import { reactionTo } from '../replies.ts';
import { isOwnKey, scanKeys, wordFirstError } from '../target-contents.ts';
import type { ClusterTarget } from './cluster-target.ts';
import type { OwnTurns } from './own-turns.ts';

const AT_ONCE = 500;

export interface EverywhereOptions {
  cluster: ClusterTarget;
  signal: AbortSignal;
  /** Whether a key is the source shard's own; undefined: all are. */
  owns: ((key: Uint8Array) => boolean) | undefined;
  onFinding: (finding: LinkFinding) => void;
  turns: OwnTurns;
}

/** @throws SyncError what stops the link. */
export async function applyEverywhere(
  { name, bytes }: { name: string; bytes: Buffer },
  { cluster, signal, owns, onFinding, turns }: EverywhereOptions,
): Promise<void> {
  await cluster.refresh(signal);
  if (name === 'FLUSHALL' || name === 'FLUSHDB')
    return cluster.useAll(signal, (connection, shard) =>
      sweep(connection, owns, signal, (commands) => turns.pipeline(connection, shard, commands)),
    );
  const command = repeatable(bytes);
  await cluster.useAll(signal, async (connection, shard) => {
    const [reply] = await turns.pipeline(connection, shard, [command], 'keyless');
    if (!(reply instanceof ReplyError) || isDoneBefore(reply)) return;
    if (reactionTo(reply).reaction === 'retry') throw wordRefusal(reply, undefined, cluster.describe());
    onFinding({
      code: 'APPLY_ERROR',
      severity: 'error',
      message: `A shard refused ${name}: ${reply.message}`,
      evidence: {
        command: name,
        reply: reply.message,
        shard: `${connection.endpoint.host}:${connection.endpoint.port}`,
      },
    });
  });
}

/** Deletes the source's keys of this node. Slots on the move refuse some: then it is done again. */
async function sweep(
  connection: Connection,
  owns: ((key: Uint8Array) => boolean) | undefined,
  signal: AbortSignal,
  send: Send,
): Promise<void> {
  for await (const { keys } of scanKeys(connection)) {
    signal.throwIfAborted();
    const doomed = keys.filter((key) => !isOwnKey(key) && owns?.(key) !== false);
    await unlinkEach(connection, doomed, send);
  }
}

/** Sends commands, and resolves with the reply to each. */
type Send = (commands: readonly (readonly Argument[])[]) => Promise<Reply[]>;

/** One by one: keys of several slots cannot stand in one command. @throws SyncError, retryable where it may pass. */
export async function unlinkEach(
  connection: Connection,
  keys: readonly Buffer[],
  send: Send = (commands) => connection.pipeline(commands),
): Promise<number> {
  let removed = 0;
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    const replies = await send(keys.slice(from, from + AT_ONCE).map((key) => ['UNLINK', key]));
    const moved = replies.find(
      (reply) => reply instanceof ReplyError && /^(MOVED|ASK|TRYAGAIN)/.test(reply.message),
    );
    if (moved instanceof ReplyError)
      throw new SyncError('CONNECT', `A slot moved while keys were removed: ${moved.message}`, {
        retryable: true,
      });
    if (replies.some((reply) => reply instanceof ReplyError))
      throw wordFirstError('UNLINK', replies, connection);
    removed += replies.reduce<number>((sum, reply) => sum + (reply === 1 ? 1 : 0), 0);
  }
  return removed;
}

/** FUNCTION LOAD and RESTORE replace what an earlier attempt has left. */
function repeatable(bytes: Buffer): Argument[] {
  let words: Buffer[] = [];
  new CommandFramer(({ buffer, argc, argStart, argEnd }) => {
    words = Array.from({ length: argc }, (_, at) => buffer.subarray(argStart[at], argEnd[at]));
  }).push(bytes);
  const [name, kind, ...rest] = words.map((word) => word.toString('latin1').toUpperCase());
  const isLoad = name === 'FUNCTION' && kind === 'LOAD' && rest[0] !== 'REPLACE';
  if (isLoad) return [...words.slice(0, 2), 'REPLACE', ...words.slice(2)];
  const isRestore = name === 'FUNCTION' && kind === 'RESTORE' && words.length === 3;
  return isRestore ? [...words, 'REPLACE'] : words;
}

function isDoneBefore({ message }: ReplyError): boolean {
  return /library not found/i.test(message);
}
