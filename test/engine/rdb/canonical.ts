/**
 * One JSON form for values, however they were read: decoded from bytes, or asked from a server. Buffers become latin1
 * text, unordered collections are sorted, doubles keep their sign and all digits. Test support only.
 */
import type { Connection } from '../../../engine/connect/connection.ts';
import type { Value } from '../../../engine/rdb/value.ts';
import { ReplyError, type Reply } from '../../../engine/resp/reply.ts';

export type Canonical =
  | string
  | number
  | null
  | readonly Canonical[]
  | { readonly [name: string]: Canonical };

/** One key and what it holds. */
export interface CanonicalKey {
  database: number;
  key: string;
  expireAtMs: number;
  value: Canonical;
}

export function canonicalValue(value: Value): Canonical {
  switch (value.type) {
    case 'string':
      return { string: text(value.value) };
    case 'list':
      return { list: value.elements.map(text) };
    case 'set':
      return { set: value.members.map(text).toSorted() };
    case 'zset':
      return { zset: sortPairs(value.members.map(({ member, score }) => [text(member), double(score)])) };
    case 'hash':
      return {
        hash: sortPairs(
          value.fields.map(({ field, value: of, expireAtMs }) => [text(field), text(of), expireAtMs]),
        ),
      };
    case 'stream': {
      const { entries, groups, type: _, ...counters } = value;
      return {
        ...counters,
        entries: entries.map(({ id, fields }) => [id, fields.map(text)]),
        groups: groups.map((group) => ({
          name: text(group.name),
          lastId: group.lastId,
          entriesRead: group.entriesRead,
          pending: group.pending.map((entry) => [
            entry.id,
            text(entry.consumer),
            entry.deliveryTimeMs,
            entry.deliveryCount,
          ]),
          consumers: group.consumers.map(({ name, seenTimeMs, activeTimeMs }) => [
            text(name),
            seenTimeMs,
            activeTimeMs,
          ]),
        })),
      };
    }
    case 'module':
      return { module: value.module };
    default:
      return value satisfies never;
  }
}

/** What the server says: every key of every database, sorted. */
export async function askEverything(connection: Connection): Promise<CanonicalKey[]> {
  const keys: CanonicalKey[] = [];
  for (let database = 0; database < 16; database++) {
    await connection.call('SELECT', database);
    for (const key of replies(await connection.call('KEYS', '*'))) {
      const name = buffer(key);
      keys.push({
        database,
        key: text(name),
        expireAtMs: await expiry(connection, name),
        value: await askValue(connection, name),
      });
    }
  }
  await connection.call('SELECT', 0);
  return sortKeys(keys);
}

export function sortKeys(keys: readonly CanonicalKey[]): CanonicalKey[] {
  return keys.toSorted((a, b) => a.database - b.database || (a.key < b.key ? -1 : 1));
}

/** Before 7.0 there is no absolute answer; then the key `expires:<ms>` says what was set. */
async function expiry(connection: Connection, key: Buffer): Promise<number> {
  const absolute = await connection.tryCall('PEXPIRETIME', key);
  if (!(absolute instanceof ReplyError)) return Number(absolute);
  return Number(await connection.call('PTTL', key)) < 0 ? -1 : Number(key.toString('latin1').split(':')[1]);
}

async function askValue(connection: Connection, key: Buffer): Promise<Canonical> {
  const type = text(await connection.call('TYPE', key));
  switch (type) {
    case 'string':
      return { string: text(await connection.call('GET', key)) };
    case 'list':
      return { list: replies(await connection.call('LRANGE', key, 0, -1)).map(text) };
    case 'set':
      return {
        set: replies(await connection.call('SMEMBERS', key))
          .map(text)
          .toSorted(),
      };
    case 'zset': {
      const pairs = chunks(replies(await connection.call('ZRANGE', key, 0, -1, 'WITHSCORES')), 2);
      return { zset: sortPairs(pairs.map(([member, score]) => [text(member), double(parse(text(score)))])) };
    }
    case 'hash':
      return askHash(connection, key);
    case 'stream':
      return askStream(connection, key);
    default:
      return { module: type };
  }
}

async function askHash(connection: Connection, key: Buffer): Promise<Canonical> {
  const pairs = chunks(replies(await connection.call('HGETALL', key)), 2);
  const fields: [string, string, number][] = [];
  for (const [field, value] of pairs) {
    const expires = await connection.tryCall('HPEXPIRETIME', key, 'FIELDS', 1, buffer(field));
    fields.push([text(field), text(value), expires instanceof ReplyError ? -1 : Number(replies(expires)[0])]);
  }
  return { hash: sortPairs(fields) };
}

async function askStream(connection: Connection, key: Buffer): Promise<Canonical> {
  const full = map(await connection.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0));
  const entries = replies(full.get('entries')).map((entry) => {
    const [id, fields] = replies(entry);
    return [text(id), replies(fields).map(text)] as const;
  });
  return {
    length: Number(full.get('length')),
    lastId: text(full.get('last-generated-id')),
    firstId: full.has('recorded-first-entry-id')
      ? text(full.get('recorded-first-entry-id'))
      : (entries[0]?.[0] ?? '0-0'),
    maxDeletedId: full.has('max-deleted-entry-id') ? text(full.get('max-deleted-entry-id')) : '0-0',
    entriesAdded: Number(full.get('entries-added') ?? -1),
    entries,
    groups: replies(full.get('groups')).map((group) => canonicalGroup(map(group))),
  };
}

function canonicalGroup(group: Map<string, Reply>): Canonical {
  return {
    name: text(group.get('name')),
    lastId: text(group.get('last-delivered-id')),
    // A group that never read answers nil where −1 is stored.
    entriesRead: Number(group.get('entries-read') ?? -1),
    pending: replies(group.get('pending')).map((entry) => {
      const [id, consumer, time, count] = replies(entry);
      return [text(id), text(consumer), Number(time), Number(count)];
    }),
    consumers: replies(group.get('consumers')).map((entry) => {
      const consumer = map(entry);
      const seen = Number(consumer.get('seen-time'));
      return [text(consumer.get('name')), seen, Number(consumer.get('active-time') ?? seen)];
    }),
  };
}

function map(reply: Reply | undefined): Map<string, Reply> {
  return new Map(chunks(replies(reply), 2).map(([name, value]) => [text(name), value ?? null]));
}

function chunks(all: readonly Reply[], size: number): Reply[][] {
  return Array.from({ length: all.length / size }, (_, index) => all.slice(index * size, (index + 1) * size));
}

function replies(reply: Reply | undefined): Reply[] {
  if (Array.isArray(reply)) return reply;
  throw new Error(`not an array: ${typeof reply}`);
}

function buffer(reply: Reply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw new Error(`not a bulk string: ${typeof reply}`);
}

function text(reply: Reply | undefined): string {
  return typeof reply === 'string' ? reply : buffer(reply).toString('latin1');
}

function parse(score: string): number {
  return score.endsWith('inf') ? (score.startsWith('-') ? -Infinity : Infinity) : Number(score);
}

function double(score: number): string {
  return Object.is(score, -0) ? '-0' : String(score);
}

function sortPairs<Row extends readonly [string, ...Canonical[]]>(rows: readonly Row[]): Row[] {
  return rows.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
