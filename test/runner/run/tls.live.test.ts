/** A whole rehearsal, and replication, between servers that are reached by TLS only. */
import { describe, expect, test } from 'vitest';
import { hasOpenssl, makeCertificates, type Certificates, type KeyPair } from '../../support/certificates.ts';
import { startTlsServer, type TlsServer } from '../../support/tls-server.ts';
import { Workspace } from './workspace.ts';

function instance({ tlsPort }: TlsServer, tls: object, more: object = {}): Record<string, unknown> {
  return { url: `rediss://127.0.0.1:${tlsPort}`, tls, ...more };
}

function clientTls({ ca }: Certificates, { cert, key }: KeyPair): object {
  return { ca, cert, key };
}

describe.skipIf(!(await hasOpenssl()))('by TLS', () => {
  test('a rehearsal between two TLS endpoints: client certificates there, TLS 1.2 here, everything equal', async () => {
    await using certificates = await makeCertificates();
    await using source = await startTlsServer({ certificates, authClients: true, protocols: 'TLSv1.3' });
    await using target = await startTlsServer({
      certificates,
      protocols: 'TLSv1.2',
      config: { requirepass: 'p' },
    });
    await using workspace = await Workspace.open();
    const spec = {
      name: 'tls',
      instances: {
        source: instance(source, clientTls(certificates, certificates.client), { disposable: true }),
        target: instance(
          target,
          { ca: certificates.ca, maxVersion: 'TLSv1.2' },
          { disposable: true, password: '${TLS_TEST_PASSWORD}' },
        ),
      },
      topology: { kind: 'one-way', source: 'source', target: 'target' },
      data: [
        { keys: 2000, corners: true },
        { keys: 200, database: 12 },
      ],
      workload: [{ rate: '500/s' }],
      incremental: '2s',
    };
    const { exitCode, out, err } = await workspace.command(['verify', await workspace.write(spec)], {
      ...process.env,
      TLS_TEST_PASSWORD: 'p',
    });
    expect(err).not.toContain('error');
    expect(exitCode, `${out}${err}`).toBe(0);
    const results = await workspace.results();
    expect(results.verdict).toBe('pass');
    expect(results.links[0]).toMatchObject({ state: 'Finished', errors: {} });
    expect(results.links[0]?.stream.commands).toBeGreaterThan(100);
  });

  test.each([
    ['an authority that did not sign', (c: Certificates) => ({ ca: c.otherCa }), 'not of the authority'],
    ['no authority', () => ({}), 'name its CA'],
    [
      'at most TLS 1.2 for a server with only 1.3',
      (c: Certificates) => ({ ca: c.ca, maxVersion: 'TLSv1.2' }),
      'TLS',
    ],
  ])('%s: exit code 3, the instance, and what to do', async (_what, tls, hint) => {
    await using certificates = await makeCertificates();
    await using source = await startTlsServer({ certificates, protocols: 'TLSv1.3' });
    await using target = await startTlsServer({ certificates });
    await using workspace = await Workspace.open();
    const spec = {
      name: 'tls',
      instances: {
        source: instance(source, tls(certificates)),
        target: instance(target, { ca: certificates.ca }),
      },
      topology: { kind: 'one-way', source: 'source', target: 'target' },
    };
    const { exitCode, err } = await workspace.command([
      'run',
      await workspace.write(spec),
      '--until',
      'synced',
    ]);
    expect(exitCode).toBe(3);
    expect(err).toMatch(new RegExp(`error: source \\(127\\.0\\.0\\.1:${source.tlsPort}\\): Cannot connect`));
    expect(err).toMatch(new RegExp(`hint: .*${hint}`));
  });
});
