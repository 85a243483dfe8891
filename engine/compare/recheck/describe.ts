/** Turns a confirmed difference of one key into what the report lists: both sides, and the difference in words. */
import { ReplyError, type Reply } from '../../resp/reply.ts';
import type { Argument } from '../../connect/connection.ts';
import type { Difference, DifferenceClass, DifferenceSide } from '../difference.ts';
import { printBytes, printLines, printValue, valueLength } from '../explain/print.ts';
import { describeDifference } from '../explain/value-detail.ts';
import type { KeyState, PresentKey } from './key-state.ts';
import { decodePayload } from './verdict.ts';

export interface ConfirmedKey {
  database: number;
  key: Buffer;
  classes: readonly DifferenceClass[];
  source: KeyState;
  target: KeyState;
  /** From reading the value in pages. */
  pagedDetail: string | undefined;
}

/** One difference per class. */
export async function describeKey(confirmed: ConfirmedKey): Promise<Difference[]> {
  const { database, key, classes } = confirmed;
  const source = await describeSide(confirmed.source, database, key);
  const target = await describeSide(confirmed.target, database, key);
  return classes.map((name) => ({
    class: name,
    database,
    key: printBytes(key, 512),
    keyBase64: key.toString('base64'),
    source,
    target,
    detail: detailOf(name, confirmed, source, target),
  }));
}

function detailOf(
  name: DifferenceClass,
  confirmed: ConfirmedKey,
  source: DifferenceSide | null,
  target: DifferenceSide | null,
): string {
  switch (name) {
    case 'MISSING_KEY':
      return 'the key is missing on the target';
    case 'EXTRA_KEY':
      return 'the key is only on the target';
    case 'TYPE_MISMATCH':
      return `type: ${source?.type ?? 'none'} ≠ ${target?.type ?? 'none'}`;
    case 'TTL_MISMATCH':
      return expiryDetail(source?.expireAtMs ?? null, target?.expireAtMs ?? null);
    case 'VALUE_MISMATCH':
    default:
      return confirmed.pagedDetail ?? valueDetail(confirmed.source, confirmed.target);
  }
}

function expiryDetail(source: number | null, target: number | null): string {
  if (source === null || target === null) {
    const [has, hasNot, at] = source === null ? ['target', 'source', target] : ['source', 'target', source];
    return `expires at ${printTime(at)} on the ${has}, never on the ${hasNot}`;
  }
  const seconds = Math.abs(target - source) / 1000;
  const order = target > source ? 'later' : 'earlier';
  return `expires ${seconds} s ${order} on the target: ${printTime(source)} ≠ ${printTime(target)}`;
}

function printTime(ms: number | null): string {
  // Beyond what a Date can hold the number itself is shown.
  if (ms === null) return 'never';
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}

function valueDetail(source: KeyState, target: KeyState): string {
  if (source.kind !== 'present' || target.kind !== 'present') return 'the values differ';
  if (source.payload === null || target.payload === null) return 'the values differ';
  const [left, right] = [decodePayload(source.payload), decodePayload(target.payload)];
  if ('reason' in left || 'reason' in right) return 'the values differ';
  return describeDifference(left.value, right.value) ?? 'the values differ';
}

async function describeSide(state: KeyState, database: number, key: Buffer): Promise<DifferenceSide | null> {
  if (state.kind !== 'present') return null;
  const shown = state.big ? await peek(state, database, key) : await readWhole(state, database, key);
  return { type: state.type, expireAtMs: state.expireAtMs, node: state.reader.node, ...shown };
}

async function readWhole(
  state: PresentKey,
  database: number,
  key: Buffer,
): Promise<{ length: number; text: string }> {
  if (state.payload !== null) return fromPayload(state.payload);
  await state.reader.select(database);
  const payload = await state.reader.connection.tryCall('DUMP', key);
  return Buffer.isBuffer(payload) ? fromPayload(payload) : { length: 0, text: '(gone since)' };
}

function fromPayload(payload: Buffer): { length: number; text: string } {
  const decoded = decodePayload(payload);
  if ('reason' in decoded) return { length: payload.length, text: `(${decoded.reason})` };
  return { length: valueLength(decoded.value), text: printValue(decoded.value) };
}

const PEEK: Readonly<
  Record<string, { length: string; first: (key: Buffer) => Argument[]; perLine: number }>
> = {
  string: { length: 'STRLEN', first: (key) => ['GETRANGE', key, 0, 255], perLine: 1 },
  list: { length: 'LLEN', first: (key) => ['LRANGE', key, 0, 9], perLine: 1 },
  set: { length: 'SCARD', first: (key) => ['SSCAN', key, 0, 'COUNT', 10], perLine: 1 },
  zset: { length: 'ZCARD', first: (key) => ['ZRANGE', key, 0, 9, 'WITHSCORES'], perLine: 2 },
  hash: { length: 'HLEN', first: (key) => ['HSCAN', key, 0, 'COUNT', 10], perLine: 2 },
  stream: { length: 'XLEN', first: (key) => ['XRANGE', key, '-', '+', 'COUNT', 10], perLine: 1 },
};

/** Length and first elements of a value that is too big to be read whole. */
async function peek(
  state: PresentKey,
  database: number,
  key: Buffer,
): Promise<{ length: number; text: string }> {
  const how = PEEK[state.type];
  if (how === undefined) return { length: 0, text: `(${state.type})` };
  await state.reader.select(database);
  const [length, first] = await state.reader.connection.pipeline([[how.length, key], how.first(key)]);
  const total = typeof length === 'number' ? length : 0;
  if (Buffer.isBuffer(first)) return { length: total, text: `${printBytes(first, 200)} (${total} bytes)` };
  const isScan = Array.isArray(first) && first.length === 2 && Array.isArray(first[1]);
  const items = isScan ? first[1] : first;
  return { length: total, text: printLines(total, lines(items ?? null, how.perLine)) };
}

function lines(reply: Reply, perLine: number): string[] {
  if (!Array.isArray(reply)) return [];
  const out: string[] = [];
  for (let index = 0; index < reply.length; index += perLine) {
    out.push(
      reply
        .slice(index, index + perLine)
        .map(printReply)
        .join(' '),
    );
  }
  return out;
}

function printReply(reply: Reply): string {
  if (Buffer.isBuffer(reply)) return printBytes(reply, 64);
  if (Array.isArray(reply)) return reply.map(printReply).join(' ');
  return reply instanceof ReplyError ? reply.message : String(reply);
}
