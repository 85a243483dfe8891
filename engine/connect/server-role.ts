/** Asks a server whether it is a primary, and which replication histories it knows. One short connection. */
import { asError, SyncError } from '../errors.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { parseInfo, textOf } from '../resp/reply-text.ts';
import { Connection } from './connection.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';

export interface ServerRole {
  endpoint: Endpoint;
  /** `unknown`: it answers, but may not be asked. `gone`: it does not let us in. */
  role: 'primary' | 'replica' | 'unknown' | 'gone';
  /** The replication ids it knows (its own, and the one it continued from). Empty when unknown. */
  replids: string[];
  /** What it said, for a message: `a replica of 10.0.0.5:6379`, `Cannot connect: …`. */
  said: string;
  failure?: SyncError;
}

export interface AskRoleOptions {
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Never throws for what the server does; an abort counts as gone. */
export async function askRole(endpoint: Endpoint, options: AskRoleOptions): Promise<ServerRole> {
  const { timeoutMs, signal } = options;
  try {
    await using connection = await Connection.open(endpoint, {
      connectTimeoutMs: timeoutMs,
      replyTimeoutMs: timeoutMs,
      ...(signal ? { signal } : {}),
    });
    const info = await connection.tryCall('INFO', 'replication');
    const role = info instanceof ReplyError ? await connection.tryCall('ROLE') : null;
    return { endpoint, ...(info instanceof ReplyError ? readRole(role, info) : readInfo(info)) };
  } catch (error) {
    const failure =
      error instanceof SyncError
        ? error
        : new SyncError('CONNECT', asError(error).message, {
            where: describeEndpoint(endpoint),
            retryable: true,
          });
    return { endpoint, role: 'gone', replids: [], said: failure.message, failure };
  }
}

type Answer = Pick<ServerRole, 'role' | 'replids' | 'said'>;

function readInfo(info: Reply): Answer {
  const fields = parseInfo(info);
  const replids = [fields['master_replid'], fields['master_replid2']].filter(
    (id) => id !== undefined && !/^0*$/.test(id),
  );
  const known = replids.filter((id) => id !== undefined);
  if (fields['role'] === 'master') return { role: 'primary', replids: known, said: 'a primary' };
  if (fields['role'] === 'slave') {
    const of = `${fields['master_host'] ?? '?'}:${fields['master_port'] ?? '?'}`;
    return { role: 'replica', replids: known, said: `a replica of ${of}` };
  }
  return { role: 'unknown', replids: [], said: 'INFO replication without a role' };
}

/** An account without INFO may still have ROLE; LOADING and the like mean: not now. */
function readRole(role: Reply, info: ReplyError): Answer {
  const word = Array.isArray(role) ? textOf(role[0]) : '';
  if (word === 'master') return { role: 'primary', replids: [], said: 'a primary' };
  if (word === 'slave') return { role: 'replica', replids: [], said: 'a replica' };
  return { role: info.kind === 'NOPERM' ? 'unknown' : 'gone', replids: [], said: info.message };
}
