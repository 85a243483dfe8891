/** The set of contested keys that a target keeps, read page by page. */
import type { Connection } from '../../connect/connection.ts';
import { textOf } from '../../resp/reply-text.ts';

const COUNT = 500;

/** Its members, some of them twice. @throws SyncError. */
export async function* scanMembers(
  connection: Connection,
  set: string,
): AsyncGenerator<Buffer, void, undefined> {
  let cursor = '0';
  do {
    const reply = await connection.call('SSCAN', set, cursor, 'COUNT', COUNT);
    if (!Array.isArray(reply)) return;
    cursor = textOf(reply[0] ?? null);
    for (const member of Array.isArray(reply[1]) ? reply[1] : []) if (Buffer.isBuffer(member)) yield member;
  } while (cursor !== '0');
}
