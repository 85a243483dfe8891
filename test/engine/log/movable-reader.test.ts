/** A reader goes from one log to another of the same stream: no byte is missing, none comes twice. */
import { afterEach, describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { MovableReader } from '../../../engine/log/movable-reader.ts';
import { ReplicationLog } from '../../../engine/log/replication-log.ts';

const opened: ReplicationLog[] = [];
const START = 100n;
const STREAM = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

function openLog(): ReplicationLog {
  const log = new ReplicationLog({ folder: '/nowhere', memoryBytesMax: 1 << 20, diskBytesMax: 0 });
  opened.push(log);
  return log;
}

afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
});

/** Appends stream bytes [from, to). */
function append(log: ReplicationLog, from: number, to: number): void {
  if (to > from) log.append({ kind: 'bytes', chunk: STREAM.subarray(from, to) });
}

function read(reader: MovableReader): Buffer {
  const chunks: Buffer[] = [];
  for (let item = reader.tryNext(); item !== undefined; item = reader.tryNext())
    if (item.kind === 'bytes') chunks.push(Buffer.from(item.chunk));
  return Buffer.concat(chunks);
}

function open(): { first: ReplicationLog; second: ReplicationLog; reader: MovableReader } {
  const [first, second] = [openLog(), openLog()];
  const reader = new MovableReader(first.openCursor());
  first.append({ kind: 'stream-start', replid: 'a', offset: START });
  second.append({ kind: 'stream-start', replid: 'a', offset: START });
  return { first, second, reader };
}

describe('MovableReader', () => {
  it('moves at the very byte, wherever the chunks end', () => {
    const place = fc.integer({ min: 0, max: 128 });
    fc.assert(
      fc.property(place, place, place, (readBefore, ahead, chunk) => {
        const { first, second, reader } = open();
        const at = readBefore + ahead;
        append(first, 0, readBefore);
        expect(read(reader)).toEqual(STREAM.subarray(0, readBefore));
        append(second, 0, at);
        let moved = 0;
        reader.moveTo(second.openCursor(), START + BigInt(at), () => moved++);
        append(first, readBefore, Math.min(at, readBefore + chunk));
        append(first, Math.min(at, readBefore + chunk), at + 10);
        append(second, at, 256);
        const rest = Buffer.concat([read(reader), read(reader)]);
        expect(rest).toEqual(STREAM.subarray(readBefore));
        expect(moved).toBe(1);
        expect(reader.offset).toBe(START + 256n);
      }),
    );
  });

  it('wakes up for it when there is nothing more to read where it is', async () => {
    const { first, second, reader } = open();
    append(first, 0, 10);
    read(reader);
    const next = reader.next();
    append(second, 0, 10);
    reader.moveTo(second.openCursor(), START + 10n, () => undefined);
    append(second, 10, 12);
    expect(await next).toMatchObject({ kind: 'bytes', chunk: STREAM.subarray(10, 12) });
  });

  it('stays when a new connection or a snapshot comes first', () => {
    const { first, second, reader } = open();
    append(first, 0, 4);
    append(second, 0, 8);
    read(reader);
    reader.moveTo(second.openCursor(), START + 8n, () => expect.unreachable());
    first.append({ kind: 'stream-start', replid: 'b', offset: START + 4n });
    append(first, 4, 20);
    append(second, 8, 30);
    expect(read(reader)).toEqual(STREAM.subarray(4, 20));
    expect(reader.moving).toBe(false);
  });
});
