/** Words what went wrong with an existing endpoint: which instance, which address, and what a person can do. */
import { readCredentials } from '../../engine/connect/credentials.ts';
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import type { InstancePlan } from '../plan/plan.ts';

/** Codes of Node's sockets that mean: the two sides disagree about TLS, or about its versions. */
const TLS_MISMATCH = /^(ERR_SSL_|EPROTO$)/;

/** Where we were: at an endpoint, or still looking for one, in words. */
export interface Place {
  endpoint: Endpoint | undefined;
  text: string;
}

/** The error again, with the instance in `where` and a hint that fits the spec. Anything unexpected is returned as it is. */
export function wordExistingError(plan: InstancePlan, { endpoint, text }: Place, error: Error): Error {
  if (!(error instanceof SyncError)) return error;
  const hint = (endpoint && hintFor(plan, endpoint, error)) ?? error.hint;
  return new SyncError(error.code, error.message, {
    where: `${plan.name} (${endpoint ? describeEndpoint(endpoint) : text})`,
    retryable: error.retryable,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

function hintFor(plan: InstancePlan, endpoint: Endpoint, error: SyncError): string | undefined {
  if (error.code === 'AUTH') return authHint(plan, endpoint, error);
  if (error.code !== 'CONNECT') return undefined;
  const code = systemCode(error.cause);
  // A server without TLS takes the handshake for the beginning of a long command, and waits for its end.
  const silent = error.message.includes('no answer');
  const endedAtOnce =
    code === 'ECONNRESET' || code === 'EPIPE' || error.message.includes('the server closed');
  if (endpoint.tls && (TLS_MISMATCH.test(code) || endedAtOnce || silent)) {
    return 'The TLS handshake did not succeed. Does this port speak TLS? For a port without it write redis:// instead of rediss://.';
  }
  if (!endpoint.tls && endedAtOnce) {
    return 'The server closed the connection at once, as a TLS port does to a client without TLS: write rediss://, or set `tls:`.';
  }
  return undefined;
}

function authHint(plan: InstancePlan, endpoint: Endpoint, error: SyncError): string | undefined {
  if (error.message.includes('NOAUTH'))
    return 'The server wants a password: set `password: ${NAME}` or `passwordFile` on the instance.';
  const { username } = readCredentials(endpoint);
  const splitByUs = username !== undefined && plan.username === undefined && !(plan.url ?? '').includes('@');
  if (!splitByUs) return undefined;
  return (
    `User name or password is wrong. The secret has a colon and was read as user "${username}" and a password; ` +
    'if the colon belongs to the password, set `username: default`.'
  );
}

function systemCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}
