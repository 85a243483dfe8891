/** repl.outputbuffer: the source keeps what is written during its snapshot for us, instead of dropping us half-way. */
import type { Precheck } from '../precheck.ts';
import { Unmeasured, type Side } from '../side.ts';
import { measureWriteRate } from '../write-rate.ts';

/** What redis.conf ships with: 256 MB hard, 64 MB for 60 s. */
const DEFAULT_HARD_BYTES = 256 * 1024 * 1024;
/** A pessimistic speed of writing a snapshot to us. */
const SNAPSHOT_BYTES_PER_SECOND = 20 * 1024 * 1024;

export const replOutputBuffer: Precheck = {
  id: 'repl.outputbuffer',
  about: 'source',
  expected: 'client-output-buffer-limit replica 0 0 0, or more than is written during a snapshot',
  async measure({ source }) {
    const text = await source.config('client-output-buffer-limit');
    const limit = parseReplicaLimit(text);
    if (!limit) throw new Unmeasured(`CONFIG GET client-output-buffer-limit → ${text}`);
    const shown = `CONFIG GET client-output-buffer-limit → replica ${limit.hardBytes} ${limit.softBytes} ${limit.softSeconds}`;
    if (limit.hardBytes === 0 && limit.softBytes === 0) return { verdict: 'PASS', measured: shown };
    const { snapshotSeconds, writtenBytes } = await estimateSnapshot(source);
    const measured = `${shown}; about ${Math.ceil(writtenBytes / 1024)} kB written during a snapshot`;
    const repair = 'CONFIG SET client-output-buffer-limit "replica 0 0 0" on the source while synchronizing.';
    const effectiveBytes = effectiveLimit(limit, snapshotSeconds);
    if (effectiveBytes < writtenBytes)
      return { verdict: source.provisioned ? 'WARN' : 'FAIL', measured, repair };
    if (writtenBytes > 0 && effectiveBytes > DEFAULT_HARD_BYTES) return { verdict: 'PASS', measured };
    return { verdict: 'WARN', measured, repair };
  },
};

export interface OutputBufferLimit {
  hardBytes: number;
  softBytes: number;
  softSeconds: number;
}

/** From `normal 0 0 0 slave 268435456 67108864 60 pubsub …`; the class is called `replica` or `slave`, by version. */
export function parseReplicaLimit(text: string): OutputBufferLimit | undefined {
  const [, hard, soft, seconds] = /(?:slave|replica) (\d+) (\d+) (\d+)/.exec(text) ?? [];
  if (hard === undefined) return undefined;
  return { hardBytes: Number(hard), softBytes: Number(soft), softSeconds: Number(seconds) };
}

/** The soft limit bites only when it is passed for its whole time. */
function effectiveLimit(
  { hardBytes, softBytes, softSeconds }: OutputBufferLimit,
  snapshotSeconds: number,
): number {
  const hard = hardBytes === 0 ? Infinity : hardBytes;
  const soft = softBytes === 0 || snapshotSeconds < softSeconds ? Infinity : softBytes;
  return Math.min(hard, soft);
}

async function estimateSnapshot(source: Side): Promise<{ snapshotSeconds: number; writtenBytes: number }> {
  const [memory, rate] = await Promise.all([source.info('memory'), measureWriteRate(source)]);
  const snapshotSeconds =
    Number(memory['used_memory_dataset'] ?? memory['used_memory'] ?? 0) / SNAPSHOT_BYTES_PER_SECOND;
  return { snapshotSeconds, writtenBytes: rate.bytesPerSecond * snapshotSeconds };
}
