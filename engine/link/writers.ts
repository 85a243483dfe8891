/** Clients of a server that may be writing to it: connected, not ours, and their last command was one that writes. A guess. */
import type { Connection } from '../connect/connection.ts';
import { textOf } from '../resp/reply-text.ts';
import type { Reply } from '../resp/reply.ts';

const WRITERS_MAX = 5;
/** They write by what is in them. */
const CARRIERS: ReadonlySet<string> = new Set(['exec', 'eval', 'evalsha', 'fcall']);

interface Client {
  address: string;
  name: string;
  user: string;
  command: string;
}

/** At most five, as `127.0.0.1:5000 (name app, user default, set)`; empty when the account may not ask. @throws SyncError CONNECT. */
export async function findWriters(connection: Connection): Promise<string[]> {
  const clients = readClients(await connection.tryCall('CLIENT', 'LIST'));
  const commands = [...new Set(clients.map(({ command }) => command))];
  if (commands.length === 0) return [];
  const rows = await connection.tryCall('COMMAND', 'INFO', ...commands);
  const writing = new Set(
    commands.filter(
      (command, index) => CARRIERS.has(command) || (Array.isArray(rows) && isWrite(rows[index] ?? null)),
    ),
  );
  return clients
    .filter(({ command }) => writing.has(command))
    .slice(0, WRITERS_MAX)
    .map(({ address, name, user, command }) => {
      const about = [name && `name ${name}`, user && `user ${user}`, command].filter(Boolean);
      return `${address} (${about.join(', ')})`;
    });
}

/** Without ourselves, replicas and primaries. */
function readClients(reply: Reply): Client[] {
  if (!Buffer.isBuffer(reply) && typeof reply !== 'string') return [];
  return reply
    .toString()
    .split('\n')
    .flatMap((line) => {
      const fields = new Map(line.split(' ').map((field) => pair(field)));
      const name = fields.get('name') ?? '';
      const flags = fields.get('flags') ?? '';
      const command = fields.get('cmd') ?? '';
      if (command === '' || command === 'NULL' || name.startsWith('redis-sync') || /[SM]/.test(flags))
        return [];
      return [{ address: fields.get('addr') ?? '', name, user: fields.get('user') ?? '', command }];
    });
}

function pair(field: string): [string, string] {
  const equals = field.indexOf('=');
  return [field.slice(0, equals), field.slice(equals + 1)];
}

/** A row of COMMAND INFO: name, arity, flags … */
function isWrite(row: Reply): boolean {
  const flags = Array.isArray(row) ? row[2] : undefined;
  return Array.isArray(flags) && flags.some((flag) => textOf(flag) === 'write');
}
