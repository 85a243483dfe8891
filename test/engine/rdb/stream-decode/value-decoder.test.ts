/** Values decoded while they arrive, against the same values decoded whole. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { feedValue } from '../../../../engine/apply/rebuild/feed-value.ts';
import { SyncError } from '../../../../engine/errors.ts';
import { decodeValue } from '../../../../engine/rdb/decode.ts';
import type { RawEntry } from '../../../../engine/rdb/entry.ts';
import { TYPE, type Flavor } from '../../../../engine/rdb/format.ts';
import { RawSnapshotReader } from '../../../../engine/rdb/raw-reader.ts';
import { canStreamDecode, ValueDecoder } from '../../../../engine/rdb/stream-decode/value-decoder.ts';
import { keep, pieces } from '../read-snapshot.ts';
import { RecordingSink } from './recording-sink.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');

function decodedWhole(entry: RawEntry, flavor: Flavor): string[] {
  const sink = new RecordingSink();
  feedValue(decodeValue(entry.type, entry.value, flavor), sink);
  return sink.all;
}

/** Pauses after everything that is told when `pause` says so: what is told must not depend on it. */
function decodedInParts(
  entry: Pick<RawEntry, 'type'>,
  flavor: Flavor,
  parts: Iterable<Buffer>,
  pause = false,
): string[] {
  const sink = new RecordingSink();
  const decoder = new ValueDecoder(entry.type, flavor, sink, () => pause);
  let last = decoder.run();
  for (const part of parts) {
    decoder.push(part);
    // The decoder must have copied what it needs.
    part.fill(0xee);
    for (last = decoder.run(); last === 'paused';) last = decoder.run();
  }
  decoder.finish();
  return sink.all;
}

describe.each(readdirSync(FIXTURES).filter((file) => file.endsWith('.rdb')))('%s', (file) => {
  const entries: RawEntry[] = [];
  const reader = new RawSnapshotReader({ entry: (entry) => entries.push(keep(entry)) });
  reader.push(readFileSync(join(FIXTURES, file)));
  reader.finish();
  const streamable = entries.filter(({ type }) => canStreamDecode(type, reader.flavor));

  it('holds values that can be decoded in parts', () => {
    expect(new Set(streamable.map(({ type }) => type)).size).toBeGreaterThanOrEqual(5);
  });

  it('decodes the same cut at every byte', () => {
    for (const entry of streamable) {
      const expected = decodedWhole(entry, reader.flavor);
      for (let cut = 0; cut <= entry.value.length; cut++) {
        const parts = [entry.value.subarray(0, cut), entry.value.subarray(cut)].map((part) =>
          Buffer.from(part),
        );
        expect(decodedInParts(entry, reader.flavor, parts)).toEqual(expected);
      }
    }
  });

  it('decodes the same byte by byte, and pausing at every element', () => {
    for (const entry of streamable) {
      const expected = decodedWhole(entry, reader.flavor);
      expect(decodedInParts(entry, reader.flavor, pieces(entry.value, 1), true)).toEqual(expected);
      expect(decodedInParts(entry, reader.flavor, [Buffer.from(entry.value)], true)).toEqual(expected);
    }
  });

  it('answers a cut or changed value with a typed error or with another value, never otherwise', () => {
    const outcomes = new Set<string>();
    for (const entry of streamable) {
      for (let at = 0; at < entry.value.length; at++) {
        const changed = Buffer.from(entry.value);
        changed[at]! ^= 1 << (at % 8);
        outcomes.add(outcomeOf(() => decodedInParts(entry, reader.flavor, pieces(changed, 7))));
        const cut = Buffer.from(entry.value.subarray(0, at));
        expect(outcomeOf(() => decodedInParts(entry, reader.flavor, [cut]))).toBe('SNAPSHOT_CORRUPT');
      }
    }
    expect([...outcomes].toSorted()).toEqual(['SNAPSHOT_CORRUPT', 'read']);
  });
});

function outcomeOf(action: () => unknown): string {
  try {
    action();
    return 'read';
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
}

/** `times` × 264 zero bytes: one literal, then copies from one byte back. */
function zeros(times: number): Buffer {
  const copies = Buffer.alloc(times * 3);
  for (let at = 0; at < copies.length; at += 3) copies.set([0xe0, 0xff, 0], at);
  return Buffer.concat([Buffer.from([0, 0]), copies]);
}

describe('a compressed string', () => {
  it('is decompressed in blocks, pausing between them, however much it becomes', () => {
    const compressed = zeros(40_000);
    const head = Buffer.alloc(11);
    head.set([0xc3, 0x80], 0);
    head.writeUInt32BE(compressed.length, 2);
    head[6] = 0x80;
    head.writeUInt32BE(1 + 40_000 * 264, 7);
    let bytes = 0;
    let largest = 0;
    const sink = new RecordingSink();
    sink.stringPart = (block) => {
      bytes += block.length;
      largest = Math.max(largest, block.length);
      expect(block.every((byte) => byte === 0)).toBe(true);
    };
    const decoder = new ValueDecoder(TYPE.STRING, 'REDIS', sink, () => true);
    decoder.push(Buffer.concat([head, compressed]));
    let pauses = 0;
    while (decoder.run() === 'paused') pauses++;
    decoder.finish();
    expect(bytes).toBe(1 + 40_000 * 264);
    expect(largest).toBeLessThanOrEqual(73_728);
    expect(pauses).toBeGreaterThan(20);
  });
});
