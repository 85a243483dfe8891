/** In a ring a write is on its way until the last side has it: told from marks, one side after the other. */
import { beforeEach, describe, expect, it } from 'vitest';
import { checkpointKey } from '../../../../engine/apply/checkpoint.ts';
import { ConflictDesk } from '../../../../engine/link/conflict/conflict-desk.ts';
import type { ConflictSide } from '../../../../engine/link/conflict/conflict-side.ts';
import { CommandFramer, type CommandFrame } from '../../../../engine/resp/command-framer.ts';
import { encodeCommand } from '../../../../engine/resp/encode.ts';

let desk: ConflictDesk;
let a: ConflictSide;
let b: ConflictSide;
let c: ConflictSide;

beforeEach(() => {
  desk = new ConflictDesk(['a', 'b', 'c'], true);
  [a, b, c] = [sit('a', 'a-b'), sit('b', 'b-c'), sit('c', 'c-a')];
  for (const side of [a, b, c]) side.begins(100n);
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

function wrote(side: ConflictSide, offset: bigint, ...words: string[]): void {
  frameOf(words, (frame) => void side.wrote(frame, 0, offset));
}

/** In the stream of `side`, at a place of it: the stream of the side before is applied up to there. */
function mark(side: ConflictSide, offset: bigint, at: bigint): void {
  const before = desk.before(side)?.options.link ?? '';
  side.marked({ key: checkpointKey(before), offset }, at);
}

const contested = (): string[] => [...desk.contests.keys()];

describe('sides of a ring', () => {
  it('a write that the next side has, and the one after it not, meets writes of that one only', () => {
    wrote(a, 200n, 'SET', 'k', '1');
    mark(b, 200n, 500n);
    wrote(b, 510n, 'SET', 'k', '2');
    expect(contested()).toEqual([]);
    expect(desk.hasUnseen('0:k')).toBe(true);
    wrote(c, 900n, 'SET', 'k', '3');
    expect(contested()).toEqual(['0:k']);
    expect([...(desk.contests.get('0:k')?.writes.keys() ?? [])].toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('the last side has it when its mark covers the place at which the next one got it', () => {
    wrote(a, 200n, 'SET', 'k', '1');
    mark(b, 200n, 500n);
    mark(c, 499n, 800n);
    expect(desk.hasUnseen('0:k')).toBe(true);
    mark(c, 500n, 810n);
    expect(desk.hasUnseen('0:k')).toBe(false);
    wrote(c, 900n, 'SET', 'k', '3');
    expect(contested()).toEqual([]);
  });

  it('a newer write to the same key stays on its way when an older one has arrived', () => {
    wrote(a, 200n, 'SET', 'k', '1');
    wrote(a, 300n, 'SET', 'k', '2');
    mark(b, 250n, 500n);
    wrote(b, 510n, 'APPEND', 'k', 'x');
    expect(contested()).toEqual(['0:k']);
  });

  it('after a restart, what one side passes on is on its way though nobody told of it', () => {
    const arrival = { origin: 'a', goesOn: true };
    frameOf(['SET', 'k', '1'], (frame) => void b.applied(frame, 0, 150n, arrival));
    expect(desk.hasUnseen('0:k')).toBe(true);
    wrote(c, 300n, 'SET', 'k', '2');
    expect(contested()).toEqual(['0:k']);
    mark(c, 150n, 400n);
    wrote(c, 410n, 'SET', 'other', '2');
    expect(a.hasUnseen('0:k')).toBe(false);
  });

  it('a copy is not waited for when its stream is read from another place: it may have been lost', () => {
    wrote(a, 200n, 'SET', 'k', '1');
    wrote(b, 210n, 'SET', 'k', '2');
    const known = desk.contests.get('0:k');
    if (known) known.copying = true;
    a.begins(5000n);
    expect(known?.copying).toBe(false);
  });

  it('a copied value meets what crosses it, and tells who wrote that', () => {
    wrote(a, 200n, 'SET', 'k', '1');
    wrote(b, 210n, 'SET', 'k', '2');
    mark(b, 200n, 500n);
    mark(c, 500n, 600n);
    mark(a, 600n, 700n);
    const known = desk.contests.get('0:k');
    expect(known?.count).toBe(1);
    wrote(c, 650n, 'SET', 'k', '3');
    const copy = ['HSET', 'redis-sync:copy:a-b', 'key', 'k', 'deadline', '0', 'value', ''];
    frameOf(copy, (frame) => expect(a.copied(frame, 0, 710n)?.toString()).toContain('DEL'));
    expect(known?.writes.has('c')).toBe(true);
    const before = known?.version;
    wrote(b, 520n, 'SET', 'k', '4');
    expect(known?.version).toBeGreaterThan(before ?? Infinity);
    expect(known?.count).toBe(2);
  });
});
