/**
 * Compares a value too big for one reply, page by page on both sides at once, and names the first difference. Nothing is
 * held but one page of each side.
 *
 *   ordered (string, list, zset by rank, stream entries)   the same window of both sides, side by side
 *   unordered (set, hash)                                  SCAN one side, ask the other for just these elements; equal
 *                                                          counts prove that the other has no more
 *
 * A page that SCAN repeats does no harm: it is asked for twice.
 */
import type { Argument } from '../../connect/connection.ts';
import type { Reply } from '../../resp/reply.ts';
import { textOf } from '../../resp/reply-text.ts';
import { replyBytes } from '../reply-bytes.ts';
import { ReplyError } from '../../resp/reply.ts';
import { parseScore } from '../digest/numbers.ts';
import { printBytes, printScore } from '../explain/print.ts';
import { elementDiffers, lengthDiffers, onlyOn, stringsDiffer, unequal } from '../explain/wording.ts';
import type { NodeReader } from './key-state.ts';
import { compareGroups } from './paged-groups.ts';

/** `detail` names the first difference; undefined = equal. */
export type PagedResult = { detail: string | undefined } | { reason: string };

interface Pair {
  key: Buffer;
  source: NodeReader;
  target: NodeReader;
}

const WINDOW_BYTES = 256 * 1024;
const PAGE = 500;

/** Both readers have the database selected; both keys are there and of type `type`. */
export async function comparePaged(
  key: Buffer,
  type: string,
  source: NodeReader,
  target: NodeReader,
): Promise<PagedResult> {
  const pair = { key, source, target };
  try {
    switch (type) {
      case 'string':
        return { detail: await strings(pair) };
      case 'list':
        return { detail: await lists(pair) };
      case 'zset':
        return { detail: await zsets(pair) };
      case 'set':
        return { detail: await sets(pair) };
      case 'hash':
        return { detail: await hashes(pair) };
      case 'stream':
        return { detail: await streams(pair) };
      default:
        return { reason: `a ${type} value above the size limit cannot be compared` };
    }
  } catch (error) {
    if (error instanceof ChangedUnderRead) return { reason: 'the value changed while it was read in pages' };
    throw error;
  }
}

/** The key became something else (or nothing) between two pages. */
class ChangedUnderRead extends Error {}

function both(pair: Pair, ...args: Argument[]): Promise<[Reply, Reply]> {
  return Promise.all([ask(pair.source, args), ask(pair.target, args)]);
}

async function ask(reader: NodeReader, args: Argument[]): Promise<Reply> {
  const reply = await reader.connection.tryCall(...args);
  if (reply instanceof ReplyError && reply.kind === 'WRONGTYPE') throw new ChangedUnderRead();
  if (reply instanceof ReplyError) return reader.connection.call(...args);
  return reply;
}

async function counts(pair: Pair, command: string): Promise<[number, number]> {
  const [source, target] = await both(pair, command, pair.key);
  return [Number(source), Number(target)];
}

function buffers(reply: Reply): Buffer[] {
  if (!Array.isArray(reply)) throw new ChangedUnderRead();
  return reply.map((item) => replyBytes(item));
}

async function strings(pair: Pair): Promise<string | undefined> {
  const [sourceLength, targetLength] = await counts(pair, 'STRLEN');
  const length = Math.max(sourceLength, targetLength);
  for (let offset = 0; offset < length; offset += WINDOW_BYTES) {
    const [left, right] = await both(pair, 'GETRANGE', pair.key, offset, offset + WINDOW_BYTES - 1);
    if (!Buffer.isBuffer(left) || !Buffer.isBuffer(right)) throw new ChangedUnderRead();
    if (!left.equals(right)) return stringsDiffer(left, right, { offset, sourceLength, targetLength });
  }
  return undefined;
}

async function lists(pair: Pair): Promise<string | undefined> {
  const [sourceLength, targetLength] = await counts(pair, 'LLEN');
  const shorter = Math.min(sourceLength, targetLength);
  for (let first = 0; first < shorter; first += PAGE) {
    const replies = await both(pair, 'LRANGE', pair.key, first, Math.min(first + PAGE, shorter) - 1);
    const [left, right] = [buffers(replies[0]), buffers(replies[1])];
    for (const [index, element] of left.entries()) {
      const other = right[index];
      if (other === undefined) throw new ChangedUnderRead();
      if (!element.equals(other)) return elementDiffers(first + index, sourceLength, element, other);
    }
  }
  return sourceLength === targetLength ? undefined : lengthDiffers(shorter, sourceLength, targetLength);
}

/** Ranks are by score, then member: the same on both sides when the values are equal. */
async function zsets(pair: Pair): Promise<string | undefined> {
  const [sourceLength, targetLength] = await counts(pair, 'ZCARD');
  const length = Math.max(sourceLength, targetLength);
  for (let first = 0; first < length; first += PAGE) {
    const replies = await both(pair, 'ZRANGE', pair.key, first, first + PAGE - 1, 'WITHSCORES');
    const [left, right] = [buffers(replies[0]), buffers(replies[1])];
    for (let index = 0; index < Math.max(left.length, right.length); index += 2) {
      const [member, other] = [left[index], right[index]];
      const scores = [scoreAt(left, index + 1), scoreAt(right, index + 1)];
      const same = member !== undefined && other?.equals(member) === true && scores[0] === scores[1];
      if (!same) return zsetDetail(pair, member, other);
    }
  }
  return undefined;
}

function scoreAt(items: readonly Buffer[], index: number): number | undefined {
  const text = items[index];
  return text === undefined ? undefined : parseScore(text, 0, text.length);
}

/** At the first rank that differs the source has `member` and the target has `other`. */
async function zsetDetail(
  pair: Pair,
  member: Buffer | undefined,
  other: Buffer | undefined,
): Promise<string> {
  for (const candidate of [member, other]) {
    if (candidate === undefined) continue;
    const [left, right] = await both(pair, 'ZSCORE', pair.key, candidate);
    const name = printBytes(candidate, 64);
    if (!Buffer.isBuffer(left)) return onlyOn(`member ${name}`, 'target');
    if (!Buffer.isBuffer(right)) return onlyOn(`member ${name}`, 'source');
    const [a, b] = [parseScore(left, 0, left.length), parseScore(right, 0, right.length)];
    if (a !== b) return unequal(`score of ${name}`, printScore(a), printScore(b));
  }
  throw new ChangedUnderRead();
}

async function sets(pair: Pair): Promise<string | undefined> {
  const [sourceLength, targetLength] = await counts(pair, 'SCARD');
  const missing = await firstNotMember(pair.source, pair.target, pair.key);
  if (missing !== undefined) return onlyOn(`member ${printBytes(missing, 64)}`, 'source');
  if (sourceLength === targetLength) return undefined;
  const extra = await firstNotMember(pair.target, pair.source, pair.key);
  if (extra !== undefined) return onlyOn(`member ${printBytes(extra, 64)}`, 'target');
  throw new ChangedUnderRead();
}

async function firstNotMember(from: NodeReader, other: NodeReader, key: Buffer): Promise<Buffer | undefined> {
  for await (const members of pages(from, 'SSCAN', key)) {
    const replies = await other.connection.pipeline(members.map((member) => ['SISMEMBER', key, member]));
    for (const [index, reply] of replies.entries()) {
      if (reply instanceof ReplyError) throw new ChangedUnderRead();
      if (reply !== 1) return members[index];
    }
  }
  return undefined;
}

async function hashes(pair: Pair): Promise<string | undefined> {
  const [sourceLength, targetLength] = await counts(pair, 'HLEN');
  const detail = await firstFieldDifference(pair, 'source');
  if (detail !== undefined || sourceLength === targetLength) return detail;
  const extra = await firstFieldDifference(pair, 'target');
  if (extra === undefined) throw new ChangedUnderRead();
  return extra;
}

/** Hash-field expiry, where the source knows it (Redis 7.4, Valkey 9 and up). */
async function fieldExpiryDifference(pair: Pair, fields: readonly Buffer[]): Promise<string | undefined> {
  if (!pair.source.hasFieldExpiry && !pair.target.hasFieldExpiry) return undefined;
  const command: Argument[] = ['HPEXPIRETIME', pair.key, 'FIELDS', fields.length, ...fields];
  const [left, right] = await Promise.all([
    pair.source.connection.tryCall(...command),
    pair.target.connection.tryCall(...command),
  ]);
  for (const [index, field] of fields.entries()) {
    const [a, b] = [expiryAt(left, index), expiryAt(right, index)];
    if (a !== b) return unequal(`expiry of field ${printBytes(field, 64)}`, textOf(a), textOf(b));
  }
  return undefined;
}

const NO_EXPIRY = -1;

/** The side that does not know the command has no such expiry. */
function expiryAt(reply: Reply, index: number): Reply {
  return (Array.isArray(reply) ? reply[index] : undefined) ?? NO_EXPIRY;
}

async function firstFieldDifference(pair: Pair, scanned: 'source' | 'target'): Promise<string | undefined> {
  const other = scanned === 'source' ? pair.target : pair.source;
  for await (const items of pages(pair[scanned], 'HSCAN', pair.key)) {
    const fields = items.filter((_, index) => index % 2 === 0);
    const values = await ask(other, ['HMGET', pair.key, ...fields]);
    if (!Array.isArray(values)) throw new ChangedUnderRead();
    for (const [index, field] of fields.entries()) {
      const [here, there] = [items[2 * index + 1], values[index]];
      const name = `field ${printBytes(field, 64)}`;
      if (!Buffer.isBuffer(there)) return onlyOn(name, scanned);
      if (here === undefined || there.equals(here)) continue;
      const texts = [printBytes(here, 64), printBytes(there, 64)];
      if (scanned === 'target') texts.reverse();
      return unequal(name, texts[0] ?? '', texts[1] ?? '');
    }
    const expiry = await fieldExpiryDifference(pair, fields);
    if (expiry !== undefined) return expiry;
  }
  return undefined;
}

async function* pages(reader: NodeReader, command: string, key: Buffer): AsyncGenerator<Buffer[]> {
  let cursor = '0';
  do {
    const reply = await ask(reader, [command, key, cursor, 'COUNT', PAGE]);
    if (!Array.isArray(reply)) throw new ChangedUnderRead();
    cursor = textOf(reply[0]);
    const items = buffers(reply[1] ?? null);
    if (items.length > 0) yield items;
  } while (cursor !== '0');
}

async function streams(pair: Pair): Promise<string | undefined> {
  let from = '-';
  for (;;) {
    const replies = await both(pair, 'XRANGE', pair.key, from, '+', 'COUNT', PAGE);
    const [left, right] = [streamEntries(replies[0]), streamEntries(replies[1])];
    const detail = entriesDiffer(left, right);
    if (detail !== undefined) return detail;
    const last = left.at(-1);
    if (last === undefined || left.length < PAGE) break;
    // `(id` (exclusive) is 6.2 and up; the next sequence number is understood by all.
    const [ms, sequence] = last.id.split('-');
    from = `${ms}-${BigInt(sequence ?? 0) + 1n}`;
  }
  return compareGroups(pair.key, pair.source, pair.target);
}

interface Entry {
  id: string;
  fields: Buffer[];
}

function streamEntries(reply: Reply): Entry[] {
  if (!Array.isArray(reply)) throw new ChangedUnderRead();
  return reply.map((entry) => {
    if (!Array.isArray(entry)) throw new ChangedUnderRead();
    return { id: textOf(entry[0]), fields: buffers(entry[1] ?? null) };
  });
}

function entriesDiffer(left: readonly Entry[], right: readonly Entry[]): string | undefined {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [a, b] = [left[index], right[index]];
    if (a === undefined || b === undefined || a.id !== b.id) {
      const first = b === undefined || (a !== undefined && idBefore(a.id, b.id)) ? a : b;
      return onlyOn(`entry ${first?.id ?? ''}`, first === a ? 'source' : 'target');
    }
    const same =
      a.fields.length === b.fields.length && a.fields.every((part, at) => b.fields[at]?.equals(part));
    if (!same) return unequal(`entry ${a.id}`, printParts(a.fields), printParts(b.fields));
  }
  return undefined;
}

function printParts(parts: readonly Buffer[]): string {
  return `[${parts
    .slice(0, 8)
    .map((part) => printBytes(part, 32))
    .join(' ')}]`;
}

function idBefore(a: string, b: string): boolean {
  const [aMs, aSequence] = a.split('-').map(BigInt);
  const [bMs, bSequence] = b.split('-').map(BigInt);
  if (aMs === undefined || bMs === undefined) return false;
  return aMs === bMs ? (aSequence ?? 0n) < (bSequence ?? 0n) : aMs < bMs;
}
