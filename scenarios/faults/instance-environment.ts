/** Tells a shell command where the instances are, and keeps their passwords out of what it prints. */
import { readCredentials } from '../../engine/connect/credentials.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';

/**
 * `REDIS_SYNC_<INSTANCE>_HOST`, `_PORT` and `_URL` for each instance, `_PASSWORD` where there is one, and `_CA` (a file) where it is
 * reached by TLS and the authority to trust is not the system's; the name in capitals, everything but letters and digits as `_`
 * (`group-1.primary` → `GROUP_1_PRIMARY`). The URL carries user and password, for `redis-cli -u`; servers before 6.0 know no user
 * and need `REDISCLI_AUTH=$…_PASSWORD` instead.
 */
export function instanceEnvironment(instances: ReadonlyMap<string, Endpoint>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, endpoint] of instances) {
    const prefix = `REDIS_SYNC_${name
      .toUpperCase()
      .replaceAll(/[^A-Z0-9]+/g, '_')
      .replace(/_$/, '')}`;
    env[`${prefix}_HOST`] = endpoint.host;
    env[`${prefix}_PORT`] = String(endpoint.port);
    env[`${prefix}_URL`] = endpointUrl(endpoint);
    const { password } = readCredentials(endpoint);
    if (password !== undefined) env[`${prefix}_PASSWORD`] = password;
    if (endpoint.tls?.caFile !== undefined) env[`${prefix}_CA`] = endpoint.tls.caFile;
  }
  return env;
}

/** With user and password: for a program that is told where to connect, never for a message. */
export function endpointUrl(endpoint: Endpoint): string {
  const { host, port, tls } = endpoint;
  const { username, password } = readCredentials(endpoint);
  const scheme = tls === undefined ? 'redis' : 'rediss';
  // An empty user name would be sent as one (redis-cli: AUTH "" password), and refused.
  const user =
    password === undefined
      ? ''
      : `${encodeURIComponent(username ?? 'default')}:${encodeURIComponent(password)}@`;
  return `${scheme}://${user}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The text with every password of the instances, plain or as in a URL, replaced by ***. */
export function redactSecrets(text: string, instances: ReadonlyMap<string, Endpoint>): string {
  let redacted = text;
  for (const endpoint of instances.values()) {
    const { password } = readCredentials(endpoint);
    if (password === undefined || password === '') continue;
    redacted = redacted.replaceAll(password, '***').replaceAll(encodeURIComponent(password), '***');
  }
  return redacted;
}
