import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isAlive, readStartTime, signalProcess } from '../../../runner/provision/process-identity.mjs';

test('our own process has a start time, always the same', () => {
  const startTime = readStartTime(process.pid);
  expect(startTime).toBeTruthy();
  expect(readStartTime(process.pid)).toBe(startTime);
});

test('a process that ended has none', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  expect(readStartTime(child.pid ?? -1)).toBeUndefined();
});

test('a pid with another start time is somebody else: no signal is sent', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const pid = child.pid ?? -1;
  expect(isAlive({ pid, startTime: '1' })).toBe(false);
  expect(signalProcess({ pid, startTime: '1', group: false }, 'SIGKILL')).toBe(false);
  const startTime = readStartTime(pid) ?? '';
  expect(isAlive({ pid, startTime })).toBe(true);
  expect(signalProcess({ pid, startTime, group: false }, 'SIGKILL')).toBe(true);
  await once(child, 'exit');
  expect(isAlive({ pid, startTime })).toBe(false);
});
