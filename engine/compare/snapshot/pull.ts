/** Receives one snapshot from a server, as a replica would, and hangs up when it is complete. */
import type { Socket } from 'node:net';
import { describeEndpoint, type Endpoint } from '../../connect/endpoint.ts';
import { asError, SyncError } from '../../errors.ts';
import { openReplicaSession } from '../../psync/handshake.ts';
import { SnapshotFramer } from '../../psync/snapshot-framer.ts';
import type { CompareSettings } from '../options.ts';

export interface PulledSnapshot {
  /** Bytes of the snapshot. */
  bytes: number;
  /** Replication offset the snapshot stands for. */
  offset: bigint;
}

/**
 * Hands every byte of the snapshot to `onBytes` (views, valid only during the call) and resolves when the last one came.
 *
 * @throws SyncError CONNECT, AUTH, PSYNC_REFUSED, PROTOCOL, ABORTED; whatever `onBytes` throws.
 */
export async function pullSnapshot(
  endpoint: Endpoint,
  settings: CompareSettings,
  onBytes: (chunk: Buffer) => void,
): Promise<PulledSnapshot> {
  const session = await openReplicaSession(endpoint, null, {
    connectTimeoutMs: settings.connectTimeoutMs,
    idleTimeoutMs: settings.idleTimeoutMs,
    ...(settings.signal ? { signal: settings.signal } : {}),
  });
  try {
    if (session.answer.kind !== 'full') {
      throw new SyncError('PROTOCOL', 'The server answered PSYNC ? -1 with a continuation.', {
        where: describeEndpoint(endpoint),
      });
    }
    const bytes = await receive(session.socket, session.rest, { endpoint, settings, onBytes });
    return { bytes, offset: session.answer.offset };
  } finally {
    session.socket.destroy();
  }
}

interface Receiving {
  endpoint: Endpoint;
  settings: CompareSettings;
  onBytes: (chunk: Buffer) => void;
}

function receive(socket: Socket, rest: Buffer, { endpoint, settings, onBytes }: Receiving): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const framer = new SnapshotFramer({
      begin: () => undefined,
      bytes: (chunk) => {
        bytes += chunk.length;
        onBytes(chunk);
      },
      end: () => finish(),
    });
    const finish = (error?: Error): void => {
      settings.signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      if (error === undefined) resolve(bytes);
      else reject(error);
    };
    const lost = (why: string): void =>
      finish(
        new SyncError('CONNECT', `The snapshot broke off after ${bytes} bytes: ${why}.`, {
          where: describeEndpoint(endpoint),
          retryable: true,
          hint: 'Look into the log of the server: a failed fork, or client-output-buffer-limit replica.',
        }),
      );
    const onAbort = (): void => finish(new SyncError('ABORTED', 'The comparison was aborted.'));
    const onData = (chunk: Buffer): void => {
      if (framer.done) return;
      try {
        framer.push(chunk);
      } catch (error) {
        finish(asError(error));
      }
    };
    settings.signal?.addEventListener('abort', onAbort, { once: true });
    socket.setTimeout(settings.idleTimeoutMs, () =>
      lost(`nothing came for ${settings.idleTimeoutMs / 1000} s`),
    );
    socket.once('close', () => lost('the server closed the connection'));
    socket.on('data', onData);
    if (rest.length > 0) onData(rest);
    socket.resume();
  });
}
