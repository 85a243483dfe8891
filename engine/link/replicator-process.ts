/** The replicator as a process of its own: messages in and out over IPC (`redis-sync replicator`). */
import { setRoutes } from '../connect/routes.ts';
import { SyncError } from '../errors.ts';
import type { FromReplicator, ToReplicator } from './messages.ts';
import { Replicator } from './replicator.ts';

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
  const replicator = await new Promise<Replicator>((resolve) => {
    // One listener from the first moment on: what comes right behind `start` must not be lost.
    let started: Replicator | undefined;
    process.on('message', (message: ToReplicator) => {
      if (message.kind === 'start') {
        setRoutes(message.options.routes ?? {});
        resolve((started ??= new Replicator(message.options, tell)));
      }
      if (message.kind !== 'start' && started) obey(started, message);
    });
    tell({ kind: 'ready' });
  });
  // The parent died or let go: finish cleanly, but do not live on because a target is down. The checkpoint is there.
  process.on('disconnect', () => {
    replicator.stop();
    setTimeout(() => replicator.abort(), ORPHAN_DRAIN_MS).unref();
  });
  // A terminal's Ctrl-C reaches the whole group; the parent decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', () => replicator.stop());
  const status = setInterval(() => tell({ kind: 'status', links: replicator.status() }), STATUS_INTERVAL_MS);
  await replicator.run();
  clearInterval(status);
  tell({ kind: 'status', links: replicator.status() });
  tell({ kind: 'stopped' });
  if (process.connected) process.disconnect();
}

function obey(replicator: Replicator, message: Exclude<ToReplicator, { kind: 'start' }>): void {
  switch (message.kind) {
    case 'status':
      return tell({ kind: 'status', links: replicator.status() });
    case 'endpoints':
      return replicator.relocate(message.source, message.targets);
    case 'join':
      return replicator.join(message.link);
    case 'routes':
      return setRoutes(message.routes);
    case 'pause':
      return replicator.pause(message.link);
    case 'resume':
      return replicator.resume(message.link);
    case 'settle':
      return replicator.settle(message.link);
    case 'stop':
      return replicator.stop();
  }
}
