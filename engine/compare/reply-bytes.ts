/** A single reply as bytes, not decoded when it is bytes already. */
import type { Reply } from '../resp/reply.ts';
import { textOf } from '../resp/reply-text.ts';

export function replyBytes(reply: Reply | undefined): Buffer {
  return Buffer.isBuffer(reply) ? reply : Buffer.from(textOf(reply));
}
