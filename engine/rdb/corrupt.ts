/** One way to say that snapshot or DUMP bytes cannot be what they claim to be. */
import { SyncError } from '../errors.ts';

const HINT =
  'Nothing after this point was applied. Take a new snapshot (a new full sync); if it fails at the same place, check the source with redis-check-rdb.';

/**
 * A SNAPSHOT_CORRUPT error. `where` says where the bytes were: `snapshot byte 1234`, `DUMP payload byte 17`.
 */
export function corrupt(message: string, where: string, hint: string = HINT): SyncError {
  return new SyncError('SNAPSHOT_CORRUPT', message, { where, hint });
}

/** A key as redis-cli prints it, cut to 64 bytes, for error messages. */
export function printKey(key: Uint8Array): string {
  const shown = key.subarray(0, 64);
  let text = '';
  for (const byte of shown) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${text}"${key.length > shown.length ? `… (${key.length} bytes)` : ''}`;
}
