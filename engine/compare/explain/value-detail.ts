/** Names the first difference of two decoded values of one type. Pure. */
import type { StreamGroup, Value } from '../../rdb/value.ts';
import { printBytes, printScore } from './print.ts';
import { elementDiffers, lengthDiffers, onlyOn, stringsDiffer, unequal } from './wording.ts';

type Of<T extends Value['type']> = Extract<Value, { type: T }>;

/** In words; undefined when nothing that counts differs. */
export function describeDifference(source: Value, target: Value): string | undefined {
  if (source.type === 'string' && target.type === 'string') return inString(source.value, target.value);
  if (source.type === 'list' && target.type === 'list') return inList(source.elements, target.elements);
  if (source.type === 'set' && target.type === 'set') return inSet(source.members, target.members);
  if (source.type === 'zset' && target.type === 'zset') return inZset(source, target);
  if (source.type === 'hash' && target.type === 'hash') return inHash(source, target);
  if (source.type === 'stream' && target.type === 'stream') return inStream(source, target);
  if (source.type === 'module' && target.type === 'module') {
    return source.raw.equals(target.raw) ? undefined : `the bytes of the ${source.module} value differ`;
  }
  return unequal('type', source.type, target.type);
}

function inString(source: Buffer, target: Buffer): string | undefined {
  if (source.equals(target)) return undefined;
  return stringsDiffer(source, target, {
    offset: 0,
    sourceLength: source.length,
    targetLength: target.length,
  });
}

function inList(source: readonly Buffer[], target: readonly Buffer[]): string | undefined {
  const shorter = Math.min(source.length, target.length);
  for (let index = 0; index < shorter; index++) {
    const [left, right] = [source[index], target[index]];
    if (left && right && !left.equals(right)) return elementDiffers(index, source.length, left, right);
  }
  return source.length === target.length ? undefined : lengthDiffers(shorter, source.length, target.length);
}

function inSet(source: readonly Buffer[], target: readonly Buffer[]): string | undefined {
  const [left, right] = [byBytes(source, (member) => member), byBytes(target, (member) => member)];
  return firstOneSided(left, right, (member) => `member ${printBytes(member, 64)}`);
}

function inZset(source: Of<'zset'>, target: Of<'zset'>): string | undefined {
  const left = byBytes(source.members, (entry) => entry.member);
  const right = byBytes(target.members, (entry) => entry.member);
  for (const [name, { member, score }] of left) {
    const other = right.get(name);
    if (other !== undefined && score !== other.score && !(Number.isNaN(score) && Number.isNaN(other.score))) {
      return unequal(`score of ${printBytes(member, 64)}`, printScore(score), printScore(other.score));
    }
  }
  return firstOneSided(left, right, ({ member }) => `member ${printBytes(member, 64)}`);
}

function inHash(source: Of<'hash'>, target: Of<'hash'>): string | undefined {
  const left = byBytes(source.fields, (entry) => entry.field);
  const right = byBytes(target.fields, (entry) => entry.field);
  for (const [name, entry] of left) {
    const other = right.get(name);
    if (other === undefined) continue;
    const field = `field ${printBytes(entry.field, 64)}`;
    if (!entry.value.equals(other.value)) {
      return unequal(field, printBytes(entry.value, 64), printBytes(other.value, 64));
    }
    if (entry.expireAtMs !== other.expireAtMs) {
      return unequal(
        `expiry of ${field}`,
        printFieldExpiry(entry.expireAtMs),
        printFieldExpiry(other.expireAtMs),
      );
    }
  }
  return firstOneSided(left, right, (entry) => `field ${printBytes(entry.field, 64)}`);
}

function printFieldExpiry(expireAtMs: number): string {
  return expireAtMs < 0 ? 'none' : new Date(expireAtMs).toISOString();
}

function inStream(source: Of<'stream'>, target: Of<'stream'>): string | undefined {
  return (
    inEntries(source.entries, target.entries) ??
    (source.lastId === target.lastId ? undefined : unequal('last id', source.lastId, target.lastId)) ??
    inGroups(source.groups, target.groups)
  );
}

type Entries = Of<'stream'>['entries'];

function inEntries(source: Entries, target: Entries): string | undefined {
  const left = new Map(source.map((entry) => [entry.id, entry]));
  const right = new Map(target.map((entry) => [entry.id, entry]));
  for (const [id, entry] of left) {
    const other = right.get(id);
    if (other !== undefined && inList(entry.fields, other.fields) !== undefined) {
      return unequal(`entry ${id}`, printParts(entry.fields), printParts(other.fields));
    }
  }
  return firstOneSided(left, right, (entry) => `entry ${entry.id}`);
}

function printParts(parts: readonly Buffer[]): string {
  const shown = parts.slice(0, 8).map((part) => printBytes(part, 32));
  return `[${shown.join(' ')}${parts.length > shown.length ? ' …' : ''}]`;
}

function inGroups(source: readonly StreamGroup[], target: readonly StreamGroup[]): string | undefined {
  const left = byBytes(source, (group) => group.name);
  const right = byBytes(target, (group) => group.name);
  for (const [name, group] of left) {
    const other = right.get(name);
    const detail = other === undefined ? undefined : inGroup(group, other);
    if (detail !== undefined) return detail;
  }
  return firstOneSided(left, right, (group) => `consumer group ${printBytes(group.name, 64)}`);
}

/** Shared with the paged comparison, which reads groups by commands. */
export function inGroup(
  source: Pick<StreamGroup, 'name' | 'lastId'> & GroupMembers,
  target: Pick<StreamGroup, 'lastId'> & GroupMembers,
): string | undefined {
  const of = `of group ${printBytes(source.name, 64)}`;
  if (source.lastId !== target.lastId)
    return unequal(`last delivered id ${of}`, source.lastId, target.lastId);
  const left = new Map(source.pending.map((entry) => [entry.id, entry]));
  const right = new Map(target.pending.map((entry) => [entry.id, entry]));
  for (const [id, entry] of left) {
    const other = right.get(id);
    if (other === undefined) continue;
    const pending = `pending entry ${id} ${of}`;
    if (!entry.consumer.equals(other.consumer)) {
      return unequal(
        `consumer of ${pending}`,
        printBytes(entry.consumer, 64),
        printBytes(other.consumer, 64),
      );
    }
    if (entry.deliveryCount !== other.deliveryCount) {
      return unequal(`deliveries of ${pending}`, String(entry.deliveryCount), String(other.deliveryCount));
    }
  }
  return (
    firstOneSided(left, right, (entry) => `pending entry ${entry.id} ${of}`) ??
    inConsumers(source.consumers, target.consumers, of)
  );
}

/** What is pending is equal: a consumer that only one side has holds nothing. */
function inConsumers(
  source: GroupMembers['consumers'],
  target: GroupMembers['consumers'],
  of: string,
): string | undefined {
  const detail = firstOneSided(
    byBytes(source, (consumer) => consumer.name),
    byBytes(target, (consumer) => consumer.name),
    (consumer) => `consumer ${printBytes(consumer.name, 64)} ${of}`,
  );
  return detail && `${detail} (nothing is pending for it; old servers do not replicate such a consumer)`;
}

export interface GroupMembers {
  consumers: readonly { name: Buffer }[];
  pending: readonly { id: string; consumer: Buffer; deliveryCount: number }[];
}

function byBytes<T>(items: readonly T[], bytes: (item: T) => Buffer): Map<string, T> {
  return new Map(items.map((item) => [bytes(item).toString('latin1'), item]));
}

/** The first item of the source that the target lacks, else the first that only the target has. */
export function firstOneSided<T>(
  source: ReadonlyMap<string, T>,
  target: ReadonlyMap<string, T>,
  name: (item: T) => string,
): string | undefined {
  for (const [key, item] of source) if (!target.has(key)) return onlyOn(name(item), 'source');
  for (const [key, item] of target) if (!source.has(key)) return onlyOn(name(item), 'target');
  return undefined;
}
