/**
 * Certificates for the servers of one provisioned instance, made by the program openssl: an authority that nobody else trusts, and for its
 * servers one certificate that is good and one that has run out. Both are of the same key, so that a server can go from one to
 * the other by its file alone. The key of the authority is gone when this is over.
 */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asError, SyncError } from '../../engine/errors.ts';

export interface OwnCertificates {
  /** Paths of PEM files. */
  caFile: string;
  keyFile: string;
  certFile: string;
  /** Ran out yesterday. */
  expiredCertFile: string;
}

export interface CertificatesWanted {
  instance: string;
  /** Created; absolute. */
  folder: string;
  /** Besides localhost and the loopback addresses. */
  host: string;
  /** Its PATH is where openssl is looked for. */
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal | undefined;
}

const DAY_MS = 86_400_000;
const VALID_DAYS = 30;

/** P-256: made at once, where RSA takes its time. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** @throws SyncError PROVISION (no openssl, or it refuses), ABORTED. */
export async function makeOwnCertificates(wanted: CertificatesWanted): Promise<OwnCertificates> {
  const { folder, host } = wanted;
  const made = (name: string): string => join(folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(made('openssl.cnf'), configText(host));
  await writeFile(made('index.txt'), '');
  await writeFile(made('serial.txt'), '01\n');
  const request = ['req', '-config', 'openssl.cnf', ...NEW_KEY];
  const authority = ['-x509', '-days', String(VALID_DAYS), '-keyout', 'ca.key', '-out', 'ca.pem'];
  await openssl(wanted, [...request, ...authority, '-subj', '/CN=redis-sync rehearsal']);
  await openssl(wanted, [...request, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server']);
  await sign(wanted, 'server.pem', -1, VALID_DAYS);
  await sign(wanted, 'expired.pem', -2, -1);
  await rm(made('ca.key'));
  return {
    caFile: made('ca.pem'),
    keyFile: made('server.key'),
    certFile: made('server.pem'),
    expiredCertFile: made('expired.pem'),
  };
}

/** `x509 -days` knows no end in the past in newer versions; `ca` has always taken both ends. */
async function sign(
  wanted: CertificatesWanted,
  out: string,
  fromDays: number,
  toDays: number,
): Promise<void> {
  const ends = ['-startdate', momentText(fromDays), '-enddate', momentText(toDays)];
  const authority = ['-cert', 'ca.pem', '-keyfile', 'ca.key'];
  const what = ['-in', 'server.csr', '-out', out, '-notext', '-batch'];
  await openssl(wanted, ['ca', '-config', 'openssl.cnf', ...authority, ...ends, ...what]);
}

/** So many days from now, as YYMMDDHHMMSSZ. */
function momentText(days: number): string {
  const iso = new Date(Date.now() + days * DAY_MS).toISOString();
  return `${iso.slice(2, 19).replaceAll(/[-:T]/g, '')}Z`;
}

function configText(host: string): string {
  const hosts = [...new Set(['localhost', '127.0.0.1', '::1', host])];
  const names = hosts.map((each) => `${isIP(each) === 0 ? 'DNS' : 'IP'}:${each}`);
  return `[ca]
default_ca = own
[own]
database = index.txt
serial = serial.txt
new_certs_dir = .
unique_subject = no
default_md = sha256
policy = subject
x509_extensions = server
[subject]
commonName = supplied
[server]
subjectAltName = ${names.join(', ')}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[req]
distinguished_name = asked
x509_extensions = authority
[asked]
`;
}

async function openssl(
  { instance, folder, env, signal }: CertificatesWanted,
  args: readonly string[],
): Promise<void> {
  try {
    await promisify(execFile)('openssl', args, { cwd: folder, env, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (signal?.aborted) throw new SyncError('ABORTED', 'Provisioning was interrupted.', { where: instance });
    throw wordFailure(instance, asError(error));
  }
}

function wordFailure(instance: string, cause: Error): SyncError {
  if ('code' in cause && cause.code === 'ENOENT') {
    return new SyncError('PROVISION', 'There is no openssl on the PATH, which makes the certificates.', {
      where: instance,
      hint: 'Install it (Debian and Ubuntu: `apt-get install openssl`; macOS: `brew install openssl`), or leave out `tls: true`.',
      cause,
    });
  }
  return new SyncError('PROVISION', `openssl made no certificate: ${lastLine(cause.message)}`, {
    where: instance,
    hint: 'Any openssl since 1.1 will do; `openssl version` says which it is. Or leave out `tls: true`.',
    cause,
  });
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
