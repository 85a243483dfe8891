/** Hands a decoded value to whoever takes elements. */
import type { ElementSink } from '../../rdb/stream-decode/element-sink.ts';
import type { Value } from '../../rdb/value.ts';

/** A module value has no elements; it is refused by returning false. */
export function feedValue(value: Value, sink: ElementSink): boolean {
  switch (value.type) {
    case 'string':
      sink.stringStart(value.value.length);
      sink.stringPart(value.value);
      return true;
    case 'list':
      for (const element of value.elements) sink.listElement(element);
      return true;
    case 'set':
      for (const member of value.members) sink.setMember(member);
      return true;
    case 'zset':
      for (const { member, score } of value.members) sink.scored(member, score);
      return true;
    case 'hash':
      for (const { field, value: content, expireAtMs } of value.fields)
        sink.field(field, content, expireAtMs);
      return true;
    case 'stream':
      feedStream(value, sink);
      return true;
    case 'module':
      return false;
    default:
      return value satisfies never;
  }
}

type Stream = Extract<Value, { type: 'stream' }>;

function feedStream(stream: Stream, sink: ElementSink): void {
  const gone = deletedPending(stream);
  let next = 0;
  for (const { id, fields } of stream.entries) {
    for (; next < gone.length && compareIds(gone[next]!, id) < 0; next++) sink.deletedEntry(gone[next]!);
    sink.entry(id, fields);
  }
  for (; next < gone.length; next++) sink.deletedEntry(gone[next]!);
  sink.counters(stream);
  for (const group of stream.groups) {
    sink.group(group.name, group.lastId, group.entriesRead);
    for (const { name } of group.consumers) sink.consumer(name);
    for (const entry of group.pending) sink.pending(entry);
  }
}

/** Ids that are pending in some group and not in the stream any more, ascending. */
function deletedPending(stream: Stream): string[] {
  if (stream.groups.every((group) => group.pending.length === 0)) return [];
  const there = new Set(stream.entries.map(({ id }) => id));
  const gone = new Set<string>();
  for (const group of stream.groups) {
    for (const { id } of group.pending) if (!there.has(id)) gone.add(id);
  }
  return [...gone].toSorted(compareIds);
}

/** Orders two stream ids (`<ms>-<sequence>`). */
export function compareIds(a: string, b: string): number {
  const [aMs, aSequence] = parts(a);
  const [bMs, bSequence] = parts(b);
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  if (aSequence === bSequence) return 0;
  return aSequence < bSequence ? -1 : 1;
}

function parts(id: string): [ms: bigint, sequence: bigint] {
  const dash = id.indexOf('-');
  return [BigInt(id.slice(0, dash)), BigInt(id.slice(dash + 1))];
}
