/** Damaged framing of snapshots: a typed error or the same bytes in every cut, and never more than were sent. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SyncError, type ErrorCode } from '../../../engine/errors.ts';
import { SnapshotFramer } from '../../../engine/psync/snapshot-framer.ts';
import { cut } from './stream-bench.ts';

const RUNS = { seed: 20_240_612, numRuns: 2000 };
const MARKER = 'm'.repeat(20) + 'M'.repeat(20);

interface Framed {
  end: ErrorCode | 'ok';
  begins: (number | null)[];
  ends: number;
  snapshot: Buffer;
  rest: Buffer;
}

/** @throws whatever is thrown that is not a SyncError. */
function frame(chunks: readonly Buffer[]): Framed {
  const framed: Framed = { end: 'ok', begins: [], ends: 0, snapshot: Buffer.alloc(0), rest: Buffer.alloc(0) };
  const bytes: Buffer[] = [];
  const rest: Buffer[] = [];
  const framer = new SnapshotFramer({
    begin: ({ sizeBytes }) => framed.begins.push(sizeBytes),
    bytes: (chunk) => bytes.push(Buffer.from(chunk)),
    end: () => framed.ends++,
  });
  try {
    for (const chunk of chunks) rest.push(Buffer.from(framer.done ? chunk : framer.push(chunk)));
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    framed.end = error.code;
  }
  framed.snapshot = Buffer.concat(bytes);
  framed.rest = Buffer.concat(rest);
  return framed;
}

const anySizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 });
/** Bytes in which the marker nearly occurs. */
const anyContent = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each)),
      fc.integer({ min: 1, max: 39 }).map((length) => Buffer.from(MARKER.slice(0, length))),
      fc.constantFrom('\r\n', '$', '\n', 'M', 'm').map((each) => Buffer.from(each)),
    ),
    { maxLength: 8 },
  )
  .map((pieces) => Buffer.concat(pieces))
  .filter((content) => !content.includes(MARKER));
const anyStream = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each));
const keepAlives = fc.integer({ min: 0, max: 3 }).map((count) => Buffer.alloc(count, 10));

const sized = fc.tuple(keepAlives, anyContent, anyStream).map(([before, content, rest]) => ({
  bytes: Buffer.concat([before, Buffer.from(`$${content.length}\r\n`), content, rest]),
  content,
  rest,
  sizeBytes: content.length,
}));
const marked = fc
  .tuple(keepAlives, anyContent, anyStream)
  // Together they must not make an earlier marker.
  .filter(([, content]) => Buffer.concat([content, Buffer.from(MARKER)]).indexOf(MARKER) === content.length)
  .map(([before, content, rest]) => ({
    bytes: Buffer.concat([before, Buffer.from(`$EOF:${MARKER}\r\n`), content, Buffer.from(MARKER), rest]),
    content,
    rest,
    sizeBytes: null,
  }));

test('well-framed snapshots, in every cut', () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(fc.oneof(sized, marked), anySizes, ({ bytes, content, rest, sizeBytes }, sizes) => {
      for (const chunks of [[bytes], cut(bytes, sizes), cut(bytes, [1])]) {
        const framed = frame(chunks);
        expect(framed).toMatchObject({ end: 'ok', begins: [sizeBytes], ends: 1 });
        expect(framed.snapshot.equals(content)).toBe(true);
        expect(framed.rest.equals(rest)).toBe(true);
      }
    }),
    RUNS,
  );
});

test('cut off anywhere: it has not ended, and what came is a beginning of it', () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(
      fc.oneof(sized, marked),
      fc.double({ min: 0, max: 1, noNaN: true }),
      ({ bytes, content, rest }, share) => {
        const whole = bytes.length - rest.length;
        const framed = frame([bytes.subarray(0, Math.floor(share * Math.max(0, whole - 1)))]);
        expect(framed.end).toBe('ok');
        expect(framed.ends).toBe(0);
        expect(content.subarray(0, framed.snapshot.length).equals(framed.snapshot)).toBe(true);
      },
    ),
    RUNS,
  );
});

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
  fc.string({ maxLength: 200 }).map((each) => Buffer.from(each)),
  fc
    .tuple(
      fc.constantFrom('$', '$EOF:', '$-1', '-ERR ', '+', '*1', '$1e3', '$0x10', '$ 5', '$5 ', '\n\n$'),
      fc.string({ maxLength: 60 }),
    )
    .map(([head, tail]) => Buffer.from(`${head}${tail}\r\nxyz`)),
);

test('anything at all: a typed error or bytes that were sent, the same in every cut', () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(
      fc.oneof(
        noise,
        sized.map(({ bytes }) => bytes),
        marked.map(({ bytes }) => bytes),
      ),
      fc.nat(400),
      fc.nat(255),
      anySizes,
      (bytes, at, value, sizes) => {
        const damaged = Buffer.from(bytes);
        if (at < damaged.length) damaged[at] = value;
        const whole = frame([damaged]);
        expect(['ok', 'PROTOCOL', 'PSYNC_REFUSED']).toContain(whole.end);
        expect(whole.begins.length).toBeLessThanOrEqual(1);
        expect(whole.ends).toBeLessThanOrEqual(whole.begins.length);
        expect(whole.snapshot.length + whole.rest.length).toBeLessThanOrEqual(damaged.length);
        expect(frame(cut(damaged, sizes))).toEqual(whole);
      },
    ),
    { ...RUNS, numRuns: 4000 },
  );
});

test.each([
  ['no header', 'x'.repeat(1000)],
  ['a header without end', `$${'1'.repeat(1000)}`],
  ['keep-alives and no header', `${'\n'.repeat(1000)}${'y'.repeat(1000)}`],
])('%s: given up, not collected', (_what, text) => {
  expect(frame([Buffer.from(text)])).toMatchObject({ end: 'PROTOCOL', begins: [] });
  expect(frame(cut(Buffer.from(text), [1]))).toMatchObject({ end: 'PROTOCOL', begins: [] });
});

test('a length that lies makes nobody set memory aside', () => {
  const before = process.memoryUsage().arrayBuffers;
  const framed = frame([Buffer.from('$9000000000000000\r\nREDIS0011')]);
  expect(framed).toMatchObject({ end: 'ok', begins: [9_000_000_000_000_000], ends: 0 });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
});
