import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../engine/apply/checkpoint.ts';
import { SyncError } from '../../../engine/errors.ts';
import { commonPosition, describeFailure } from '../../../engine/link/replicator.ts';

function at(replid: string, offset: bigint): Checkpoint {
  return { replid, offset, database: 0, path: '', alone: true };
}

describe('commonPosition', () => {
  it('is the place of the target that is furthest behind, in one history', () => {
    expect(commonPosition([at('a', 7n)])).toEqual({ replid: 'a', offset: 7n });
    expect(commonPosition([at('a', 9n), at('a', 7n), at('a', 8n)])).toEqual({ replid: 'a', offset: 7n });
  });

  it('is nowhere when one has nothing, or another history, or there is none', () => {
    expect(commonPosition([])).toBe(null);
    expect(commonPosition([null])).toBe(null);
    expect(commonPosition([at('a', 7n), null])).toBe(null);
    expect(commonPosition([null, at('a', 7n)])).toBe(null);
    expect(commonPosition([at('a', 7n), at('b', 7n)])).toBe(null);
    expect(commonPosition([at('a', 9n), at('a', 7n), at('b', 7n)])).toBe(null);
  });
});

describe('describeFailure', () => {
  it('keeps what a person needs, and calls anything else our bug', () => {
    expect(describeFailure(new SyncError('AUTH', 'no', { hint: 'do', where: 'h:1' }))).toEqual({
      code: 'AUTH',
      message: 'no',
      hint: 'do',
      where: 'h:1',
    });
    expect(describeFailure(new SyncError('AUTH', 'no'))).toEqual({ code: 'AUTH', message: 'no' });
    expect(describeFailure(new TypeError('x is not a function'))).toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('x is not a function'),
    });
    expect(describeFailure('text')).toMatchObject({ code: 'INTERNAL' });
  });
});
