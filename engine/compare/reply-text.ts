/** Single replies as text or bytes, where the command's documentation says they are. */
import { ReplyError, type Reply } from '../resp/reply.ts';

/** A bulk, simple string or number as text; an array or null as the empty string. */
export function replyText(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString('utf8');
  if (reply instanceof ReplyError) return reply.message;
  return reply === null || reply === undefined || Array.isArray(reply) ? '' : String(reply);
}

/** As `replyText`, without decoding bytes. */
export function replyBytes(reply: Reply | undefined): Buffer {
  return Buffer.isBuffer(reply) ? reply : Buffer.from(replyText(reply));
}
