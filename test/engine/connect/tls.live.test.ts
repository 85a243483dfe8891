/** TLS as servers really speak it: who is trusted, which versions, which names, and what every mistake is called. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { dial } from '../../../engine/connect/dial.ts';
import type { Endpoint, TlsOptions } from '../../../engine/connect/endpoint.ts';
import { hasOpenssl, makeCertificates, type Certificates } from '../../support/certificates.ts';
import { startServer } from '../../support/server.ts';
import { startTlsServer, type TlsServer } from '../../support/tls-server.ts';

async function ping(endpoint: Endpoint): Promise<unknown> {
  await using connection = await Connection.open(endpoint, { connectTimeoutMs: 1000, replyTimeoutMs: 1000 });
  return await connection.call('PING');
}

describe.skipIf(!(await hasOpenssl()))('TLS', () => {
  let certificates: Certificates;
  let server: TlsServer;
  let mutual: TlsServer;
  beforeAll(async () => {
    certificates = await makeCertificates();
    [server, mutual] = await Promise.all([
      startTlsServer({ certificates }),
      startTlsServer({ certificates, authClients: true }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([server.stop(), mutual.stop()]);
    await certificates[Symbol.asyncDispose]();
  });

  const trusted = (more: TlsOptions = {}): TlsOptions => ({ caFile: certificates.ca, ...more });
  const withClient = (pair: 'client' | 'otherClient'): TlsOptions =>
    trusted({ certFile: certificates[pair].cert, keyFile: certificates[pair].key });

  it('trusts the authority that is named', async () => {
    expect(await ping(server.at(trusted()))).toBe('PONG');
    expect(await ping({ ...server.at(trusted()), host: 'localhost' })).toBe('PONG');
  });

  it.each<[string, () => TlsOptions, RegExp, RegExp]>([
    [
      'no authority is named',
      () => ({}),
      /self.signed certificate in certificate chain|unable to verify/i,
      /`tls: \{ ca: … \}`/,
    ],
    [
      'another one is named',
      () => ({ caFile: certificates.otherCa }),
      /self.signed certificate in certificate chain|unable to (verify|get)/i,
      /not of the authority in `tls: \{ ca: … \}`/,
    ],
  ])('does not trust when %s', async (_what, tls, message, hint) => {
    const refused = ping(server.at(tls()));
    await expect(refused).rejects.toMatchObject({ code: 'CONNECT', hint: expect.stringMatching(hint) });
    await expect(refused).rejects.toThrow(message);
  });

  it('trusts anybody when it is told so', async () => {
    expect(await ping(server.at({ insecure: true }))).toBe('PONG');
  });

  it('refuses an expired certificate', async () => {
    await using expired = await startTlsServer({ certificates, pair: certificates.expired });
    const refused = ping(expired.at(trusted()));
    await expect(refused).rejects.toThrow('certificate has expired');
    await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('renew it') });
    expect(await ping(expired.at({ insecure: true }))).toBe('PONG');
  });

  it('refuses a certificate for another name, unless that name is the one wanted', async () => {
    await using elsewhere = await startTlsServer({ certificates, config: { bind: '127.0.0.1 127.0.0.2' } });
    const at = (tls: TlsOptions): Endpoint => ({ ...elsewhere.at(tls), host: '127.0.0.2' });
    await expect(ping(at(trusted()))).rejects.toMatchObject({
      hint: expect.stringContaining('serverName'),
      message: expect.stringContaining('127.0.0.2'),
    });
    expect(await ping(at(trusted({ serverName: 'localhost' })))).toBe('PONG');
  });

  describe('a server that wants a client certificate', () => {
    it('takes one of its authority', async () => {
      expect(await ping(mutual.at(withClient('client')))).toBe('PONG');
    });

    it.each<['TLSv1.2' | 'TLSv1.3']>([['TLSv1.2'], ['TLSv1.3']])(
      'does not take none, and says so, with %s',
      async (version) => {
        const refused = ping(mutual.at(trusted({ minVersion: version, maxVersion: version })));
        await expect(refused).rejects.toMatchObject({
          code: 'CONNECT',
          hint: expect.stringContaining('wants a client certificate'),
        });
      },
    );

    it('does not take one of an authority it does not know', async () => {
      await expect(ping(mutual.at(withClient('otherClient')))).rejects.toMatchObject({
        code: 'CONNECT',
        hint: expect.stringContaining('does not trust our client certificate'),
      });
    });
  });

  describe('versions', () => {
    it.each<['TLSv1.2' | 'TLSv1.3']>([['TLSv1.2'], ['TLSv1.3']])(
      '%s is spoken when it is the only one allowed',
      async (version) => {
        const endpoint = server.at(trusted({ minVersion: version, maxVersion: version }));
        const socket = await dial(endpoint, { timeoutMs: 2000 });
        expect(socket instanceof TLSSocket && socket.getProtocol()).toBe(version);
        socket.destroy();
      },
    );

    it('a server with only 1.3 and a client with at most 1.2 (S2-29)', async () => {
      await using modern = await startTlsServer({ certificates, protocols: 'TLSv1.3' });
      expect(await ping(modern.at(trusted()))).toBe('PONG');
      const refused = ping(modern.at(trusted({ maxVersion: 'TLSv1.2' })));
      await expect(refused).rejects.toMatchObject({
        code: 'CONNECT',
        hint: expect.stringContaining('maxVersion'),
      });
      await expect(refused).rejects.toThrow(/protocol version/i);
    });

    it('a server with only 1.2 and a client with at least 1.3', async () => {
      await using old = await startTlsServer({ certificates, protocols: 'TLSv1.2' });
      await expect(ping(old.at(trusted({ minVersion: 'TLSv1.3' })))).rejects.toMatchObject({
        code: 'CONNECT',
        hint: expect.stringMatching(/TLS version|minVersion/),
      });
    });
  });

  describe('TLS on only one side', () => {
    it('TLS to a plain port', async () => {
      const refused = ping({ ...server.endpoint, tls: trusted() });
      await expect(refused).rejects.toMatchObject({ code: 'CONNECT', where: `127.0.0.1:${server.port}` });
      await expect(refused).rejects.toMatchObject({
        hint: expect.stringContaining('redis:// instead of rediss://'),
      });
    });

    it('plain to a TLS port: no answer in clear text, and no password sent twice', async () => {
      const refused = ping({ host: '127.0.0.1', port: server.tlsPort, password: 'secret' });
      await expect(refused).rejects.toMatchObject({ code: 'CONNECT', retryable: true });
    });
  });

  it.each<keyof TlsOptions & ('caFile' | 'certFile' | 'keyFile')>(['caFile', 'certFile', 'keyFile'])(
    'names a %s that cannot be read',
    async (key) => {
      const path = join(certificates.folder, 'nowhere.pem');
      await expect(ping(server.at(trusted({ [key]: path })))).rejects.toMatchObject({
        code: 'CONNECT',
        message: expect.stringContaining(path),
        hint: expect.stringContaining('Check the path'),
      });
    },
  );

  it('reads its files anew for every connection: a renewed authority is taken up', async () => {
    const caFile = join(certificates.folder, 'current.pem');
    await copyFile(certificates.otherCa, caFile);
    await expect(ping(server.at({ caFile }))).rejects.toMatchObject({ code: 'CONNECT' });
    await copyFile(certificates.ca, caFile);
    expect(await ping(server.at({ caFile }))).toBe('PONG');
  });
});

test('a server without TLS is not asked for it', async () => {
  await using plain = await startServer();
  await using connection = await Connection.open(plain.endpoint);
  expect(await connection.call('PING')).toBe('PONG');
});
