/** Which commands write, by their name in `INFO commandstats`. */
import { exists, hasFlag } from '@ioredis/commands';

/** `xgroup|create` is XGROUP. What is not known does not count as a write. */
export function isWriteCommand(name: string): boolean {
  const command = name.split('|')[0] ?? name;
  return exists(command) && hasFlag(command, 'write');
}
