/** What links applied to a source is told from what clients wrote there, and goes on only to where it has not been. */
import { describe, expect, it } from 'vitest';
import { OriginFilter, type OriginMark } from '../../../../engine/apply/origin/origin-filter.ts';
import { CommandFramer } from '../../../../engine/resp/command-framer.ts';
import { encodeCommands } from '../../../../engine/resp/encode.ts';

const MARK = ['HSET', 'redis-sync:link:x', 'replid', 'abc', 'offset', '77', 'db', '0', 'path'];

/** `verdict path` of each command that is data; reads the stream of `b` for a link to `c`. */
function judge(commands: string[][], marks: OriginMark[] = []): string[] {
  const filter = new OriginFilter({ source: 'b', target: 'c' }, (mark) => marks.push(mark));
  const seen: string[] = [];
  const framer = new CommandFramer((frame) => {
    const name = frame.buffer.toString('latin1', frame.argStart[0], frame.argEnd[0]);
    if (name === 'MULTI') filter.begin();
    else if (name === 'EXEC') filter.end();
    else if (name !== 'SELECT') {
      const verdict = filter.judge(frame);
      seen.push(verdict === 'forward' ? `forward ${filter.path}` : verdict);
    }
  });
  framer.push(encodeCommands(commands));
  return seen;
}

describe('OriginFilter', () => {
  it('forwards what clients wrote, alone or in transactions', () => {
    expect(judge([['SET', 'k', '1'], ['MULTI'], ['SET', 'k', '2'], ['EXEC']])).toEqual([
      'forward b',
      'forward b',
    ]);
  });

  it('extends the path of what links applied, and leaves out what has been to the target', () => {
    const marks: OriginMark[] = [];
    const stream = [
      ['MULTI'],
      ['SELECT', '0'],
      [...MARK, 'a'],
      ['SET', 'k', '1'],
      ['HSET', 'redis-sync:link:x', 'path', 'c,a'],
      ['SET', 'k', '2'],
      ['EXEC'],
      ['SET', 'k', '3'],
    ];
    expect(judge(stream, marks)).toEqual(['mark', 'forward a,b', 'mark', 'visited', 'forward b']);
    expect(marks).toEqual([
      { key: 'redis-sync:link:x', offset: 77n },
      { key: 'redis-sync:link:x', offset: undefined },
    ]);
  });

  it('calls it an echo when the source has its own data back; what a snapshot brought goes to nobody', () => {
    expect(judge([['MULTI'], [...MARK, 'b,a'], ['SET', 'k', '1'], ['EXEC']])).toEqual(['mark', 'echo']);
    const loading = ['HSET', 'redis-sync:loading:x', 'path', '*'];
    expect(judge([['MULTI'], loading, ['RESTORE', 'k', '0', 'v'], ['EXEC']])).toEqual(['mark', 'visited']);
  });

  it('takes no transaction for applied that does not begin with the mark', () => {
    const stream = [['MULTI'], ['SET', 'k', '1'], [...MARK, 'c'], ['SET', 'k', '2'], ['EXEC']];
    expect(judge(stream).slice(0, 1)).toEqual(['forward b']);
    expect(judge(stream).at(-1)).toBe('forward b');
    expect(
      judge([['MULTI'], ['HSET', 'redis-sync:other', 'path', 'c'], ['SET', 'k', '2'], ['EXEC']]),
    ).toEqual(['forward b', 'forward b']);
  });

  it('tells names apart that hold the separator', () => {
    const filter = new OriginFilter({ source: 'a,c', target: 'c' });
    expect(filter.path).toBe('a%2Cc');
  });
});
