/**
 * After a failover of a target shard to a replica that was behind: the slots say up to where they are, and what they lack is
 * read from the source once more, from its backlog, on a connection of its own.
 *
 *   source ──PSYNC from before the first lost write──▶ commands of the lost slots only ──▶ rounds ──▶ as before
 *
 * Every slot leaves out what it has; so slots that lost nothing get nothing.
 */
import { readBacklog } from '../../link/source-facts.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import { asError, SyncError } from '../../errors.ts';
import type { LinkFinding } from '../finding.ts';
import { openReplicaSession } from '../../psync/handshake.ts';

const CONNECT_TIMEOUT_MS = 5000;
const IDLE_TIMEOUT_MS = 60_000;
/** Round ends that are remembered: minutes of a busy stream. */
const BOUNDARIES_MAX = 50_000;

/** Offsets at which the stream may be begun anew: between commands, outside of transactions. */
export class Boundaries {
  #offsets: number[];

  constructor(start: number) {
    this.#offsets = [start];
  }

  add(offset: number): void {
    if (this.#offsets.at(-1) === offset) return;
    this.#offsets.push(offset);
    if (this.#offsets.length > 2 * BOUNDARIES_MAX) this.#offsets = this.#offsets.slice(-BOUNDARIES_MAX);
  }

  /** The last one that is not behind `offset`; undefined when none is known. */
  before(offset: number): number | undefined {
    return this.#offsets.findLast((each) => each <= offset);
  }
}

export interface StreamPart {
  replid: string;
  /** Behind the last byte before the part, and behind its last byte. */
  from: number;
  to: number;
}

/**
 * Hands out the source's stream from `from` to `to`.
 *
 * @throws SyncError APPLY_REFUSED when the source does not have it any more; CONNECT, AUTH ….
 */
export async function rereadStream(
  source: Whereabouts,
  { replid, from, to }: StreamPart,
  signal: AbortSignal,
  onBytes: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  const backlog = await readBacklog(source, signal);
  if (backlog === undefined)
    throw new SyncError('CONNECT', 'The source does not tell its backlog now.', { retryable: true });
  if (backlog.firstOffset > BigInt(from + 1)) throw notThereAnyMore(from);
  await using located = await openWhere(source, { signal });
  const session = await openReplicaSession(
    located.endpoint,
    { replid, offset: BigInt(from) },
    { connectTimeoutMs: CONNECT_TIMEOUT_MS, idleTimeoutMs: IDLE_TIMEOUT_MS, signal },
  );
  const { socket } = session;
  try {
    if (session.answer.kind !== 'continue') throw notThereAnyMore(from);
    let left = to - from;
    const take = async (chunk: Buffer): Promise<void> => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (part.length > 0) await onBytes(part);
    };
    await take(session.rest);
    if (left === 0) return;
    for await (const chunk of socket) {
      signal.throwIfAborted();
      if (Buffer.isBuffer(chunk)) await take(chunk);
      if (left === 0) return;
    }
    throw new SyncError('CONNECT', 'The source closed the connection.', { retryable: true });
  } catch (error) {
    const failure = asError(error);
    if (failure instanceof SyncError) throw failure;
    throw new SyncError('CONNECT', failure.message, { retryable: true, cause: failure });
  } finally {
    socket.destroy();
  }
}

function notThereAnyMore(offset: number): SyncError {
  return new SyncError(
    'APPLY_REFUSED',
    `The target has lost writes it had acknowledged, and the source’s backlog does not reach back to offset ${offset}.`,
    {
      hint: 'A shard failed over to a replica that was behind. Start over with an empty target, a larger repl-backlog-size, and engine.durability.',
    },
  );
}

/** Of a source's stream. */
export interface LostRange {
  /** What is behind it was lost. */
  from: number;
  to: number;
  /** Up to where replicas had confirmed, if the policy asked for that. */
  durable: bigint | undefined;
}

/** Shards of a target lack something that will be read again. */
export function lostFinding(slots: number, { from, to, durable }: LostRange, where: string): LinkFinding {
  const consequence =
    durable === undefined
      ? ''
      : BigInt(from) < durable
        ? ` Replicas had confirmed up to ${durable}.`
        : ` Nothing was lost that replicas had confirmed (up to ${durable}).`;
  return {
    code: 'NOT_DURABLE',
    severity: 'warning',
    message: `${slots} slots of the target lack writes that it had acknowledged, from offset ${from} on: they are read from the source again.${consequence}`,
    evidence: {
      slots,
      from: String(from),
      to: String(to),
      target: where,
      ...(durable === undefined ? {} : { durable: String(durable) }),
    },
  };
}

/** It cannot be read again. */
export function lostForGood(offset: number, where: string): SyncError {
  return new SyncError(
    'APPLY_REFUSED',
    `The target has lost writes it had acknowledged, from offset ${offset} on.`,
    {
      where,
      hint: 'A shard failed over to a replica that was behind. Start over with an empty target, and set engine.durability.',
    },
  );
}
