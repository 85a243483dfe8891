import { expect, test } from 'vitest';
import { configuredPort, listenHost, writeServerConfig } from '../../../runner/provision/server-config.ts';

const write = (
  config: Record<string, string>,
  version = '7.0.15',
  primary?: { host: string; port: number },
): string[] =>
  writeServerConfig({
    instance: 'source',
    binary: { server: 'redis', version },
    folder: '/run/with space',
    port: 7001,
    config,
    ...(primary ? { primary } : {}),
  }).split('\n');

test('a throw-away server: loopback, nothing on disk, no wait before a snapshot', () => {
  expect(write({})).toEqual(
    expect.arrayContaining([
      'bind 127.0.0.1',
      'port 7001',
      'save ""',
      'appendonly no',
      'repl-diskless-sync-delay 0',
      'repl-timeout 600',
      'client-output-buffer-limit replica 0 0 0',
      'dir "/run/with space"',
    ]),
  );
});

test('the spec goes on top of the defaults, whatever the case of the name', () => {
  const lines = write({
    AppendOnly: 'yes',
    'client-output-buffer-limit': 'replica 1mb 0 0',
    save: '3600 1 300 100',
  });
  expect(lines).toContain('appendonly yes');
  expect(lines).not.toContain('appendonly no');
  expect(lines).toContain('client-output-buffer-limit replica 1mb 0 0');
  expect(lines).not.toContain('client-output-buffer-limit replica 0 0 0');
  expect(lines).toContain('save 3600 1 300 100');
});

test('a server before 5.0 calls its replicas as it did', () => {
  expect(write({}, '4.0.14')).toContain('client-output-buffer-limit slave 0 0 0');
});

test('DEBUG is enabled where it has to be, and only there', () => {
  expect(write({}, '7.0.15')).toContain('enable-debug-command local');
  expect(write({}, '6.2.16').join('\n')).not.toContain('enable-debug-command');
});

test('a replica follows its primary, and logs in there', () => {
  const lines = write({ requirepass: 'a "b" \\c #d' }, '7.0.15', { host: '127.0.0.1', port: 7000 });
  expect(lines).toContain('replicaof 127.0.0.1 7000');
  expect(lines).toContain('masterauth "a \\"b\\" \\\\c #d"');
  expect(write({}, '4.0.14', { host: '127.0.0.1', port: 7000 })).toContain('slaveof 127.0.0.1 7000');
});

test('a server with TLS listens to nothing else, and a path may have a space in it', () => {
  const lines = writeServerConfig({
    instance: 'source',
    binary: { server: 'redis', version: '7.0.15' },
    folder: '/run',
    port: 7001,
    config: { port: '7001', 'tls-protocols': '"TLSv1.3"' },
    certificates: {
      caFile: '/run/with space/ca.pem',
      keyFile: '/run/with space/server.key',
      certFile: '/run/with space/server.pem',
      expiredCertFile: '/run/with space/expired.pem',
    },
  }).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'port 0',
      'tls-port 7001',
      'tls-replication yes',
      'tls-protocols "TLSv1.3"',
      'tls-cert-file "/run/with space/server.pem"',
    ]),
  );
});

test.each(['daemonize', 'LOGFILE', 'dir', 'replicaof'])('a spec cannot set %s', (name) => {
  expect(() => write({ [name]: 'x' })).toThrow(
    expect.objectContaining({ code: 'SPEC_INVALID', where: 'source' }),
  );
});

test('a value cannot smuggle in a second directive', () => {
  expect(() => write({ maxmemory: '1mb\nport 1' })).toThrow(
    expect.objectContaining({ code: 'SPEC_INVALID' }),
  );
  expect(() => write({ 'maxmemory 1mb\nport': '1' })).toThrow(
    expect.objectContaining({ code: 'SPEC_INVALID' }),
  );
});

test.each([
  [undefined, '127.0.0.1'],
  ['* -::*', '127.0.0.1'],
  ['127.0.0.3 127.0.0.1', '127.0.0.3'],
  ['-::1', '::1'],
])('bind %j is reached at %s', (bind, host) => {
  expect(listenHost(bind === undefined ? {} : { bind })).toBe(host);
});

test.each(['0', '65536', '12.5', 'six'])('port %s is refused', (port) => {
  expect(() => configuredPort('source', { port })).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }));
});

test('a port in the spec is taken', () => {
  expect(configuredPort('source', { port: '7005' })).toBe(7005);
  expect(configuredPort('source', {})).toBeUndefined();
});
