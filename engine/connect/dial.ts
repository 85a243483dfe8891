/** Opens a TCP or TLS socket to an endpoint, with a limit and with errors that say what to do. */
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions as NodeTlsOptions,
} from 'node:tls';
import { SyncError } from '../errors.ts';
import { describeEndpoint, type Endpoint, type TlsOptions } from './endpoint.ts';
import { routeTo } from './routes.ts';

export interface DialOptions {
  timeoutMs: number;
  signal?: AbortSignal;
  /** Resolves host names. Default: the system's, which caches nothing. */
  lookup?: LookupFunction;
}

/**
 * A connected socket (TLS handshake done), without Nagle's delay and with keep-alive. The host name is resolved anew on
 * every call: an address that moved is found again. An error names the addresses that were tried.
 *
 * @throws SyncError CONNECT (retryable), AUTH never.
 */
export async function dial(endpoint: Endpoint, options: DialOptions): Promise<Socket> {
  const tls = endpoint.tls === undefined ? undefined : await tlsOptions(endpoint, endpoint.tls);
  return new Promise((resolve, reject) => {
    const { host, port } = routeTo(endpoint);
    const lookup = options.lookup === undefined ? {} : { lookup: options.lookup };
    const socket: Socket = tls
      ? connectTls({ ...tls, host, port, ...lookup })
      : connectTcp({ host, port, ...lookup });
    const resolved = new Set<string>();
    socket.on('lookup', (_error, address) => {
      if (isIP(host) === 0 && address) resolved.add(address);
    });
    const fail = (error: Error): void => {
      cleanUp();
      socket.destroy();
      reject(wordDialError(endpoint, error, [...resolved]));
    };
    let isConnected = false;
    socket.once('connect', () => (isConnected = true));
    const timer = setTimeout(() => {
      const silence = new Error(`no answer within ${options.timeoutMs / 1000} s`);
      // A server without TLS takes the handshake for the beginning of a long command, and waits for its end.
      fail(tls && isConnected ? Object.assign(silence, { code: SILENT_TO_TLS }) : silence);
    }, options.timeoutMs);
    const onAbort = (): void => fail(new Error('aborted'));
    const onReady = (): void => {
      cleanUp();
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 15_000);
      resolve(socket);
    };
    const cleanUp = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      socket.off('error', fail);
    };
    socket.once('error', fail);
    socket.once(tls ? 'secureConnect' : 'connect', onReady);
    if (options.signal?.aborted) onAbort();
    else options.signal?.addEventListener('abort', onAbort, { once: true });
  });
}

async function tlsOptions(endpoint: Endpoint, tls: TlsOptions): Promise<NodeTlsOptions> {
  const read = async (path: string): Promise<Buffer> => {
    try {
      return await readFile(path);
    } catch (error) {
      throw new SyncError('CONNECT', `The TLS file ${path} cannot be read.`, {
        where: describeEndpoint(endpoint),
        hint: 'Check the path and its permissions; relative paths are taken from the spec file.',
        cause: error,
      });
    }
  };
  return {
    // Whoever it is reached through: the certificate is that of the server.
    checkServerIdentity: (_host, certificate) =>
      checkServerIdentity(tls.serverName ?? endpoint.host, certificate),
    ...(isIP(endpoint.host) !== 0 && tls.serverName === undefined
      ? {}
      : { servername: tls.serverName ?? endpoint.host }),
    ...(tls.caFile === undefined ? {} : { ca: await read(tls.caFile) }),
    ...(tls.certFile === undefined ? {} : { cert: await read(tls.certFile) }),
    ...(tls.keyFile === undefined ? {} : { key: await read(tls.keyFile) }),
    ...(tls.minVersion === undefined ? {} : { minVersion: tls.minVersion }),
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    rejectUnauthorized: tls.insecure !== true,
  };
}

const SILENT_TO_TLS = 'SILENT_TO_TLS';
/** Codes that say: not one of the authorities that are trusted. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);

const HINTS: Record<string, string> = {
  [SILENT_TO_TLS]:
    'The server does not answer the TLS handshake. For a port without TLS write redis:// instead of rediss://.',
  ECONNREFUSED: 'Nothing listens there. Is the server up, and is `bind` in its configuration this address?',
  ENOTFOUND: 'The host name does not resolve. Check its spelling and the DNS of this machine.',
  EAI_AGAIN: 'The DNS server did not answer. Try again, or use the address.',
  ETIMEDOUT: 'The network does not answer. Check routes, firewall and allow-lists.',
  EHOSTUNREACH: 'No route to the host. Check the address and the network.',
  ECONNRESET: 'The peer closed at once. Is TLS switched on exactly where the server has it?',
  CERT_HAS_EXPIRED: 'The server certificate has expired: renew it.',
  CERT_NOT_YET_VALID: 'The server certificate is not valid yet: compare the clocks of both machines.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate is self-signed: name its CA in `tls: { ca: … }`.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The certificate chain is private: name its CA in `tls: { ca: … }`.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The CA is unknown: name it in `tls: { ca: … }`.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'The CA is unknown: name it in `tls: { ca: … }`.',
  CERT_SIGNATURE_FAILURE:
    'The certificate was not signed by this CA: name the right one in `tls: { ca: … }`.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name: set `tls: { serverName: … }`.',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION:
    'The server does not accept our TLS version: raise `tls: { maxVersion: … }`, or allow an older version there (tls-protocols).',
  ERR_SSL_UNSUPPORTED_PROTOCOL:
    'The server only speaks an older TLS version than `tls: { minVersion: … }` allows.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'The port does not speak TLS: write redis:// instead of rediss://.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'The port does not speak TLS: write redis:// instead of rediss://.',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    'The server does not trust our client certificate: its CA must be known there.',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'The server refuses our client certificate.',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'Our client certificate has expired: renew it.',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'The server refuses the handshake: it wants a client certificate (`tls: { cert: …, key: … }`), or other ciphers.',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'The server wants a client certificate: set `tls: { cert: …, key: … }`.',
};

/** What to do about an error of TLS that comes after the handshake: a TLS 1.3 server refuses a client certificate only then. */
export function tlsErrorHint(error: unknown): string | undefined {
  const code = codeOf(error);
  const general = 'The TLS handshake failed: protocol versions or TLS on only one side.';
  return code.startsWith('ERR_SSL') ? (HINTS[code] ?? general) : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function dialHint({ tls }: Endpoint, code: string): string | undefined {
  const isWrongAuthority = tls?.caFile !== undefined && UNTRUSTED.has(code);
  return isWrongAuthority
    ? 'The certificate is not of the authority in `tls: { ca: … }`: name the right one there.'
    : HINTS[code];
}

function wordDialError(endpoint: Endpoint, error: Error, tried: readonly string[]): SyncError {
  const hint = dialHint(endpoint, codeOf(error)) ?? tlsErrorHint(error);
  const addresses = tried.filter((address) => !error.message.includes(address));
  const where = addresses.length === 0 ? '' : ` (tried ${addresses.join(', ')})`;
  return new SyncError('CONNECT', `Cannot connect: ${messageOf(error)}${where}.`, {
    where: describeEndpoint(endpoint),
    retryable: true,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A host with several addresses fails with one error for each, and no message of its own. */
function messageOf(error: Error): string {
  if (!(error instanceof AggregateError) || error.message !== '') return error.message;
  return error.errors
    .map((each: unknown) => (each instanceof Error ? each.message : String(each)))
    .join('; ');
}
