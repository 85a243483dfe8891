import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import {
  authCommand,
  passwordFileChange,
  readCredentials,
  splitSecret,
} from '../../../engine/connect/credentials.ts';

const AT = { host: 'h', port: 1 };
let folder = '';
const file = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'redis-sync-secret-'));
  writeFileSync(file('plain'), 'first\n');
  writeFileSync(file('both'), 'admin:p:w');
  writeFileSync(file('windows'), 'pw\r\n');
  writeFileSync(file('empty'), '\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** S0-40, S1-38: <user>:<password>, cut at its first colon. */
test.each([
  [undefined, 'admin:geheim', { username: 'admin', password: 'geheim' }],
  [undefined, 'admin:a:b:', { username: 'admin', password: 'a:b:' }],
  [undefined, 'admin:', { username: 'admin', password: '' }],
  [undefined, ':geheim', { password: 'geheim' }],
  [undefined, 'geheim', { password: 'geheim' }],
  [undefined, 'ümlaut:ß€', { username: 'ümlaut', password: 'ß€' }],
  ['default', 'admin:geheim', { username: 'default', password: 'admin:geheim' }],
  ['app', '', { username: 'app', password: '' }],
  ['app', undefined, { username: 'app' }],
  [undefined, undefined, {}],
])('user %j and secret %j', (username, secret, wanted) => {
  expect(splitSecret(username, secret)).toEqual(wanted);
});

describe('a password file', () => {
  it('is read at every login, and may hold user:password', () => {
    const endpoint = { ...AT, passwordFile: file('plain') };
    expect(authCommand(endpoint)).toEqual(['AUTH', 'first']);
    writeFileSync(file('plain'), 'second\n');
    expect(authCommand(endpoint)).toEqual(['AUTH', 'second']);
    expect(authCommand({ ...endpoint, username: 'app' })).toEqual(['AUTH', 'app', 'second']);
    expect(readCredentials({ ...AT, passwordFile: file('both') })).toEqual({
      username: 'admin',
      password: 'p:w',
    });
  });

  it('ends without its line break', () => {
    expect(readCredentials({ ...AT, passwordFile: file('windows') })).toEqual({ password: 'pw' });
  });

  it.each([
    ['missing', 'cannot be read'],
    ['empty', 'is empty'],
  ])('that is %s', (name, text) => {
    expect(() => authCommand({ ...AT, passwordFile: file(name) })).toThrow(
      expect.objectContaining({ code: 'AUTH', where: 'h:1', message: expect.stringContaining(text) }),
    );
  });

  it('wakes whoever waits for it to change, also when it is replaced or comes to be', async () => {
    const never = new AbortController().signal;
    const changed = passwordFileChange(file('both'), 3_600_000, never);
    writeFileSync(file('both'), 'admin:other');
    const appeared = passwordFileChange(file('later'), 3_600_000, never);
    writeFileSync(file('later'), 'x');
    await expect(Promise.all([changed, appeared])).resolves.toBeDefined();
  });

  it('does not keep waiting after an abort', async () => {
    const abort = new AbortController();
    const waiting = passwordFileChange(file('both'), 3_600_000, abort.signal);
    abort.abort();
    await expect(waiting).resolves.toBeUndefined();
  });
});

test('without a password there is no login', () => {
  expect(authCommand(AT)).toBeUndefined();
  expect(authCommand({ ...AT, username: 'app' })).toBeUndefined();
});
