/** `redis-sync replicator`: hosts the engine; started by the runner with an IPC channel. */
import { runReplicatorProcess } from '../../engine/link/replicator-process.ts';

export async function replicator(): Promise<number> {
  await runReplicatorProcess();
  return 0;
}
