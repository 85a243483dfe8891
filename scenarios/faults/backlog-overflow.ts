/** Replicas are cut, and before they can come back more is written than the backlog holds: exactly one full resync. */
import { ReplyError } from '../../engine/resp/reply.ts';
import { aimedNode, infoOf, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { ownKey } from './server-settings.ts';

const FILLER_KEY = 'redis-sync:fault-filler';

export const backlogOverflow = defineFault({
  name: 'backlog-overflow',
  summary:
    'The source drops its replicas and writes more than its backlog holds in one transaction: all is copied again.',
  requires: ['write'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: false,
  async inject({ context }) {
    const node = await aimedNode(context);
    const before = await infoOf(node, 'stats');
    const { repl_backlog_size: size = '1048576' } = await infoOf(node, 'replication');
    const filler = Buffer.alloc(Math.min(Number(size), 1024 * 1024), 'x');
    const writes = Math.ceil((Number(size) * 1.5) / filler.length) + 1;
    await using connection = await openNode(node);
    const key = await ownKey(connection, FILLER_KEY);
    // Atomic: whoever is cut finds the bytes written when he comes back, however quick he is.
    const replies = await connection.pipeline([
      ['MULTI'],
      ['CLIENT', 'KILL', 'TYPE', 'replica'],
      ...Array.from({ length: writes }, () => ['SET', key, filler]),
      ['DEL', key],
      ['EXEC'],
    ]);
    const result = replies.at(-1);
    if (result instanceof ReplyError) return ineffective(result.message);
    const after = await awaitEvidence(context, async () => {
      const { sync_partial_err: refused = '0', sync_full: full = '0' } = await infoOf(node, 'stats');
      return Number(refused) > Number(before['sync_partial_err'] ?? 0) ? { refused, full } : null;
    });
    return after === null
      ? ineffective('nobody asked to continue')
      : effective({
          server: node.address,
          bytes: writes * filler.length,
          syncPartialErr: after.refused,
          syncFull: after.full,
        });
  },
});
