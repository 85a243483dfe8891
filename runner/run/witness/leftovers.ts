/** What the links left on an instance after they ended: connections of ours, and keys of ours that have no business there. */
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { TEMPORARY_PREFIX } from '../../../engine/apply/rebuild/temporary-key.ts';
import { OWN_KEY_PREFIX } from '../../../engine/link/options.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import type { Reply } from '../../../engine/resp/reply.ts';
import type { EvidenceOf } from '../../../reports/evidence.ts';
import { displayBytes } from '../../../reports/display.ts';
import { WITNESS_NAME } from './witness-name.ts';

const LISTED_MAX = 20;
const SCAN_COUNT = 2000;
/** What nobody needs once a link has ended. Positions, fences and what says who owns a target stay: a link resumes by them. */
const TEMPORARY = [TEMPORARY_PREFIX, `${OWN_KEY_PREFIX}probe`];

/** @throws SyncError CONNECT, AUTH, PERMISSION. */
export async function findLeftovers(
  instance: string,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<EvidenceOf<'leftovers'>> {
  await using connection = await Connection.open(endpoint, { name: WITNESS_NAME, signal });
  const clients = ownClients(textOf(await connection.call('CLIENT', 'LIST')));
  const keys: string[] = [];
  for await (const key of ownKeys(connection)) {
    if (!TEMPORARY.some((prefix) => key.toString('latin1').startsWith(prefix))) continue;
    if (keys.length < LISTED_MAX) keys.push(displayBytes(key));
  }
  return { about: 'leftovers', instance, clients: clients.slice(0, LISTED_MAX), keys };
}

/** Names of connections of ours, except those that look. Pure: the text of CLIENT LIST → names. */
export function ownClients(list: string): string[] {
  const names = [...list.matchAll(/ name=(redis-sync[^ ]*) /g)].map((match) => match[1] ?? '');
  return names.filter((name) => name !== WITNESS_NAME);
}

/** Of database 0, where all of them are. */
async function* ownKeys(connection: Connection): AsyncGenerator<Buffer> {
  let cursor = '0';
  do {
    const reply: Reply = await connection.call(
      'SCAN',
      cursor,
      'MATCH',
      `${OWN_KEY_PREFIX}*`,
      'COUNT',
      SCAN_COUNT,
    );
    const [next, keys] = Array.isArray(reply) ? reply : [];
    cursor = textOf(next ?? '0');
    for (const key of Array.isArray(keys) ? keys : []) if (Buffer.isBuffer(key)) yield key;
  } while (cursor !== '0');
}
