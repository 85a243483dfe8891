/** What a server spends while something is measured: CPU with that of its children, forks, bytes sent. */
import type { Connection } from '../../engine/connect/connection.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { SourceCost } from './measurement.ts';
import { until } from './stopwatch.ts';

/** Begins to count. @returns what tells how much it was, once no child is running any more. */
export async function countCost(connection: Connection): Promise<() => Promise<SourceCost>> {
  const before = await readCost(connection);
  return async () => {
    // Until a child is waited for its time is not counted.
    await until('no child at the source', async () => {
      const info = parseInfo(await connection.call('INFO', 'persistence'));
      return info['rdb_bgsave_in_progress'] === '0' && info['current_fork_perc'] !== undefined;
    });
    const after = await readCost(connection);
    return {
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      forks: after.forks - before.forks,
      outputBytes: after.outputBytes - before.outputBytes,
    };
  };
}

async function readCost(connection: Connection): Promise<SourceCost> {
  const info = {
    ...parseInfo(await connection.call('INFO', 'cpu')),
    ...parseInfo(await connection.call('INFO', 'stats')),
  };
  const number = (field: string): number => Number(info[field] ?? Number.NaN);
  return {
    cpuSeconds: ['used_cpu_sys', 'used_cpu_user', 'used_cpu_sys_children', 'used_cpu_user_children']
      .map(number)
      .reduce((sum, each) => sum + each, 0),
    forks: number('total_forks'),
    outputBytes: number('total_net_output_bytes') + (Number(info['total_net_repl_output_bytes']) || 0),
  };
}
