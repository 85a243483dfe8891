/**
 * How much memory a replicator takes while its target stands still: what waits is on disk, and what was in memory is given
 * back. As the runner starts it, because its flags are half of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { FromReplicator, LinkStatus } from '../../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../../engine/link/options.ts';
import { ReplicatorHandle } from '../../../runner/run/replicator-handle.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const MIB = 1 << 20;
/** The promise, at its peak. */
const RESIDENT_BYTES_MAX = 200_000_000;
/** The log's own limit, what the disk has not taken yet, and the open entry. */
const LOG_BYTES_MAX = DEFAULT_ENGINE_OPTIONS.logMemoryBytes + 9 * MIB;
const KEYS = 100_000;
/** Of a machine that has much else to do. */
const LIMIT_MS = 180_000;
/** All deadlines are near for a link that is behind: they are written later, remembered, and given back. */
const SET_DEADLINES = `for i = 0, ${KEYS - 1} do redis.call('pexpire', 'key:' .. i, 900000 + i * 10) end`;

interface Watched extends AsyncDisposable {
  handle: ReplicatorHandle;
  said: FromReplicator[];
  status(): LinkStatus | undefined;
}

async function startReplicator(source: TestServer, target: TestServer): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sync-memory-'));
  const said: FromReplicator[] = [];
  const handle = await ReplicatorHandle.start({
    name: 'memory',
    logFile: join(folder, 'replicator.log'),
    options: {
      source: source.endpoint,
      links: [{ id: 'link', target: target.endpoint }],
      engine: DEFAULT_ENGINE_OPTIONS,
      spoolFolder: join(folder, 'spool'),
    },
    onStarted: () => undefined,
    onMessage: (message) => said.push(message),
    onDied: (error) => {
      throw error;
    },
  });
  return {
    handle,
    said,
    status: () => handle.statuses[0],
    [Symbol.asyncDispose]: async () => {
      await handle.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

it(
  'keeps its bounds while the target stands still in a full sync and in the stream, and after both',
  { timeout: LIMIT_MS },
  async () => {
    await using source = await startServer({
      'enable-debug-command': 'yes',
      rdbcompression: 'no',
      'client-output-buffer-limit': 'replica 0 0 0',
    });
    await using target = await startServer();
    await using onSource = await Connection.open(source.endpoint, { replyTimeoutMs: 0 });
    await onSource.call('DEBUG', 'POPULATE', KEYS, 'key', 2500);
    await onSource.call('EVAL', SET_DEADLINES, 0);
    await using engine = await startReplicator(source, target);
    await until(() => (engine.status()?.snapshot.keys ?? 0) > 0);
    process.kill(target.pid, 'SIGSTOP');
    await until(() => (engine.status()?.log.diskBytes ?? 0) > 150 * MIB);
    process.kill(target.pid, 'SIGCONT');
    await until(() => engine.said.some(({ kind }) => kind === 'sync-finished'));
    process.kill(target.pid, 'SIGSTOP');
    const value = Buffer.alloc(64 * 1024, 'x');
    const megabyte = Array.from({ length: 16 }, (_, index) => ['SET', `new:${index}`, value]);
    for (let written = 0; written < 100; written++) await onSource.pipeline(megabyte);
    await until(() => (engine.status()?.log.diskBytes ?? 0) > 50 * MIB);
    process.kill(target.pid, 'SIGCONT');
    await until(() => engine.status()?.lagBytes === 0 && engine.status()?.deferred === 0);
    const logBytes = engine.said.flatMap((message) =>
      message.kind === 'status' ? message.links.map(({ log }) => log.memoryBytes) : [],
    );
    expect(Math.max(...logBytes)).toBeLessThanOrEqual(LOG_BYTES_MAX);
    const [{ rssBytes } = { rssBytes: NaN }] = await engine.handle.status();
    expect(rssBytes).toBeLessThan(RESIDENT_BYTES_MAX);
  },
);
