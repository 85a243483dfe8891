/** The replicator as a process of its own: messages in and out over IPC (`redis-sync replicator`). */
import { SyncError } from '../errors.ts';
import { HostedReplicators as Hosted } from './hosted-replicators.ts';
import type { FromReplicator, ToReplicator } from './messages.ts';

const STATUS_INTERVAL_MS = 500;
/** How long an orphan goes on applying what it has received. */
const ORPHAN_DRAIN_MS = 10_000;

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
  const hosted = new Hosted(tell);
  process.on('message', (message: ToReplicator) => hosted.obey(message));
  tell({ kind: 'ready' });
  await hosted.started;
  // The parent died or let go: finish cleanly, but do not live on because a target is down. The checkpoint is there.
  process.on('disconnect', () => {
    hosted.stop();
    setTimeout(() => hosted.abort(), ORPHAN_DRAIN_MS).unref();
  });
  // A terminal's Ctrl-C reaches the whole group; the parent decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', () => hosted.stop());
  const status = setInterval(() => hosted.tellStatus(), STATUS_INTERVAL_MS);
  await hosted.ended();
  clearInterval(status);
  hosted.tellStatus();
  tell({ kind: 'stopped' });
  if (process.connected) process.disconnect();
}
