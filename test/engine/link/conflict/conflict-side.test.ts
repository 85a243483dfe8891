/** What is a conflict is told from the two streams alone, whichever is read first. */
import { beforeEach, describe, expect, it } from 'vitest';
import { checkpointKey } from '../../../../engine/apply/checkpoint.ts';
import { ConflictDesk } from '../../../../engine/link/conflict/conflict-desk.ts';
import type { ConflictSide } from '../../../../engine/link/conflict/conflict-side.ts';
import { CommandFramer, type CommandFrame } from '../../../../engine/resp/command-framer.ts';
import { encodeCommand } from '../../../../engine/resp/encode.ts';

let desk: ConflictDesk;
let a: ConflictSide;
let b: ConflictSide;

beforeEach(() => {
  desk = new ConflictDesk(['a', 'b'], true);
  [a, b] = [sit('a', 'a-b'), sit('b', 'b-a')];
  a.begins(100n);
  b.begins(100n);
  // Both know all of each other from here on.
  for (const side of [a, b]) for (const offset of [100n, 101n, 102n]) mark(side, offset);
});

function sit(source: string, link: string): ConflictSide {
  return desk.join({
    source,
    link,
    heartbeatMs: 0,
    heartbeatPrefix: 'HEARTBEAT',
    sourceWhereabouts: () => ({ host: 'nowhere', port: 1 }),
    deferredDeadlineMs: () => undefined,
    onFinding: () => undefined,
    onCount: () => undefined,
  });
}

function frameOf(words: string[], take: (frame: CommandFrame) => void): void {
  new CommandFramer(take).push(encodeCommand(words));
}

function wrote(side: ConflictSide, offset: number, ...words: string[]): number {
  let kept = 0;
  frameOf(words, (frame) => (kept = side.wrote(frame, 0, BigInt(offset))?.count ?? 0));
  return kept;
}

/** In the stream of `side`: the other side's stream is applied up to there. */
function mark(side: ConflictSide, offset: bigint): void {
  side.marked({ key: checkpointKey(side === a ? 'b-a' : 'a-b'), offset }, 0n);
}

const contested = (): string[] => [...desk.contests.keys()];

describe('ConflictSide', () => {
  it('sees two writes that have not seen each other, and keeps that in mind once', () => {
    expect(wrote(a, 200, 'SET', 'k', '1')).toBe(0);
    expect(wrote(b, 300, 'SET', 'k', '2')).toBe(1);
    expect(wrote(b, 310, 'SET', 'k', '3')).toBe(0);
    expect(contested()).toEqual(['0:k']);
    expect(desk.contests.get('0:k')).toMatchObject({ count: 2 });
  });

  it('sees none when the later one came after a mark that covers the earlier', () => {
    wrote(a, 200, 'SET', 'k', '1');
    mark(b, 200n);
    wrote(b, 300, 'SET', 'k', '2');
    wrote(a, 250, 'SET', 'other', '1');
    mark(b, 249n);
    expect(contested()).toEqual([]);
    wrote(b, 320, 'SET', 'other', '2');
    expect(contested()).toEqual(['0:other']);
  });

  it('lets pass what commutes, and nothing else', () => {
    wrote(a, 200, 'INCR', 'n');
    wrote(b, 300, 'INCRBY', 'n', '5');
    expect(contested()).toEqual([]);
    wrote(b, 310, 'SET', 'n', '0');
    expect(contested()).toEqual(['0:n']);
  });

  it('looks at every key of a command, and at none of our own', () => {
    wrote(a, 200, 'MSET', 'x', '1', 'y', '1', 'redis-sync:fence:z', '1', 'HEARTBEAT:a', '1');
    wrote(b, 300, 'DEL', 'y', 'redis-sync:fence:z', 'HEARTBEAT:a', 'z');
    expect(contested()).toEqual(['0:y']);
  });

  it('suspects what a command has made of a key that both sides wrote', () => {
    wrote(b, 300, 'SADD', 'from', 'x');
    wrote(b, 310, 'SREM', 'from', 'x');
    expect(wrote(a, 200, 'SUNIONSTORE', 'to', 'from', 'other')).toBe(1);
    expect(contested().toSorted()).toEqual(['0:from', '0:other', '0:to']);
    expect(desk.contests.get('0:to')).toMatchObject({ count: 0 });
    wrote(a, 210, 'RENAME', 'to', 'next');
    expect(contested()).toContain('0:next');
  });

  it('suspects that too when the key was written again before the other side was heard', () => {
    wrote(a, 200, 'LMOVE', 'from', 'to', 'LEFT', 'LEFT');
    wrote(a, 210, 'RPUSH', 'from', 'y');
    wrote(a, 220, 'COPY', 'to', 'third');
    wrote(b, 300, 'LPUSH', 'from', 'x');
    expect(contested().toSorted()).toEqual(['0:from', '0:third', '0:to']);
  });

  it('after a restart sees what was applied over a write, though nobody told of it', () => {
    b.begins(300n);
    wrote(b, 310, 'SET', 'k', '2');
    const seen: number[] = [];
    frameOf(['SET', 'k', '1'], (frame) =>
      seen.push(b.applied(frame, 0, 320n, { origin: 'a', goesOn: false })?.count ?? 0),
    );
    expect(seen).toEqual([1]);
    expect(contested()).toEqual(['0:k']);
  });
});
