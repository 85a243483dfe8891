import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SnapshotFramer } from '../../../engine/psync/snapshot-framer.ts';

interface Received {
  sizeBytes: number | null | undefined;
  snapshot: string;
  ended: boolean;
  /** What follows the snapshot: the command stream. */
  stream: string;
}

function receive(chunks: readonly Buffer[]): Received {
  const received: Received = { sizeBytes: undefined, snapshot: '', ended: false, stream: '' };
  const framer = new SnapshotFramer({
    begin: ({ sizeBytes }) => {
      expect(received.sizeBytes).toBe(undefined);
      received.sizeBytes = sizeBytes;
    },
    bytes: (chunk) => {
      expect(received.ended).toBe(false);
      expect(chunk.length).toBeGreaterThan(0);
      received.snapshot += chunk.toString('latin1');
    },
    end: () => {
      expect(received.ended).toBe(false);
      received.ended = true;
    },
  });
  for (const chunk of chunks) received.stream += framer.push(chunk).toString('latin1');
  expect(framer.done).toBe(received.ended);
  return received;
}

/** Whole, byte by byte, and in two parts at every byte. */
function everyCut(wire: string): Buffer[][] {
  const bytes = Buffer.from(wire, 'latin1');
  const cuts = [[bytes], [...bytes].map((byte) => Buffer.from([byte]))];
  for (let cut = 1; cut < bytes.length; cut++) cuts.push([bytes.subarray(0, cut), bytes.subarray(cut)]);
  return cuts;
}

const MARKER = '0f1e2d3c4b5a69788796a5b4c3d2e1f00112233a';
const STREAM = '*1\r\n$4\r\nPING\r\n';

const CASES: [name: string, wire: string, expected: Received][] = [
  ['a disk-based snapshot', '$5\r\nREDIS', { sizeBytes: 5, snapshot: 'REDIS', ended: true, stream: '' }],
  [
    'stream behind a disk-based snapshot',
    `$5\r\nREDIS${STREAM}`,
    { sizeBytes: 5, snapshot: 'REDIS', ended: true, stream: STREAM },
  ],
  [
    'keep-alives before a disk-based snapshot',
    `\n\n\n$5\r\nREDIS`,
    { sizeBytes: 5, snapshot: 'REDIS', ended: true, stream: '' },
  ],
  [
    'newlines that are the snapshot',
    '$3\r\n\n\r\n',
    { sizeBytes: 3, snapshot: '\n\r\n', ended: true, stream: '' },
  ],
  [
    'an incomplete disk-based snapshot',
    '$9\r\nREDIS',
    { sizeBytes: 9, snapshot: 'REDIS', ended: false, stream: '' },
  ],
  [
    'an empty disk-based snapshot',
    `$0\r\n${STREAM}`,
    { sizeBytes: 0, snapshot: '', ended: true, stream: STREAM },
  ],
  [
    'a diskless snapshot',
    `$EOF:${MARKER}\r\nREDIS${MARKER}`,
    { sizeBytes: null, snapshot: 'REDIS', ended: true, stream: '' },
  ],
  [
    'keep-alives before and stream behind a diskless snapshot',
    `\n\n$EOF:${MARKER}\r\nREDIS${MARKER}${STREAM}`,
    { sizeBytes: null, snapshot: 'REDIS', ended: true, stream: STREAM },
  ],
  [
    'the beginning of the marker inside the data',
    `$EOF:${MARKER}\r\n${MARKER.slice(0, 39)}-${MARKER.slice(0, 20)}${MARKER}${STREAM}`,
    {
      sizeBytes: null,
      snapshot: `${MARKER.slice(0, 39)}-${MARKER.slice(0, 20)}`,
      ended: true,
      stream: STREAM,
    },
  ],
  [
    'a second marker in the stream',
    `$EOF:${MARKER}\r\nR${MARKER}${MARKER}`,
    { sizeBytes: null, snapshot: 'R', ended: true, stream: MARKER },
  ],
  [
    'an empty diskless snapshot',
    `$EOF:${MARKER}\r\n${MARKER}`,
    { sizeBytes: null, snapshot: '', ended: true, stream: '' },
  ],
];

describe('SnapshotFramer', () => {
  for (const [name, wire, expected] of CASES) {
    it(`reads ${name} whole and cut at every byte`, () => {
      for (const chunks of everyCut(wire)) expect(receive(chunks)).toEqual(expected);
    });
  }

  it('has not ended a diskless snapshot one byte before the end of its marker', () => {
    const { ended, stream } = receive([Buffer.from(`$EOF:${MARKER}\r\nREDIS${MARKER.slice(0, 39)}`)]);
    expect({ ended, stream }).toEqual({ ended: false, stream: '' });
  });

  it('finds a marker of few different bytes behind data that repeats them, in any chunks', () => {
    const marker = `${'a'.repeat(39)}b`;
    // The marker itself cannot be in the data: the source draws it at random.
    const data = fc.string({ unit: fc.constantFrom('a', 'c', '\n', '\0'), maxLength: 120 });
    fc.assert(
      fc.property(data, fc.array(fc.nat(400), { maxLength: 8 }), (snapshot, cuts) => {
        const wire = Buffer.from(`\n$EOF:${marker}\r\n${snapshot}${marker}${STREAM}`, 'latin1');
        const ends = [...cuts.map((cut) => cut % wire.length).toSorted((a, b) => a - b), wire.length];
        const chunks = ends.map((end, index) => wire.subarray(index === 0 ? 0 : ends[index - 1], end));
        expect(receive(chunks)).toEqual({ sizeBytes: null, snapshot, ended: true, stream: STREAM });
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('keeps of a large diskless snapshot no more than a marker’s length', () => {
    const framer = new SnapshotFramer({
      begin: () => undefined,
      bytes: (chunk) => (given += chunk.length),
      end: () => undefined,
    });
    let given = 0;
    framer.push(Buffer.from(`$EOF:${MARKER}\r\n`));
    for (let index = 1; index <= 100; index++) {
      framer.push(Buffer.alloc(1000, 'x'));
      expect(index * 1000 - given).toBeLessThan(MARKER.length);
    }
  });

  it('reports an error of the source in its place, as worth another try', () => {
    for (const chunks of everyCut('\n-ERR BGSAVE failed, replication can not continue\r\n')) {
      expect(() => receive(chunks)).toThrow(
        expect.objectContaining({
          code: 'PSYNC_REFUSED',
          retryable: true,
          message: expect.stringContaining('BGSAVE failed'),
        }),
      );
    }
  });

  const GARBAGE: [name: string, wire: string][] = [
    ['an HTTP answer', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['a negative length', '$-1\r\n'],
    ['no length', '$\r\n'],
    ['a length that is no number', '$12x\r\n'],
    ['a marker that is too short', `$EOF:${MARKER.slice(1)}\r\n`],
    ['a marker that is too long', `$EOF:${MARKER}x\r\n`],
    ['a command', STREAM],
    ['a length with more digits than a file has bytes', `$${'9'.repeat(19)}\r\n`],
    ['a header line without end', `$${'1'.repeat(400)}`],
  ];
  for (const [name, wire] of GARBAGE) {
    it(`refuses ${name} instead of a snapshot, in any cut`, () => {
      for (const chunks of everyCut(wire))
        expect(() => receive(chunks)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    });
  }
});
