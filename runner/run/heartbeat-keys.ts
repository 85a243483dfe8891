/** Looks for heartbeat keys on a target: there must be none (S2-4). */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { textOf } from '../../engine/resp/reply-text.ts';

const SCAN_COUNT = 2000;

/**
 * How many keys of database 0, where heartbeats are written, begin with the prefix. Those of `ownLinks`, which begin at this
 * instance, belong there.
 */
export async function countHeartbeatKeys(
  target: Endpoint,
  prefix: string,
  ownLinks: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  await using connection = await Connection.open(target, { name: 'redis-sync', signal });
  const pattern = `${escapeGlob(prefix)}*`;
  let found = 0;
  let cursor = '0';
  do {
    const reply = await connection.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
    const [next, keys] = Array.isArray(reply) ? reply : [];
    cursor = textOf(next ?? '0');
    const names = (Array.isArray(keys) ? keys : []).map(textOf);
    found += names.filter((name) => !ownLinks.some((id) => isOf(name, `${prefix}:${id}`))).length;
  } while (cursor !== '0');
  return found;
}

/** Of the link, or of its part that reads one shard (`forward/0`). */
function isOf(name: string, link: string): boolean {
  return name.startsWith(`${link}:`) || name.startsWith(`${link}/`);
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
