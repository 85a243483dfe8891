/** Runs bytes through framer, translator and builder, as a lane does, and says in comparable form what came out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvelopeBuilder } from '../../../engine/apply/envelope.ts';
import { Losses } from '../../../engine/apply/rebuild/losses.ts';
import { StreamTranslator } from '../../../engine/apply/stream-translator.ts';
import { CommandTranslator } from '../../../engine/apply/translate/command-translator.ts';
import { SourceClock } from '../../../engine/apply/translate/source-clock.ts';
import { SyncError, type ErrorCode } from '../../../engine/errors.ts';
import { CommandFramer } from '../../../engine/resp/command-framer.ts';

const FOLDER = join(import.meta.dirname, 'streams');

/** By server and version. */
export const STREAMS: ReadonlyMap<string, Buffer> = new Map(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.stream'))
    .map((name) => [name.replace('.stream', ''), readFileSync(join(FOLDER, name))]),
);

export const CHECKPOINT = 'redis-sync:link:fuzz';
const HEARTBEAT = 'DTS_REDIS_TIMESTAMP_HEARTBEAT';

export interface Outcome {
  /** Code of the typed error it ended with, or `ok`. Anything else that is thrown is a bug, and thrown on. */
  end: ErrorCode | 'ok';
  message: string;
  /** Every command that would be sent, in order, checkpoints and SELECT 0 between envelopes left out. */
  commands: string[][];
  /** Source offset up to which units are complete. */
  offset: bigint;
  /** Bytes that would be sent. */
  bytes: number;
}

export interface BenchOptions {
  /** Translate for a target that knows little: every rule is at work. */
  translating?: boolean;
  /** An envelope is taken after so many pushed chunks. Default: one at the end. */
  takeEvery?: number;
}

/** @throws whatever is thrown that is not a SyncError, and an Error when an envelope is not well formed. */
export function runStream(chunks: readonly Buffer[], options: BenchOptions = {}): Outcome {
  const start = { replid: 'r'.repeat(40), offset: 0n, database: 0, path: 'p', alone: true };
  const builder = new EnvelopeBuilder({ checkpointKey: CHECKPOINT, sizeBytes: 512, start });
  const clock = new SourceClock(1000, () => 0);
  const translator = new StreamTranslator({
    builder,
    start,
    heartbeatPrefix: HEARTBEAT,
    checkpointKey: CHECKPOINT,
    flush: 'propagate',
    onAckRequested: () => undefined,
    onDropped: () => undefined,
    onFlush: () => undefined,
    ...(options.translating ? { translation: oldTarget(clock) } : {}),
  });
  const outcome: Outcome = { end: 'ok', message: '', commands: [], offset: 0n, bytes: 0 };
  const take = (): void => {
    if (!builder.hasUnits) return;
    const envelope = builder.take();
    outcome.bytes += envelope.bytes.length;
    outcome.commands.push(...openEnvelope(envelope.bytes, envelope.queued));
    envelope.release();
  };
  try {
    for (const [index, chunk] of chunks.entries()) {
      translator.push(chunk, 1_700_000_000_000);
      if (options.takeEvery !== undefined && index % options.takeEvery === 0) take();
    }
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    outcome.end = error.code;
    outcome.message = error.message;
  }
  // What was complete before an error is applied.
  take();
  outcome.offset = builder.offset;
  return outcome;
}

function oldTarget(
  clock: SourceClock,
): NonNullable<ConstructorParameters<typeof StreamTranslator>[0]['translation']> {
  const facts = {
    server: 'redis 5.0.0',
    family: 'redis' as const,
    version: [5, 0, 0] as const,
    cluster: false,
    databases: 16,
    payloadVersions: new Set([6, 7, 8, 9]),
    commands: undefined,
    modules: new Set<string>(),
    degraded: [],
  };
  const losses = new Losses({ onFinding: () => undefined, onCount: () => undefined });
  return {
    commands: new CommandTranslator({ facts, losses, sourceTimeMs: () => clock.executedAtMs(0) }),
    clock,
    policy: 'skip',
    onUnsupported: () => undefined,
    onLoss: () => undefined,
  };
}

/** The commands of an envelope without its frame. @throws Error when it is not exactly as announced. */
function openEnvelope(bytes: Buffer, queued: number): string[][] {
  const all: string[][] = [];
  const framer = new CommandFramer(({ buffer, argc, argStart, argEnd }) => {
    all.push(
      Array.from({ length: argc }, (_, index) => buffer.toString('latin1', argStart[index], argEnd[index])),
    );
  });
  framer.push(bytes);
  if (framer.pendingBytes > 0 || all.length !== queued + 1)
    throw new Error(
      `an envelope of ${all.length} commands says ${queued}, and ${framer.pendingBytes} bytes more`,
    );
  const [multi, checkpoint, ...body] = all;
  if (multi?.[0] !== 'MULTI' || checkpoint?.[0] !== 'HSET' || checkpoint[1] !== CHECKPOINT)
    throw new Error('an envelope without its checkpoint in front');
  return dropReturns(body);
}

/** The connection goes back to database 0 at the end of an envelope, and forth again in the next: where that is, differs. */
function dropReturns(body: string[][]): string[][] {
  let database = '0';
  return body.flatMap((words) => {
    if (words[0] === 'SELECT') database = words[1] ?? '';
    // Written again behind a command that may have removed it; its offset is that of the envelope's end.
    if (words[0] === 'SELECT' || words[1] === CHECKPOINT) return [];
    return [[`db${database}`, ...words]];
  });
}

/** The bytes in pieces of these sizes, over and over. */
export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    // A copy: what stands behind a chunk in memory is not its own.
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}
