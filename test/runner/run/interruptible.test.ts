import { expect, test } from 'vitest';
import { interruptible } from '../../../runner/run/interruptible.ts';

test('what the work gives, unless the signal comes first', async () => {
  const { signal } = new AbortController();
  expect(await interruptible(signal, Promise.resolve(1))).toBe(1);
  await expect(interruptible(signal, Promise.reject(new Error('its own')))).rejects.toThrow('its own');
});

test.each(['before', 'meanwhile'])('nobody waits any more, aborted %s', async (when) => {
  const controller = new AbortController();
  const never = new Promise(() => undefined);
  if (when === 'before') controller.abort(new Error('Ctrl-C'));
  const waiting = interruptible(controller.signal, never);
  controller.abort(new Error('Ctrl-C'));
  await expect(waiting).rejects.toThrow('Ctrl-C');
});
