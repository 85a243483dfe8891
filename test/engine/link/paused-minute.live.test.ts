/**
 * A target that stands still for a whole minute under load, at a source that ends every replica which does not read. In a file
 * of its own: the minute is mostly waiting, and passes beside other tests.
 */
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { openReplicaSession, type ReplicaSession } from '../../../engine/psync/handshake.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { infoOf, syncsOf } from '../../support/replication.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { LiveLink, stringsOf } from './live-link.ts';

const MINUTE_MS = 60_000;
const WRITE_EVERY_MS = 250;
const VALUES_AT_ONCE = 16;
const VALUE = Buffer.alloc(32 * 1024, 'x');
/** Far less than what is written in the minute, with what the system buffers on top of it. */
const STRICT = {
  'client-output-buffer-limit': 'replica 4mb 4mb 1',
  'repl-backlog-size': '1mb',
  // A replica that does not acknowledge for so long is ended too.
  'repl-timeout': '20',
};

interface ReplicaLine {
  id: string;
  offset: bigint;
}

/** The replicas the source has, and the offset each has acknowledged. */
async function replicasOf(connection: Connection): Promise<ReplicaLine[]> {
  const [list = null, info = null] = await connection.pipeline([
    ['CLIENT', 'LIST', 'TYPE', 'replica'],
    ['INFO', 'replication'],
  ]);
  const ids = [...textOf(list).matchAll(/^id=(\d+) /gm)].map(([, id]) => id ?? '');
  const offsets = [...textOf(info).matchAll(/^slave\d+:.*offset=(\d+)/gm)].map(([, at]) => BigInt(at ?? -1));
  return ids.map((id, index) => ({ id, offset: offsets[index] ?? -1n }));
}

/** A replica that is accepted and then reads nothing: the source has to end it, or this test shows nothing. */
async function openDeafReplica(source: TestServer): Promise<ReplicaSession> {
  const session = await openReplicaSession(source.endpoint, null, {
    connectTimeoutMs: 5000,
    idleTimeoutMs: 5000,
  });
  session.socket.pause().on('error', () => undefined);
  return session;
}

/** Writes for a minute, a little every quarter of a second; how often. */
async function writeForAMinute(connection: Connection): Promise<number> {
  const beganMs = performance.now();
  let rounds = 0;
  while (performance.now() - beganMs < MINUTE_MS) {
    const values = Array.from({ length: VALUES_AT_ONCE }, (_, index) => ['SET', `noise:${index}`, VALUE]);
    await connection.pipeline([['INCR', 'rounds'], ['APPEND', 'log', `${++rounds} `], ...values]);
    await new Promise((resolve) => setTimeout(resolve, WRITE_EVERY_MS));
  }
  return rounds;
}

test(
  'source output buffer: never overflows while the target is paused for a minute',
  { timeout: 2.5 * MINUTE_MS },
  async () => {
    await using source = await startServer(STRICT);
    await using target = await startServer();
    await using link = await LiveLink.start(source.endpoint, target.endpoint, {
      heartbeatMs: 0,
      logMemoryBytes: 1024 * 1024,
    });
    await link.state('Synchronizing');
    await link.drained(source.endpoint);
    await using onSource = await Connection.open(source.endpoint);
    const [ours] = await replicasOf(onSource);
    const deaf = await openDeafReplica(source);
    const writtenBefore = BigInt((await infoOf(source.endpoint, 'replication'))['master_repl_offset'] ?? -1);
    process.kill(target.pid, 'SIGSTOP');
    const rounds = await writeForAMinute(onSource);
    const after = await replicasOf(onSource);
    const { log } = link.status;
    process.kill(target.pid, 'SIGCONT');
    deaf.socket.destroy();

    // The one that did not read was ended for it; ours is the same connection as before.
    expect(source.log().match(/overcoming of output buffer limits/g)).toHaveLength(1);
    expect(after.map(({ id }) => id)).toEqual([ours?.id]);
    // It went on acknowledging, or it would be gone too; and nothing that is not on the target.
    expect(after[0]?.offset).toBeLessThanOrEqual(writtenBefore);
    expect(log.diskBytes).toBeGreaterThan(rounds * VALUES_AT_ONCE * VALUE.length * 0.8);
    await link.drained(source.endpoint);
    expect(await stringsOf(target.endpoint)).toEqual(await stringsOf(source.endpoint));
    expect(await stringsOf(target.endpoint)).toMatchObject({ rounds: String(rounds) });
    // The second one is that of the deaf replica.
    expect(await syncsOf(source.endpoint)).toEqual({ full: 2, partial: 0 });
    expect(link.said('sync-started').map(({ mode }) => mode)).toEqual(['full']);
  },
);
