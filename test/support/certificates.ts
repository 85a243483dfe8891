/**
 * Certificates for a test, made by the openssl program in a folder of the test: an authority, a server's and a client's
 * certificate of it, an expired one, and an authority nobody knows. Nothing outlives the test, and no key is in the repo.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface KeyPair {
  cert: string;
  key: string;
}

export interface Certificates extends AsyncDisposable {
  readonly folder: string;
  readonly ca: string;
  readonly otherCa: string;
  /** For localhost and 127.0.0.1. */
  readonly server: KeyPair;
  readonly expired: KeyPair;
  readonly client: KeyPair;
  /** Of the authority that the server does not know. */
  readonly otherClient: KeyPair;
}

/** Without openssl the tests that need it are skipped, visibly. */
export async function hasOpenssl(): Promise<boolean> {
  return run('openssl', ['version']).then(
    () => true,
    () => false,
  );
}

export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sync-certificates-'));
  const ca = await makeAuthority(folder, 'ca');
  const other = await makeAuthority(folder, 'other-ca');
  return {
    folder,
    ca: ca.cert,
    otherCa: other.cert,
    server: await makeCertificate(folder, 'server', ca, 30),
    expired: await makeCertificate(folder, 'expired', ca, -1),
    client: await makeCertificate(folder, 'client', ca, 30),
    otherClient: await makeCertificate(folder, 'other-client', other, 30),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** P-256: made at once, where RSA takes its time. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function makeAuthority(folder: string, name: string): Promise<KeyPair> {
  const pair = pairOf(folder, name);
  const out = ['-keyout', pair.key, '-out', pair.cert];
  await run('openssl', ['req', '-x509', ...NEW_KEY, ...out, '-days', '30', '-subj', `/CN=${name}`]);
  return pair;
}

async function makeCertificate(
  folder: string,
  name: string,
  authority: KeyPair,
  days: number,
): Promise<KeyPair> {
  const pair = pairOf(folder, name);
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.ext`);
  await writeFile(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await run('openssl', ['req', ...NEW_KEY, '-keyout', pair.key, '-out', request, '-subj', `/CN=${name}`]);
  const signer = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial'];
  const how = ['-days', String(days), '-extfile', extensions];
  await run('openssl', ['x509', '-req', '-in', request, ...signer, ...how, '-out', pair.cert]);
  return pair;
}

function pairOf(folder: string, name: string): KeyPair {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}
