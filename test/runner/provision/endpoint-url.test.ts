import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCredentials } from '../../../engine/connect/credentials.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import type { Whereabouts } from '../../../engine/connect/discovery.ts';
import { endpointOf, whereaboutsOf } from '../../../runner/provision/endpoint-url.ts';
import { instancePlan } from './instance-plan.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'redis-sync-secret-'));
  writeFileSync(join(folder, 'secret'), 'admin:p:w\n');
  writeFileSync(join(folder, 'empty'), '\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const env = { PW: 'pw', BOTH: 'admin:pw', EMPTY: '' };
const endpoint = (fields: Parameters<typeof instancePlan>[0]): Endpoint =>
  endpointOf(instancePlan({ name: 'prod', ...fields }), { baseFolder: folder, env });
const whereabouts = (fields: Parameters<typeof instancePlan>[0]): Whereabouts =>
  whereaboutsOf(instancePlan({ name: 'prod', ...fields }), { baseFolder: folder, env });

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
});

test('a secret in a file stays there: only its path goes on', () => {
  const found = endpoint({ url: 'redis://host', passwordFile: 'secret' });
  expect(found).toEqual({ host: 'host', port: 6379, passwordFile: join(folder, 'secret') });
  expect(readCredentials(found)).toEqual({ username: 'admin', password: 'p:w' });
  const named = endpoint({ url: 'redis://host', username: 'default', passwordFile: 'secret' });
  expect(readCredentials(named)).toEqual({ username: 'default', password: 'admin:p:w' });
});

test('a list of addresses has one login and one way of TLS', () => {
  const urls = ['rediss://a', 'rediss://b:1'];
  expect(whereabouts({ urls, username: 'u', passwordEnv: 'PW', tls: { caFile: 'ca.pem' } })).toEqual({
    kind: 'list',
    endpoints: [
      { host: 'a', port: 6379, username: 'u', password: 'pw', tls: { caFile: join(folder, 'ca.pem') } },
      { host: 'b', port: 1, username: 'u', password: 'pw', tls: { caFile: join(folder, 'ca.pem') } },
    ],
  });
});

test('Sentinels have a login of their own, and their own port', () => {
  const sentinel = { name: 'main', nodes: ['redis://s', 'rediss://t:1'], passwordEnv: 'BOTH' };
  expect(whereabouts({ sentinel, username: 'u', passwordFile: 'secret', tls: { serverName: 'n' } })).toEqual({
    kind: 'sentinel',
    name: 'main',
    sentinels: [
      { host: 's', port: 26379, username: 'admin', password: 'pw' },
      { host: 't', port: 1, username: 'admin', password: 'pw', tls: { serverName: 'n' } },
    ],
    login: { username: 'u', passwordFile: join(folder, 'secret'), tls: { serverName: 'n' } },
  });
  expect(whereabouts({ sentinel })).toMatchObject({ login: {} });
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

test('a cluster is found through any of its nodes', () => {
  const [a, b] = [
    { host: 'a', port: 6379 },
    { host: 'b', port: 7000 },
  ];
  expect(whereabouts({ kind: 'cluster', url: 'redis://a' })).toEqual({ kind: 'cluster', seeds: [a] });
  expect(whereabouts({ kind: 'cluster', urls: ['redis://a', 'redis://b:7000'] })).toEqual({
    kind: 'cluster',
    seeds: [a, b],
  });
});
