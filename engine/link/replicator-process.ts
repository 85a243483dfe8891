/** The replicator as a process of its own: messages in and out over IPC (`redis-sync replicator`). */
import { SyncError } from '../errors.ts';
import type { FromReplicator, ToReplicator } from './messages.ts';
import { Replicator } from './replicator.ts';

const STATUS_INTERVAL_MS = 500;

/** Says it to the parent, if it is still there. */
function tell(message: FromReplicator): void {
  if (process.connected) process.send?.(message);
}

/**
 * Serves one parent until `stop`, or until the parent is gone. Resolves when everything is closed.
 *
 * @throws SyncError USAGE when there is no parent to talk to.
 */
export async function runReplicatorProcess(): Promise<void> {
  if (process.send === undefined) {
    throw new SyncError(
      'USAGE',
      'The replicator is started by redis-sync itself and has no parent to talk to.',
      {
        hint: 'Use `redis-sync run SPEC` to replicate, or `redis-sync verify SPEC` to rehearse.',
      },
    );
  }
  const options = await new Promise<ToReplicator & { kind: 'start' }>((resolve) => {
    process.on('message', (message: ToReplicator) => {
      if (message.kind === 'start') resolve(message);
    });
    tell({ kind: 'ready' });
  });
  const replicator = new Replicator(options.options, tell);
  process.on('message', (message: ToReplicator) => obey(replicator, message));
  // The parent died or let go: finish cleanly, the checkpoint is on the target.
  process.on('disconnect', () => replicator.stop());
  // A terminal's Ctrl-C reaches the whole group; the parent decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => replicator.stop());
  const status = setInterval(() => tell({ kind: 'status', links: replicator.status() }), STATUS_INTERVAL_MS);
  await replicator.run();
  clearInterval(status);
  tell({ kind: 'status', links: replicator.status() });
  tell({ kind: 'stopped' });
  if (process.connected) process.disconnect();
}

function obey(replicator: Replicator, message: ToReplicator): void {
  switch (message.kind) {
    case 'start':
      return;
    case 'status':
      return tell({ kind: 'status', links: replicator.status() });
    case 'pause':
      return replicator.pause(message.link);
    case 'resume':
      return replicator.resume(message.link);
    case 'stop':
      return replicator.stop();
  }
}
