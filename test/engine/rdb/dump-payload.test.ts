/** DUMP payloads: the footer, taken apart and put together. */
import { describe, expect, it } from 'vitest';
import {
  DUMP_FOOTER_BYTES,
  dumpPayloadLength,
  sameBody,
  splitDumpPayload,
  writeDumpFooter,
  writeDumpPayload,
} from '../../../engine/rdb/dump-payload.ts';
import { outcome } from './read-snapshot.ts';

/** `SET k 10`, `DUMP k` on Redis 2.6: the example in the manual page of DUMP. */
const MANUAL = Buffer.from('\u0000\xC0\n\u0006\u0000\xF8r?\xC5\xFB\xFB_(', 'latin1');

describe('dump payload', () => {
  it('writes the example of the manual page, anywhere in a buffer', () => {
    const out = Buffer.alloc(30, 0xee);
    const end = writeDumpPayload(0, Buffer.from([0xc0, 10]), 6, out, 5);
    expect(end).toBe(5 + dumpPayloadLength(2));
    expect(out.subarray(5, end)).toEqual(MANUAL);
    expect(out[4]).toBe(0xee);
    expect(out[end]).toBe(0xee);
  });

  it('writes the footer behind bytes that are there already', () => {
    const out = Buffer.concat([Buffer.from([0, 0xc0, 10]), Buffer.alloc(DUMP_FOOTER_BYTES)]);
    expect(writeDumpFooter(out, 0, 3, 6)).toBe(out.length);
    expect(out).toEqual(MANUAL);
  });

  it('takes it apart', () => {
    expect(splitDumpPayload(MANUAL)).toEqual({ type: 0, value: Buffer.from([0xc0, 10]), version: 6 });
  });

  it('accepts an absent checksum', () => {
    const absent = Buffer.concat([MANUAL.subarray(0, -8), Buffer.alloc(8)]);
    expect(splitDumpPayload(absent).version).toBe(6);
  });

  it('refuses every changed byte and every cut', () => {
    for (let at = 0; at < MANUAL.length; at++) {
      const changed = Buffer.from(MANUAL);
      changed[at]! ^= 0x20;
      expect(outcome(() => splitDumpPayload(changed))).toBe('SNAPSHOT_CORRUPT');
      expect(outcome(() => splitDumpPayload(MANUAL.subarray(0, at)))).toBe('SNAPSHOT_CORRUPT');
    }
  });

  it('compares type and value, not version and checksum', () => {
    const newer = Buffer.alloc(MANUAL.length);
    writeDumpPayload(0, Buffer.from([0xc0, 10]), 12, newer, 0);
    const other = Buffer.alloc(MANUAL.length);
    writeDumpPayload(0, Buffer.from([0xc0, 11]), 6, other, 0);
    expect(sameBody(MANUAL, newer)).toBe(true);
    expect(sameBody(MANUAL, other)).toBe(false);
    expect(sameBody(MANUAL, MANUAL.subarray(1))).toBe(false);
    expect(sameBody(Buffer.alloc(3), Buffer.alloc(3))).toBe(false);
  });
});
