import { describe, expect, it } from 'vitest';
import { wholeRefusal } from '../../../engine/apply/exec-failures.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';

const NOPERM = new ReplyError('NOPERM ACLs rules changed');
const WRONGTYPE = new ReplyError('WRONGTYPE Operation against a key');

describe('the refusal of a whole transaction', () => {
  it.each([
    ['every command, for a reason that passes', [NOPERM, NOPERM], NOPERM],
    ['one was executed', [NOPERM, 1], undefined],
    ['the checkpoint was executed', [0, NOPERM], undefined],
    ['one will never be executed', [NOPERM, WRONGTYPE], undefined],
    ['nothing was refused', [1, 1], undefined],
  ])('%s', (_, results, expected) => expect(wholeRefusal(results)).toBe(expected));

  it('is one in spite of commands that change nothing', () =>
    expect(wholeRefusal([NOPERM, 'OK', NOPERM], (index) => index === 1)).toBe(NOPERM));
});
