/** Opens a TCP or TLS socket to an endpoint, with a limit and with errors that say what to do. */
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as NodeTlsOptions } from 'node:tls';
import { SyncError } from '../errors.ts';
import { describeEndpoint, type Endpoint, type TlsOptions } from './endpoint.ts';

export interface DialOptions {
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * A connected socket (TLS handshake done), without Nagle's delay and with keep-alive. The host name is resolved anew on
 * every call: an address that moved is found again.
 *
 * @throws SyncError CONNECT (retryable), AUTH never.
 */
export async function dial(endpoint: Endpoint, options: DialOptions): Promise<Socket> {
  const tls = endpoint.tls === undefined ? undefined : await tlsOptions(endpoint, endpoint.tls);
  return new Promise((resolve, reject) => {
    const socket: Socket = tls ? connectTls(tls) : connectTcp({ host: endpoint.host, port: endpoint.port });
    const fail = (error: Error): void => {
      cleanUp();
      socket.destroy();
      reject(wordDialError(endpoint, error));
    };
    const timer = setTimeout(
      () => fail(new Error(`no answer within ${options.timeoutMs / 1000} s`)),
      options.timeoutMs,
    );
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
    host: endpoint.host,
    port: endpoint.port,
    ...(isIp(endpoint.host) && tls.serverName === undefined
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

function isIp(host: string): boolean {
  return host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

const HINTS: Record<string, string> = {
  ECONNREFUSED: 'Nothing listens there. Is the server up, and is `bind` in its configuration this address?',
  ENOTFOUND: 'The host name does not resolve. Check its spelling and the DNS of this machine.',
  EAI_AGAIN: 'The DNS server did not answer. Try again, or use the address.',
  ETIMEDOUT: 'The network does not answer. Check routes, firewall and allow-lists.',
  EHOSTUNREACH: 'No route to the host. Check the address and the network.',
  ECONNRESET: 'The peer closed at once. Is TLS switched on exactly where the server has it?',
  CERT_HAS_EXPIRED: 'The server certificate has expired: renew it.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate is self-signed: name its CA in `tls: { ca: … }`.',
  SELF_SIGNED_CERT_IN_CHAIN: 'The certificate chain is private: name its CA in `tls: { ca: … }`.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The CA is unknown: name it in `tls: { ca: … }`.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name: set `tls: { serverName: … }`.',
};

function wordDialError(endpoint: Endpoint, error: Error): SyncError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const hint =
    HINTS[code] ??
    (code.startsWith('ERR_SSL')
      ? 'The TLS handshake failed: protocol versions or TLS on only one side.'
      : undefined);
  return new SyncError('CONNECT', `Cannot connect: ${error.message}.`, {
    where: describeEndpoint(endpoint),
    retryable: true,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
