/** Data that is on a target before its link begins: untouched, merged, or made what the source is. */
import { describe, expect, it } from 'vitest';
import { ask, Rehearsal } from '../rehearsal.ts';

/** Both have `both`, in two databases; the target has some of its own besides. */
async function filled(): Promise<Rehearsal> {
  const rehearsal = await Rehearsal.open();
  const { source, target } = rehearsal;
  await source.pipeline([
    ['SET', 'both', 'source'],
    ['SET', 'source only', 1],
    ['SELECT', 12],
    ['SET', 'both', 'source'],
    ['SELECT', 0],
  ]);
  await target.pipeline([
    ['RPUSH', 'both', 'target'],
    ['SADD', 'target only', 1],
    ['SELECT', 12],
    ['SET', 'both', 'target'],
    ['SET', 'target only too', 1],
    ['SELECT', 0],
  ]);
  return rehearsal;
}

describe('existing', () => {
  it('fail: nothing is touched, and the message says what there is to choose', async () => {
    await using rehearsal = await filled();
    const life = rehearsal.start();
    const { error } = await life.fails();
    expect(error.code).toBe('POLICY');
    expect(error.hint).toMatch(/engine\.existing/);
    expect(await ask(rehearsal.target, 'LRANGE', 'both', 0, -1)).toBe('target');
    expect(await ask(rehearsal.target, 'EXISTS', 'source only')).toBe('0');
  });

  it('merge: keys of the same name are overwritten, the others stay, and all of that is reported', async () => {
    await using rehearsal = await filled();
    const { target } = rehearsal;
    const life = rehearsal.start({ existing: 'merge' });
    await life.reaches('Synchronizing');
    expect(await ask(target, 'GET', 'both')).toBe('source');
    expect(await ask(target, 'EXISTS', 'target only', 'source only')).toBe('2');
    expect(life.status.handled?.['overwritten']).toBe(2);
    const [finding, ...more] = life.findings('EXISTING_KEYS');
    expect(more).toEqual([]);
    expect(finding?.evidence).toMatchObject({ policy: 'merge', keys: 4, overwritten: 2, removed: 0 });
    expect(finding?.evidence['samples']).toContainEqual({
      database: 0,
      keyBase64: Buffer.from('target only').toString('base64'),
      type: 'set',
    });
  });

  it('overwrite: the target is what the source is, also when the first full sync was broken off', async () => {
    await using rehearsal = await filled();
    const { source, target } = rehearsal;
    const first = rehearsal.start({ existing: 'overwrite' });
    await first.reaches('Synchronizing');
    expect(await rehearsal.differences()).toEqual([]);
    expect(first.findings('EXISTING_KEYS')[0]?.evidence).toMatchObject({
      keys: 4,
      overwritten: 2,
      removed: 2,
    });
    await source.call('SET', 'after', 1);
    await rehearsal.drained(first);
    await first.stop();
    // As a killed engine leaves it: half of a full sync, over data of whom ever.
    await target.pipeline([
      ['DEL', 'redis-sync:link:a->b'],
      ['HSET', 'redis-sync:loading:a->b', 'replid', '0'.repeat(40), 'offset', 1, 'alone', 1],
      ['SET', 'target only', 1],
    ]);
    const second = rehearsal.start({ existing: 'overwrite' });
    await second.reaches('Synchronizing');
    expect(await rehearsal.differences()).toEqual([]);
  });
});
