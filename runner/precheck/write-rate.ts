/** Estimates how fast a source's replication stream grows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseInfo, textOf } from '../../engine/resp/reply-text.ts';
import { ReplyError } from '../../engine/resp/reply.ts';
import { Unmeasured, type Side } from './side.ts';

export interface WriteRate {
  bytesPerSecond: number;
  /** The true rate may be lower. */
  upperBound: boolean;
  /** How it was measured, for the row. */
  how: string;
}

const SAMPLE_MS = 300;

/** Bytes of stream per second right now. @throws Unmeasured when INFO is refused. */
export async function measureWriteRate(source: Side): Promise<WriteRate> {
  const first = await readOffset(source);
  if (first === undefined) {
    // Without a replica the server keeps no backlog and the offset stands still: what arrives is an upper bound.
    const stats = await source.info('stats');
    const kilobytes = Number(stats['instantaneous_input_kbps'] ?? 0);
    return {
      bytesPerSecond: kilobytes * 1024,
      upperBound: true,
      how: `instantaneous_input_kbps ${kilobytes}`,
    };
  }
  const startedMs = performance.now();
  await sleep(SAMPLE_MS);
  const second = (await readOffset(source)) ?? first;
  const bytesPerSecond = Math.round(((second - first) * 1000) / (performance.now() - startedMs));
  return {
    bytesPerSecond,
    upperBound: false,
    how: `Δmaster_repl_offset ${second - first} in ${SAMPLE_MS} ms`,
  };
}

/** Asked anew each time; undefined while the server keeps no backlog. */
async function readOffset(source: Side): Promise<number | undefined> {
  const [reply = null] = await source.send([['INFO', 'replication']]);
  if (reply instanceof ReplyError) throw new Unmeasured(`INFO replication → ${textOf(reply)}`);
  const info = parseInfo(reply);
  return info['repl_backlog_active'] === '1' ? Number(info['master_repl_offset']) : undefined;
}
