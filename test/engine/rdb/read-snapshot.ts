/** Reads a snapshot into a list of events, for comparing different ways to cut it. Test support only. */
import { SyncError } from '../../../engine/errors.ts';
import type { RawEntry, SnapshotHandler } from '../../../engine/rdb/entry.ts';
import { decodeValue } from '../../../engine/rdb/decode.ts';
import { type RawReaderOptions, RawSnapshotReader } from '../../../engine/rdb/raw-reader.ts';

import { type CanonicalKey, canonicalValue, sortKeys } from './canonical.ts';

export type SnapshotEvent = readonly ['entry', RawEntry] | readonly [kind: string, ...details: unknown[]];

/** A copy that outlives the callback. */
export function keep(entry: RawEntry): RawEntry {
  return { ...entry, key: Buffer.from(entry.key), value: Buffer.from(entry.value) };
}

/** A handler that writes everything down. */
export function recorder(events: SnapshotEvent[]): SnapshotHandler {
  return {
    header: (version, flavor) => events.push(['header', version, flavor]),
    aux: (name, value) => events.push(['aux', name, value.toString('latin1')]),
    sizes: (database, keys, expires) => events.push(['sizes', database, keys, expires]),
    functionLibrary: (code) => events.push(['function', code.toString('latin1')]),
    entry: (entry) => events.push(['entry', keep(entry)]),
    moduleValue: (database, key, module) =>
      events.push(['moduleValue', database, key.toString('latin1'), module]),
    moduleAux: (module) => events.push(['moduleAux', module]),
    end: (checksum) => events.push(['end', checksum]),
  };
}

/** Pushes `whole` in the given pieces and finishes. */
export function readPieces(chunks: Iterable<Buffer>, options?: RawReaderOptions): SnapshotEvent[] {
  const events: SnapshotEvent[] = [];
  const reader = new RawSnapshotReader(recorder(events), options);
  for (const chunk of chunks) reader.push(chunk);
  reader.finish();
  return events;
}

export function readWhole(whole: Buffer, options?: RawReaderOptions): SnapshotEvent[] {
  return readPieces([whole], options);
}

export function entriesOf(events: readonly SnapshotEvent[]): RawEntry[] {
  return events.flatMap((event) => (isEntry(event) ? [event[1]] : []));
}

function isEntry(event: SnapshotEvent): event is readonly ['entry', RawEntry] {
  return event[0] === 'entry';
}

/** `whole` in pieces of `size` bytes. */
export function* pieces(whole: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < whole.length; at += size) yield Buffer.from(whole.subarray(at, at + size));
}

/** `whole` in pieces whose sizes a seed decides: 1 byte to 300, now and then thousands. */
export function* unevenPieces(whole: Buffer, seed: number): Generator<Buffer> {
  let state = seed >>> 0 || 1;
  for (let at = 0; at < whole.length;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const size = 1 + (state % 7 === 0 ? state % 9000 : state % 300);
    yield Buffer.from(whole.subarray(at, at + size));
    at += size;
  }
}

/** `read`, or the code of the SyncError; anything else is a bug and thrown on. */
export function outcome(action: () => unknown): string {
  try {
    action();
    return 'read';
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
}

/** What becomes of a snapshot that may be damaged; values above 1 MiB count as damage. */
export function readOutcome(whole: Buffer): string {
  return outcome(() => readWhole(whole, { maxValueBytes: 1 << 20 }));
}

/** Every key of a snapshot with its decoded value, sorted, in the form `askEverything` gives. */
export function decodedKeys(whole: Buffer): CanonicalKey[] {
  const keys: CanonicalKey[] = [];
  const reader = new RawSnapshotReader({
    entry: ({ database, key, type, value, expireAtMs }) => {
      const decoded = canonicalValue(decodeValue(type, value, reader.flavor));
      keys.push({ database, key: key.toString('latin1'), expireAtMs, value: decoded });
    },
  });
  reader.push(whole);
  reader.finish();
  return sortKeys(keys);
}

/** Where a snapshot, cut into two, reads differently from the whole one: nowhere, if all is well. */
export function differingCuts(whole: Buffer): number[] {
  // JSON text, because comparing the events deeply takes a hundred times longer.
  const expected = JSON.stringify(readWhole(whole));
  const different: number[] = [];
  for (let cut = 0; cut <= whole.length; cut++) {
    const events = readPieces([Buffer.from(whole.subarray(0, cut)), Buffer.from(whole.subarray(cut))]);
    if (JSON.stringify(events) !== expected) different.push(cut);
  }
  return different;
}

/** Which bytes can be changed without anybody noticing: none, if all is well. */
export function undetectedChanges(whole: Buffer): number[] {
  const accepted: number[] = [];
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 1 << (at % 8);
    if (readOutcome(changed) !== 'SNAPSHOT_CORRUPT') accepted.push(at);
  }
  return accepted;
}
