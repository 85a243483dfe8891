/** `redis-sync proxy`: the fault proxy of a rehearsal; started by the runner with an IPC channel. */
import { runProxyProcess } from '../../scenarios/proxy/proxy-process.ts';

export async function proxy(): Promise<number> {
  await runProxyProcess();
  return 0;
}
