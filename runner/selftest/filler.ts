/**
 * Bytes that do nothing, to stand in a stream where something was taken out: an offset is a count of bytes, and an engine
 * that has fewer would only wait for the rest.
 */
import { encodeCommand } from '../../engine/resp/encode.ts';

const PING = encodeCommand(['PING']);

/** PING, with as long a text as it takes: at least so many bytes, and a few more at most. */
export function filler(bytes: number): Buffer {
  if (bytes <= PING.length) return PING;
  const empty = encodeCommand(['PING', '']).length;
  for (let text = Math.max(0, bytes - empty - 12); ; text++) {
    const ping = encodeCommand(['PING', 'x'.repeat(text)]);
    if (ping.length >= bytes) return ping;
  }
}
