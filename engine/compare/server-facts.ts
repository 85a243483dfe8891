/** What one server can do and holds, from a single INFO, read before anything else touches its keys. */
import type { Connection } from '../connect/connection.ts';
import { describeEndpoint, type Endpoint } from '../connect/endpoint.ts';
import { SyncError } from '../errors.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { parseInfo, textOf } from '../resp/reply-text.ts';

export interface DatabaseCount {
  database: number;
  keys: number;
  expires: number;
}

export interface ServerFacts {
  node: string;
  version: string;
  cluster: boolean;
  /** `master` or `slave`, as INFO says. */
  role: string;
  keyspace: DatabaseCount[];
  /** PEXPIRETIME, from 7.0. */
  hasExpireTime: boolean;
  /** HPEXPIRETIME, from Redis 7.4 and Valkey 9. */
  hasFieldExpiry: boolean;
  /** MEMORY USAGE, from 4.0. */
  hasMemoryUsage: boolean;
  /** CLIENT NO-TOUCH, from 7.2. */
  hasNoTouch: boolean;
  usedMemoryBytes: number;
  maxmemoryPolicy: string;
  evictedKeys: number;
  /**
   * Changes as soon as anything is written, expires or is evicted, whatever did it; undefined when the server does not
   * tell (some managed ones).
   */
  history: string | undefined;
  /** The server's clock minus ours, ms, at the middle of the round trip. */
  clockOffsetMs: number;
}

/** A server and what it can do. */
export interface Node {
  endpoint: Endpoint;
  facts: ServerFacts;
}

/** @throws SyncError CONNECT, PERMISSION (INFO refused), PROTOCOL. */
export async function readServerFacts(connection: Connection): Promise<ServerFacts> {
  const text = await connection.call('INFO');
  if (!Buffer.isBuffer(text)) {
    throw new SyncError('PROTOCOL', 'The server did not answer INFO with text.', {
      where: describeEndpoint(connection.endpoint),
    });
  }
  const lines = parseInfo(text);
  const commands = await connection.pipeline([
    ['COMMAND', 'INFO', 'PEXPIRETIME'],
    ['COMMAND', 'INFO', 'HPEXPIRETIME'],
    ['MEMORY', 'USAGE', 'redis-sync:probe'],
    ['CLIENT', 'NO-TOUCH', 'ON'],
  ]);
  const [expireTime, fieldExpiry, memoryUsage, noTouch] = commands;
  return {
    node: describeEndpoint(connection.endpoint),
    version: lines['redis_version'] ?? 'unknown',
    cluster: lines['redis_mode'] === 'cluster' || lines['cluster_enabled'] === '1',
    role: lines['role'] ?? 'unknown',
    keyspace: parseKeyspace(lines),
    hasExpireTime: isKnown(expireTime),
    hasFieldExpiry: isKnown(fieldExpiry),
    hasMemoryUsage: !(memoryUsage instanceof ReplyError) || memoryUsage.kind === 'MOVED',
    hasNoTouch: noTouch === 'OK',
    usedMemoryBytes: Number(lines['used_memory'] ?? 0),
    maxmemoryPolicy: lines['maxmemory_policy'] ?? 'unknown',
    evictedKeys: Number(lines['evicted_keys'] ?? 0),
    history: historyOf(lines),
    clockOffsetMs: await readClockOffset(connection),
  };
}

/** Whether COMMAND INFO of one name describes it. */
function isKnown(reply: Reply | undefined): boolean {
  return Array.isArray(reply) && Array.isArray(reply[0]);
}

/** The server's TIME in ms. */
export async function readServerTimeMs(connection: Connection): Promise<number> {
  return timeReplyMs(await connection.call('TIME'));
}

/** A TIME reply as ms since the epoch. */
export function timeReplyMs(reply: Reply | undefined): number {
  if (!Array.isArray(reply)) return Date.now();
  return Number(textOf(reply[0])) * 1000 + Math.floor(Number(textOf(reply[1])) / 1000);
}

async function readClockOffset(connection: Connection): Promise<number> {
  const before = Date.now();
  const server = await readServerTimeMs(connection);
  return server - (before + Date.now()) / 2;
}

function historyOf(lines: Record<string, string>): string | undefined {
  const counters = [
    'run_id',
    'rdb_last_save_time',
    'rdb_changes_since_last_save',
    'expired_keys',
    'evicted_keys',
  ];
  const values = counters.map((name) => lines[name]);
  return values.includes(undefined) ? undefined : values.join(' ');
}

function parseKeyspace(lines: Record<string, string>): DatabaseCount[] {
  const databases: DatabaseCount[] = [];
  for (const [name, value] of Object.entries(lines)) {
    const match = /^db(\d+)$/.exec(name);
    if (match === null) continue;
    const fields = new Map(
      value.split(',').map((pair): [string, string] => {
        const [field = '', number = '0'] = pair.split('=', 2);
        return [field, number];
      }),
    );
    databases.push({
      database: Number(match[1]),
      keys: Number(fields.get('keys') ?? 0),
      expires: Number(fields.get('expires') ?? 0),
    });
  }
  return databases.toSorted((a, b) => a.database - b.database);
}
