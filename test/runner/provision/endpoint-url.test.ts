import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { credentials, endpointOf } from '../../../runner/provision/endpoint-url.ts';
import { instancePlan } from './instance-plan.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'redis-sync-secret-'));
  writeFileSync(join(folder, 'secret'), 'admin:p:w\n');
  writeFileSync(join(folder, 'empty'), '\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const endpoint = (fields: Parameters<typeof instancePlan>[0]): unknown =>
  endpointOf(instancePlan({ name: 'prod', ...fields }), {
    baseFolder: folder,
    env: { PW: 'pw', BOTH: 'admin:pw', EMPTY: '' },
  });

test.each([
  ['redis://10.0.0.5', { host: '10.0.0.5', port: 6379 }],
  ['redis://10.0.0.5:7000', { host: '10.0.0.5', port: 7000 }],
  ['redis://[::1]:7000', { host: '::1', port: 7000 }],
  ['redis://host/0', { host: 'host', port: 6379 }],
  ['rediss://host', { host: 'host', port: 6379, tls: {} }],
])('%s', (url, wanted) => {
  expect(endpoint({ url })).toEqual(wanted);
});

test.each(['http://host', 'host:6379', 'redis://', 'redis://host/3', ''])('%j is refused', (url) => {
  expect(() => endpoint({ url })).toThrow(expect.objectContaining({ code: 'SPEC_INVALID', where: 'prod' }));
});

test('a message about a url never shows the password in it', () => {
  expect(() => endpoint({ url: 'redis://user:topsecret@host/3' })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('topsecret') }),
  );
});

test('password from the environment, user from the url', () => {
  expect(endpoint({ url: 'redis://app@host', passwordEnv: 'PW' })).toEqual({
    host: 'host',
    port: 6379,
    username: 'app',
    password: 'pw',
  });
});

test('a secret with both is cut at its first colon (S0-40)', () => {
  expect(endpoint({ url: 'redis://host', passwordEnv: 'BOTH' })).toMatchObject({
    username: 'admin',
    password: 'pw',
  });
  expect(endpoint({ url: 'redis://host', passwordFile: 'secret' })).toMatchObject({
    username: 'admin',
    password: 'p:w',
  });
});

test('a user named beside it keeps a password with a colon whole', () => {
  expect(credentials('default', 'a:b')).toEqual({ username: 'default', password: 'a:b' });
  expect(credentials(undefined, ':b')).toEqual({ password: 'b' });
  expect(credentials(undefined, 'plain')).toEqual({ password: 'plain' });
  expect(credentials(undefined, undefined)).toEqual({});
});

test.each([
  [{ passwordEnv: 'UNSET' }, 'UNSET is not set'],
  [{ passwordEnv: 'EMPTY' }, 'EMPTY is empty'],
  [{ passwordFile: 'missing' }, 'cannot be read'],
  [{ passwordFile: 'empty' }, 'is empty'],
])('a secret that is not there: %j', (fields, text) => {
  expect(() => endpoint({ url: 'redis://host', ...fields })).toThrow(
    expect.objectContaining({ code: 'AUTH', where: 'prod', message: expect.stringContaining(text) }),
  );
});

test('TLS files are taken from the folder of the spec', () => {
  expect(endpoint({ url: 'rediss://host', tls: { caFile: 'ca.pem', insecure: true } })).toMatchObject({
    tls: { caFile: join(folder, 'ca.pem'), insecure: true },
  });
});
