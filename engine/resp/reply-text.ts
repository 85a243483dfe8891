/** Reads text replies: INFO's fields, and any reply as a short text for a message. Pure. */
import { ReplyError, type Reply } from './reply.ts';

/** `name:value` lines as a record; section headings are dropped. Anything but a text reply gives an empty record. */
export function parseInfo(reply: Reply): Record<string, string> {
  if (!Buffer.isBuffer(reply) && typeof reply !== 'string') return {};
  const fields: Record<string, string> = {};
  for (const line of reply.toString().split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields[line.slice(0, colon)] = line.slice(colon + 1);
  }
  return fields;
}

/** A reply as one line of text: an array's elements separated by spaces, nil as `(nil)`, an error as its message. */
export function textOf(reply: Reply | undefined): string {
  if (reply === undefined || reply === null) return '(nil)';
  if (reply instanceof ReplyError) return reply.message;
  if (Array.isArray(reply)) return reply.map(textOf).join(' ');
  return reply.toString();
}
