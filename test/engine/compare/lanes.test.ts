import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inLanes } from '../../../engine/compare/lanes.ts';

test('works in order, no more at once than there are lanes', async () => {
  const log: string[] = [];
  let running = 0;
  await inLanes([1, 2, 3, 4, 5], 2, undefined, async (item) => {
    expect(++running).toBeLessThanOrEqual(2);
    log.push(`${item}`);
    await turn();
    running--;
  });
  expect(log).toEqual(['1', '2', '3', '4', '5']);
});

test('a failure aborts the others, waits for them, and is what is thrown', async () => {
  const ended: string[] = [];
  const running = inLanes(['fails', 'waits', 'never'], 2, undefined, async (item, signal) => {
    if (item === 'fails') {
      await turn();
      throw new Error('first');
    }
    while (!signal.aborted) await turn();
    ended.push(item);
    throw new Error('second');
  });
  await expect(running).rejects.toThrowError('first');
  expect(ended).toEqual(['waits']);
});

test('an abort from outside is passed on', async () => {
  const controller = new AbortController();
  const running = inLanes([1, 2], 1, controller.signal, async (_, signal) => {
    controller.abort(new Error('enough'));
    expect(signal.aborted).toBe(true);
    await turn();
  });
  await expect(running).rejects.toThrowError('enough');
});
