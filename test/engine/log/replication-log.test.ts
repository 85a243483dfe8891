import { getEventListeners } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogItem } from '../../../engine/log/item.ts';
import type { LogCursor } from '../../../engine/log/log-cursor.ts';
import { ReplicationLog } from '../../../engine/log/replication-log.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

let parent: string;
let folder: string;
const opened: ReplicationLog[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'redis-sync-log-'));
  folder = join(parent, 'spool');
});

afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
  await rm(parent, { recursive: true, force: true });
});

function openLog(memoryBytesMax: number, diskBytesMax = 1024 * MIB): ReplicationLog {
  const log = new ReplicationLog({ folder, memoryBytesMax, diskBytesMax });
  opened.push(log);
  return log;
}

/** Bytes that say where they stand, so that a shift or a swap is seen. */
function pattern(from: number, length: number): Buffer {
  return Buffer.from(
    Array.from({ length }, (_, index) => ((from + index) * 7 + ((from + index) >> 8)) & 255),
  );
}

function appendBytes(log: ReplicationLog, from: number, length: number): void {
  log.append({ kind: 'bytes', chunk: pattern(from, length) });
}

/** Reads until so many bytes came; other items are not expected. */
async function readBytes(cursor: LogCursor, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let read = 0; read < length;) {
    const item = await cursor.next();
    if (item.kind !== 'bytes') throw new Error(`unexpected ${item.kind}`);
    chunks.push(item.chunk);
    read += item.chunk.length;
  }
  return Buffer.concat(chunks);
}

async function segments(): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

describe('ReplicationLog', () => {
  it('hands items out in order, from memory, without ever touching the disk', async () => {
    const log = openLog(MIB);
    const cursor = log.openCursor();
    const items: LogItem[] = [
      { kind: 'snapshot-start', replid: 'a', offset: 7n, sizeBytes: null, cause: 'test' },
      { kind: 'bytes', chunk: pattern(0, 20 * KIB) },
      { kind: 'snapshot-end' },
      { kind: 'stream-start', replid: 'a', offset: 7n },
      { kind: 'bytes', chunk: pattern(20 * KIB, 3) },
      { kind: 'closed', cause: 'stopped' },
    ];
    for (const item of items) log.append(item);
    const read: LogItem[] = [];
    for (const _ of items) read.push(await cursor.next());
    expect(read).toEqual(items);
    expect(log.entries).toBe(0);
    expect(log.memoryBytes).toBe(0);
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('keeps within its memory while nobody reads, spills the rest, and gives all of it back in order', async () => {
    const log = openLog(256 * KIB);
    const cursor = log.openCursor();
    const total = 4 * MIB;
    for (let at = 0; at < total; at += 50_000) {
      appendBytes(log, at, Math.min(50_000, total - at));
      await log.room();
    }
    // What the disk has not confirmed yet is still in memory; then only the limit and the open entry are.
    await vi.waitUntil(() => log.memoryBytes <= 256 * KIB + 50_000 + 32 * KIB);
    expect(log.diskBytes).toBeGreaterThan(3 * MIB);
    expect(log.memoryBytes + log.diskBytes).toBeGreaterThanOrEqual(total);
    expect((await readBytes(cursor, total)).equals(pattern(0, total))).toBe(true);
    expect(log.diskBytes).toBe(0);
  });

  it('goes back to memory alone when the reader has caught up', async () => {
    const log = openLog(64 * KIB);
    const cursor = log.openCursor();
    appendBytes(log, 0, 60 * KIB);
    appendBytes(log, 60 * KIB, 60 * KIB);
    expect(log.diskBytes).toBe(60 * KIB);
    await readBytes(cursor, 120 * KIB);
    appendBytes(log, 120 * KIB, 60 * KIB);
    expect(log.diskBytes).toBe(0);
    expect((await readBytes(cursor, 60 * KIB)).equals(pattern(120 * KIB, 60 * KIB))).toBe(true);
  });

  it('joins small chunks that nobody reads, in memory and beyond it', async () => {
    const log = openLog(64 * KIB);
    const cursor = log.openCursor();
    const total = 50_000 * 20;
    for (let at = 0; at < total; at += 20) appendBytes(log, at, 20);
    expect(log.entries).toBeLessThanOrEqual(Math.ceil(total / (16 * KIB)) + 2);
    expect(log.diskBytes).toBeGreaterThan(total / 2);
    expect((await readBytes(cursor, total)).equals(pattern(0, total))).toBe(true);
  });

  it('joins small chunks behind a stalled reader also when another reader keeps up', async () => {
    const log = openLog(64 * KIB);
    const stalled = log.openCursor();
    const fast = log.openCursor();
    const total = 5000 * 20;
    for (let at = 0; at < total; at += 20) {
      appendBytes(log, at, 20);
      expect(await fast.next()).toEqual({ kind: 'bytes', chunk: pattern(at, 20) });
    }
    expect(log.entries).toBeLessThanOrEqual(Math.ceil(total / (16 * KIB)) + 2);
    expect((await readBytes(stalled, total)).equals(pattern(0, total))).toBe(true);
  });

  it('does not hold much more memory than it counts when small and large chunks alternate', () => {
    const log = openLog(64 * MIB);
    log.openCursor();
    const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow');
    const chunks = vi.spyOn(Buffer, 'from');
    for (let index = 0; index < 100; index++) {
      log.append({ kind: 'bytes', chunk: Buffer.alloc(80) });
      log.append({ kind: 'bytes', chunk: Buffer.alloc(256 * KIB) });
    }
    // Every room that was opened for 80 bytes has been exchanged for a buffer of 80 bytes.
    expect(allocate).toHaveBeenCalledTimes(100);
    expect(chunks).toHaveBeenCalledTimes(100);
    allocate.mockRestore();
    chunks.mockRestore();
  });

  it('wakes a reader that waits, for bytes that join the open entry as for new ones', async () => {
    const log = openLog(MIB);
    const cursor = log.openCursor();
    for (const at of [0, 10, 20]) {
      const waiting = cursor.next();
      appendBytes(log, at, 10);
      expect(await waiting).toEqual({ kind: 'bytes', chunk: pattern(at, 10) });
    }
    expect(cursor.tryNext()).toBe(undefined);
  });

  it('keeps what the slowest cursor needs, and no longer', async () => {
    const log = openLog(64 * KIB);
    const [slow, fast] = [log.openCursor(), log.openCursor()];
    for (let at = 0; at < 300 * KIB; at += 30 * KIB) appendBytes(log, at, 30 * KIB);
    await readBytes(fast, 300 * KIB);
    expect(log.memoryBytes + log.diskBytes).toBeGreaterThanOrEqual(300 * KIB);
    expect((await readBytes(slow, 150 * KIB)).equals(pattern(0, 150 * KIB))).toBe(true);
    // In memory and on disk at once only while it is being written.
    await vi.waitUntil(() => log.memoryBytes + log.diskBytes <= 150 * KIB);
    slow.close();
    log.append({ kind: 'closed', cause: 'test' });
    expect(await fast.next()).toEqual({ kind: 'closed', cause: 'test' });
    expect([log.memoryBytes, log.diskBytes, log.entries]).toEqual([0, 0, 0]);
  });

  it('lets a new cursor see only what comes after it, also inside a joined entry', async () => {
    const log = openLog(MIB);
    const early = log.openCursor();
    appendBytes(log, 0, 10);
    const late = log.openCursor();
    expect(late.tryNext()).toBe(undefined);
    appendBytes(log, 10, 10);
    expect(await late.next()).toEqual({ kind: 'bytes', chunk: pattern(10, 10) });
    expect((await readBytes(early, 20)).equals(pattern(0, 20))).toBe(true);
  });

  it('stops with LOG_FULL at the disk limit; what is held can still be read', async () => {
    const log = openLog(32 * KIB, 96 * KIB);
    const cursor = log.openCursor();
    const append = (): void => {
      for (let at = 0; at < 10; at++) appendBytes(log, at * 32 * KIB, 32 * KIB);
    };
    expect(append).toThrow(
      expect.objectContaining({
        code: 'LOG_FULL',
        retryable: false,
        hint: expect.stringContaining('engine.disk'),
      }),
    );
    expect(log.diskBytes).toBeLessThanOrEqual(96 * KIB);
    expect(() => appendBytes(log, 0, 1)).toThrow(expect.objectContaining({ code: 'LOG_FULL' }));
    expect((await readBytes(cursor, 128 * KIB)).equals(pattern(0, 128 * KIB))).toBe(true);
    await expect(cursor.next()).rejects.toMatchObject({ code: 'LOG_FULL' });
  });

  it('fails with LOG_FULL, and wakes whoever waits, when the folder cannot be made', async () => {
    await writeFile(folder, 'a file where the folder should be');
    const log = openLog(16 * KIB);
    const cursor = log.openCursor();
    appendBytes(log, 0, 16 * KIB);
    await readBytes(cursor, 16 * KIB);
    const waiting = cursor.next();
    appendBytes(log, 0, 20 * KIB);
    await waiting;
    await vi.waitUntil(() => log.failure !== undefined);
    await expect(cursor.next()).rejects.toMatchObject({ code: 'LOG_FULL', where: folder });
    expect(log.room()).toBe(undefined);
  });

  it('makes the writer wait when the disk falls behind, and lets it go on when it has caught up', async () => {
    const log = openLog(0);
    const cursor = log.openCursor();
    expect(log.room()).toBe(undefined);
    let waits = 0;
    for (let index = 0; index < 40; index++) {
      log.append({ kind: 'bytes', chunk: Buffer.alloc(MIB, index) });
      const room = log.room();
      if (room === undefined) continue;
      waits++;
      expect(log.memoryBytes).toBeLessThanOrEqual(17 * MIB);
      await room;
      expect(log.memoryBytes).toBeLessThanOrEqual(9 * MIB);
    }
    expect(waits).toBeGreaterThan(0);
    for (let index = 0; index < 40; index++)
      expect((await readBytes(cursor, MIB)).every((byte) => byte === index)).toBe(true);
  });

  it('removes segment files as they are passed, and keeps the one being written', async () => {
    const log = openLog(0);
    const cursor = log.openCursor();
    for (let index = 0; index < 80; index++) {
      log.append({ kind: 'bytes', chunk: Buffer.alloc(MIB, index) });
      await log.room();
    }
    expect(await segments()).toEqual(['segment-000001.log', 'segment-000002.log', 'segment-000003.log']);
    for (let index = 0; index < 40; index++) await cursor.next();
    await vi.waitUntil(async () => (await segments()).length === 2);
    expect(await segments()).toEqual(['segment-000002.log', 'segment-000003.log']);
    for (let index = 40; index < 80; index++)
      expect(await cursor.next()).toMatchObject({ chunk: { 0: index } });
    expect(log.diskBytes).toBe(0);
  });

  it('removes its files and its folder at the end, in the middle of writing too', async () => {
    const log = openLog(0);
    log.openCursor();
    for (let index = 0; index < 40; index++) log.append({ kind: 'bytes', chunk: Buffer.alloc(MIB, index) });
    await log.close();
    expect(await readdir(parent)).toEqual([]);
  });

  it('deletes nothing that it did not make', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'precious.txt'), 'not ours');
    await writeFile(join(folder, 'segment-000001.log'), 'left behind by a process that was killed');
    await writeFile(join(folder, 'reconcile-0123456789ab-1.spool'), 'left behind as well');
    const log = openLog(0);
    await log.removeLeftovers();
    expect(await segments()).toEqual(['precious.txt']);
    const cursor = log.openCursor();
    appendBytes(log, 0, 2 * MIB);
    expect((await readBytes(cursor, 2 * MIB)).equals(pattern(0, 2 * MIB))).toBe(true);
    await log.close();
    expect(await segments()).toEqual(['precious.txt']);
  });

  it('ends waiting readers when it is closed or their signal aborts, and leaves no listener', async () => {
    const log = openLog(MIB);
    const controller = new AbortController();
    const [aborted, ended] = [log.openCursor(), log.openCursor()];
    const first = aborted.next(controller.signal);
    const second = ended.next();
    controller.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    appendBytes(log, 0, 1);
    await second;
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    const third = ended.next();
    await log.close();
    await expect(third).rejects.toMatchObject({ code: 'ABORTED' });
  });

  type Step =
    | { do: 'append'; length: number }
    | { do: 'mark' }
    | { do: 'read'; cursor: number; times: number }
    | { do: 'open' }
    | { do: 'close' };

  // oxlint-disable-next-line vitest/expect-expect -- runAgainstModel expects
  it('reads like a plain array, whatever is appended, spilled, read and closed in between', async () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('append' as const),
          length: fc.oneof(fc.nat(200), fc.nat(40_000)),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ do: 'mark' as const }) },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('read' as const), cursor: fc.nat(2), times: fc.nat(8) }),
      },
      { weight: 1, arbitrary: fc.constant({ do: 'open' as const }) },
      { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const log = openLog(20 * KIB);
        await runAgainstModel(log, steps);
        await log.close();
      }),
      { seed: 4, numRuns: 60 },
    );
  });

  /** The model: what a cursor should still see, marks as "|" between the bytes. */
  async function runAgainstModel(log: ReplicationLog, steps: readonly Step[]): Promise<void> {
    const readers = [{ cursor: log.openCursor(), expected: [] as string[] }];
    let at = 0;
    let marks = 0;
    const appended = (text: string): void => readers.forEach(({ expected }) => expected.push(text));
    const read = async ({ cursor, expected }: (typeof readers)[number]): Promise<void> => {
      const item = await cursor.next();
      const seen =
        item.kind === 'bytes'
          ? item.chunk.toString('latin1')
          : `mark ${item.kind === 'closed' ? item.cause : item.kind}`;
      let wanted = expected.shift() ?? '';
      while (wanted.length < seen.length) wanted += expected.shift() ?? 'nothing more was appended';
      expect(wanted.slice(0, seen.length) === seen).toBe(true);
      if (wanted.length > seen.length) expected.unshift(wanted.slice(seen.length));
    };
    for (const step of steps) {
      if (step.do === 'append') {
        const chunk = pattern(at, step.length);
        at += step.length;
        log.append({ kind: 'bytes', chunk });
        if (step.length > 0) appended(chunk.toString('latin1'));
      } else if (step.do === 'mark') {
        log.append({ kind: 'closed', cause: String(marks) });
        appended(`mark ${marks++}`);
      } else if (step.do === 'open' && readers.length < 3) {
        readers.push({ cursor: log.openCursor(), expected: [] });
      } else if (step.do === 'close' && readers.length > 1) {
        readers.shift()?.cursor.close();
      } else if (step.do === 'read') {
        const reader = readers[step.cursor % readers.length]!;
        for (let left = step.times; left > 0 && reader.expected.length > 0; left--) await read(reader);
      }
    }
    for (const reader of readers) {
      while (reader.expected.length > 0) await read(reader);
      expect(reader.cursor.tryNext()).toBe(undefined);
    }
    expect(log.diskBytes).toBe(0);
    expect(log.entries).toBeLessThanOrEqual(1);
  }
});
