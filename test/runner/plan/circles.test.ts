/** Which links make a circle of their own, and in which order. */
import { describe, expect, it } from 'vitest';
import { circleOf, linksOfCircle } from '../../../runner/plan/circles.ts';

interface Hop {
  id: string;
  source: string;
  target: string;
  incrementalOnly?: true;
}

function links(...ways: string[]): Hop[] {
  return ways.map((way) => {
    const [source = '', target = '', back] = way.split(' ');
    return { id: way, source, target, ...(back === 'back' ? { incrementalOnly: true } : {}) };
  });
}

describe('circleOf', () => {
  it('names a pair beginning with the one that has the data, for both directions', () => {
    const pair = links('b a back', 'a b');
    expect(pair.map((link) => circleOf(pair, link))).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('names a ring as its links lead, the same for every link', () => {
    const ring = links('x y', 'y z', 'z x back');
    for (const link of ring) expect(circleOf(ring, link)).toEqual(['x', 'y', 'z']);
    expect(linksOfCircle(ring, ['x', 'y', 'z'])).toEqual(ring);
  });

  it('knows a chain of pairs as pairs, and nothing where no link leads back', () => {
    const chain = links('a b', 'b c', 'b a back', 'c b back', 'b d');
    expect(chain.map((link) => circleOf(chain, link)?.join(''))).toEqual(['ab', 'bc', 'ab', 'bc', undefined]);
    expect(linksOfCircle(chain, ['b', 'c']).map(({ id }) => id)).toEqual(['b c', 'c b back']);
  });
});
