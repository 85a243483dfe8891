/** What a server can be asked: leaves out operations whose commands or syntax it does not have. */
import type { Connection } from '../../engine/connect/connection.ts';
import type { WeightedOperation } from './mix.ts';
import { operationName, type DumpPayloads, type Operation } from './operation.ts';

/** A group with a single slot of 1024 gets a name in far fewer. */
const NAME_ATTEMPTS = 100_000;

export interface Supported {
  operations: WeightedOperation[];
  /** Names (`operationName`) of the operations left out, sorted. */
  unsupported: string[];
}

/**
 * Keeps the operations the server has: its commands by COMMAND INFO (a renamed command counts as missing), later syntax by
 * its version, the number of databases by the plan.
 */
export async function supportedOperations(
  connection: Connection,
  wanted: readonly WeightedOperation[],
  databases: number,
): Promise<Supported> {
  const names = [...new Set(wanted.flatMap(({ operation }) => commandsOf(operation)))];
  const infos = await connection.call('COMMAND', 'INFO', ...names);
  const known = new Set(names.filter((_, index) => Array.isArray(infos) && Array.isArray(infos[index])));
  const version = await serverVersion(connection);
  const supports = (operation: Operation): boolean =>
    commandsOf(operation).every((name) => known.has(name)) &&
    isAtLeast(version, operation.since ?? '0') &&
    databases >= (operation.databases ?? 1);
  const left = wanted.filter(({ operation, weight }) => weight > 0 && supports(operation));
  const missing = wanted.filter(({ operation, weight }) => weight > 0 && !supports(operation));
  return {
    operations: left,
    unsupported: [...new Set(missing.map(({ operation }) => operationName(operation)))].toSorted(),
  };
}

/** Asks the server for payloads that RESTORE takes. Uses and deletes one key named after `prefix`, one of the server's own. */
export async function makePayloads(
  connection: Connection,
  prefix: string,
  isOwn: (key: string) => boolean = () => true,
): Promise<DumpPayloads> {
  let key = `${prefix}payload-sample`;
  for (let attempt = 1; !isOwn(key) && attempt < NAME_ATTEMPTS; attempt++)
    key = `${prefix}payload-sample.${attempt}`;
  const replies = await connection.pipeline([
    ['DEL', key],
    ['SET', key, 'restored from a payload'],
    ['DUMP', key],
    ['DEL', key],
    ['HMSET', key, 'a', '1', 'b', 'two', 'c', 'x'.repeat(100)],
    ['DUMP', key],
    ['DEL', key],
  ]);
  const bytes = (index: number): Buffer => {
    const reply = replies[index];
    // Refused (ACL, OOM): RESTORE will fail and be counted; nothing to stop the run for.
    return Buffer.isBuffer(reply) ? reply : Buffer.alloc(0);
  };
  return { string: bytes(2), hash: bytes(5) };
}

function commandsOf(operation: Operation): string[] {
  return [operation.command, ...(operation.uses ?? [])];
}

/** `redis_version` of INFO; Valkey and others give the Redis version they are compatible with. '0' if not told. */
async function serverVersion(connection: Connection): Promise<string> {
  const info = await connection.call('INFO', 'server');
  const text = Buffer.isBuffer(info) ? info.toString('latin1') : '';
  return /redis_version:([\d.]+)/.exec(text)?.[1] ?? '0';
}

/** Whether dotted `version` is `least` or later. */
export function isAtLeast(version: string, least: string): boolean {
  const have = version.split('.').map(Number);
  for (const [index, wanted] of least.split('.').map(Number).entries()) {
    const part = have[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
