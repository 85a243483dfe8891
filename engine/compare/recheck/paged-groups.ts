/** What a stream holds besides its entries, by commands: last id, consumer groups, consumers, pending entries. */
import type { Reply } from '../../resp/reply.ts';
import { textOf } from '../../resp/reply-text.ts';
import { replyBytes } from '../reply-bytes.ts';
import { printBytes } from '../explain/print.ts';
import { firstOneSided, type GroupMembers, inGroup } from '../explain/value-detail.ts';
import { unequal } from '../explain/wording.ts';
import type { NodeReader } from './key-state.ts';

const PENDING_PAGE = 1000;

interface Group extends GroupMembers {
  name: Buffer;
  lastId: string;
}

/** The first difference in words; undefined when there is none. */
export async function compareGroups(
  key: Buffer,
  source: NodeReader,
  target: NodeReader,
): Promise<string | undefined> {
  const [left, right] = await Promise.all([readStreamState(key, source), readStreamState(key, target)]);
  if (left.lastId !== right.lastId) return unequal('last id', left.lastId, right.lastId);
  for (const [name, group] of left.groups) {
    const other = right.groups.get(name);
    const detail = other === undefined ? undefined : inGroup(group, other);
    if (detail !== undefined) return detail;
  }
  return firstOneSided(left.groups, right.groups, (group) => `consumer group ${printBytes(group.name, 64)}`);
}

async function readStreamState(
  key: Buffer,
  reader: NodeReader,
): Promise<{ lastId: string; groups: Map<string, Group> }> {
  const stream = fields(await reader.connection.call('XINFO', 'STREAM', key));
  const groups = new Map<string, Group>();
  const listed = await reader.connection.call('XINFO', 'GROUPS', key);
  for (const reply of Array.isArray(listed) ? listed : []) {
    const group = fields(reply);
    const name = replyBytes(group.get('name'));
    groups.set(name.toString('latin1'), {
      name,
      lastId: textOf(group.get('last-delivered-id')),
      consumers: await readConsumers(key, name, reader),
      pending: await readPending(key, name, reader),
    });
  }
  return { lastId: textOf(stream.get('last-generated-id')), groups };
}

async function readConsumers(key: Buffer, group: Buffer, reader: NodeReader): Promise<{ name: Buffer }[]> {
  const reply = await reader.connection.call('XINFO', 'CONSUMERS', key, group);
  return (Array.isArray(reply) ? reply : []).map((consumer) => ({
    name: replyBytes(fields(consumer).get('name')),
  }));
}

async function readPending(key: Buffer, group: Buffer, reader: NodeReader): Promise<Group['pending']> {
  const pending: { id: string; consumer: Buffer; deliveryCount: number }[] = [];
  for (let from = '-'; ;) {
    const reply = await reader.connection.call('XPENDING', key, group, from, '+', PENDING_PAGE);
    const rows = Array.isArray(reply) ? reply : [];
    for (const row of rows) {
      if (!Array.isArray(row)) continue;
      pending.push({ id: textOf(row[0]), consumer: replyBytes(row[1]), deliveryCount: Number(row[3]) });
    }
    const last = pending.at(-1);
    if (last === undefined || rows.length < PENDING_PAGE) return pending;
    const [ms, sequence] = last.id.split('-');
    from = `${ms}-${BigInt(sequence ?? 0) + 1n}`;
  }
}

/** A flat array of name, value, … as a map. */
function fields(reply: Reply): Map<string, Reply> {
  const map = new Map<string, Reply>();
  if (!Array.isArray(reply)) return map;
  for (let index = 0; index + 1 < reply.length; index += 2)
    map.set(textOf(reply[index]), reply[index + 1] ?? null);
  return map;
}
