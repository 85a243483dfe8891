/** A real server with a TLS port beside its plain one (through which the test itself looks at it). */
import type { Endpoint, TlsOptions } from '../../engine/connect/endpoint.ts';
import type { Certificates, KeyPair } from './certificates.ts';
import { freePort, startServer, type TestServer } from './server.ts';

export interface TlsServer extends TestServer {
  readonly tlsPort: number;
  /** The endpoint of the TLS port. */
  at(tls: TlsOptions, login?: Pick<Endpoint, 'username' | 'password' | 'passwordFile'>): Endpoint;
}

export interface TlsServerOptions {
  certificates: Certificates;
  pair?: KeyPair;
  /** `TLSv1.2`, `TLSv1.3`. Default: both. */
  protocols?: string;
  /** Ask clients for a certificate of the authority. Default no. */
  authClients?: boolean;
  config?: Record<string, string>;
}

export async function startTlsServer(options: TlsServerOptions): Promise<TlsServer> {
  const { certificates, pair = certificates.server, protocols, authClients = false, config = {} } = options;
  const tlsPort = await freePort();
  const server = await startServer({
    'tls-port': String(tlsPort),
    'tls-cert-file': pair.cert,
    'tls-key-file': pair.key,
    'tls-ca-cert-file': certificates.ca,
    'tls-auth-clients': authClients ? 'yes' : 'no',
    ...(protocols === undefined ? {} : { 'tls-protocols': protocols }),
    ...config,
  });
  return {
    ...server,
    tlsPort,
    at: (tls, login = {}) => ({ host: '127.0.0.1', port: tlsPort, tls, ...login }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
