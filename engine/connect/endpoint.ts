/** Where a server is and how to log in. Secrets are here and nowhere else; `describe` is what may be printed. */

export interface TlsOptions {
  /** Path of a PEM file with the CA(s) to trust instead of the system's. */
  caFile?: string;
  certFile?: string;
  keyFile?: string;
  serverName?: string;
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Accept any certificate. Only for throw-away servers. */
  insecure?: boolean;
}

export interface Endpoint {
  host: string;
  port: number;
  username?: string;
  password?: string;
  /**
   * Absolute path of a file that holds the password, instead of `password`. Read at every login (credentials.ts), so that a
   * password that was changed is picked up, and so that the secret itself travels nowhere.
   */
  passwordFile?: string;
  tls?: TlsOptions;
}

/** `host:port`, with brackets around an IPv6 address. Safe to print. */
export function describeEndpoint(endpoint: Pick<Endpoint, 'host' | 'port'>): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${endpoint.port}`;
}
