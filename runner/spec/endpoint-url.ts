/** The `url` of an existing endpoint: redis://[user@]host[:port], rediss:// for TLS. Never with a password in it. */
import type { Parsed } from './quantities.ts';

export interface EndpointUrl {
  host: string;
  port: number;
  tls: boolean;
  username?: string;
}

export const REDIS_PORT = 6379;
export const SENTINEL_PORT = 26379;
const EXPECTED = 'redis://host:6379, redis://user@host:6379, or rediss:// for TLS';

/** A reason never quotes the url: there may be a password in it. */
export function parseEndpointUrl(text: string, defaultPort = REDIS_PORT): Parsed<EndpointUrl> {
  const match = /^([a-z]+):\/\/(.*)$/i.exec(text);
  const scheme = match?.[1]?.toLowerCase();
  if (match === null || (scheme !== 'redis' && scheme !== 'rediss'))
    return bad('it does not begin with redis:// or rediss://');
  const authority = /^(?:([^@]*)@)?(\[[^\]]+\]|[^:/?#@[\]]+)(?::(\d{1,5}))?(.*)$/.exec(match[2] ?? '');
  if (authority === null) return bad('it has no host');
  const [, login, host = '', portText, rest = ''] = authority;
  if (login?.includes(':') === true) {
    return {
      kind: 'bad',
      reason: 'there is a password in it',
      expected: 'the url without it, and password: ${NAME} or passwordFile: FILE',
    };
  }
  const port = portText === undefined ? defaultPort : Number(portText);
  if (port < 1 || port > 65535) return bad(`${port} is not a port`);
  if (rest !== '' && rest !== '/')
    return bad('something follows the port; a link always takes every database');
  const where = { host: host.replace(/^\[|\]$/g, ''), port, tls: scheme === 'rediss' };
  const username = login === undefined || login === '' ? undefined : decode(login);
  return { kind: 'ok', value: username === undefined ? where : { ...where, username } };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function bad(reason: string): Parsed<EndpointUrl> {
  return { kind: 'bad', reason, expected: EXPECTED };
}
