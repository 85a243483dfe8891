import { describe, expect, it } from 'vitest';
import { SyncError } from '../../../engine/errors.ts';
import { describeFailure } from '../../../engine/link/hosted-link.ts';

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
