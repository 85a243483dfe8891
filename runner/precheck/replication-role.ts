/** Reads what part a server plays in its replication: ROLE, or INFO replication where ROLE is not allowed. */
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import type { Side } from './side.ts';

export type ReplicationRole =
  | { kind: 'primary'; measured: string }
  /** `linked`: it receives its primary's stream right now. */
  | { kind: 'replica'; measured: string; primary: string; linked: boolean }
  | { kind: 'sentinel'; measured: string };

/** @throws Unmeasured when neither command is allowed. */
export async function readRole(side: Side): Promise<ReplicationRole> {
  const reply = await side.ask('ROLE');
  if (Array.isArray(reply)) return fromRole(reply);
  const info = await side.info('replication').catch((error: unknown) => {
    if (reply instanceof ReplyError && error instanceof Error)
      error.message = `ROLE → ${reply.message}; ${error.message}`;
    throw error;
  });
  if (info['role'] !== 'slave')
    return { kind: 'primary', measured: `INFO replication → role:${info['role'] ?? ''}` };
  const primary = `${info['master_host'] ?? '?'}:${info['master_port'] ?? '?'}`;
  const status = info['master_link_status'] ?? '';
  return {
    kind: 'replica',
    measured: `INFO replication → role:slave of ${primary}, link ${status}`,
    primary,
    linked: status === 'up',
  };
}

/** `master <offset> <replicas>` · `slave <host> <port> <state> <offset>` · `sentinel <names>` (redis.io, ROLE). */
function fromRole(reply: Reply[]): ReplicationRole {
  const [role, host, port, state] = reply.map(textOf);
  if (role === 'sentinel') return { kind: 'sentinel', measured: 'ROLE → sentinel' };
  if (role !== 'slave') return { kind: 'primary', measured: `ROLE → ${role ?? ''}` };
  const primary = `${host}:${port}`;
  return {
    kind: 'replica',
    measured: `ROLE → slave of ${primary}, ${state}`,
    primary,
    linked: state === 'connected',
  };
}
