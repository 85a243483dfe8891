/** Replies as text, for assertions. */
import type { Reply } from '../../engine/resp/reply.ts';

/** Bytes as latin1, so that none is lost; arrays as JSON of the same. */
export function replyText(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (typeof reply === 'string') return reply;
  return JSON.stringify(plain(reply ?? null));
}

function plain(reply: Reply): unknown {
  if (Array.isArray(reply)) return reply.map((each) => plain(each));
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return typeof reply === 'bigint' ? Number(reply) : reply;
}
