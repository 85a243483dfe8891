/** repl.psync2: a failover or restart of the source does not make everybody copy everything again, and its stream is of effects. */
import type { Precheck } from '../precheck.ts';

export const replPsync2: Precheck = {
  id: 'repl.psync2',
  about: 'source',
  expected: 'the source knows PSYNC 2 (4.0 or newer): a link continues behind a failover',
  async measure({ source }) {
    const { master_replid: replid, master_repl_offset: offset } = await source.info('replication');
    if (replid !== undefined)
      return { verdict: 'PASS', measured: `INFO replication → master_replid ${replid.slice(0, 8)}…` };
    const { redis_version: version = '?' } = await source.info('server');
    if (offset === undefined)
      return {
        verdict: 'UNKNOWN',
        measured: 'INFO replication → neither master_replid nor master_repl_offset',
        repair:
          'Is this a server that can be replicated? A proxy is not: use the address of the server itself.',
      };
    return {
      verdict: 'WARN',
      measured: `INFO replication → no master_replid (Redis ${version}, or Codis's server, which is built from 3.2)`,
      repair:
        'Each failover or restart of the source means another full sync; scripts come as text, and are run on the target (engine.scripts). Rehearse both, and make no failover while synchronizing.',
    };
  },
};
