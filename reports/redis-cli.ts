/**
 * A line to paste into a shell that shows one key on one server with redis-cli. Works for any key: what the shell
 * cannot pass as an argument (a NUL byte) goes through redis-cli's standard input in its own quoting.
 */
import { displayBytes } from './display.ts';

export interface CliTarget {
  host: string;
  port: number;
  database: number;
  tls?: boolean;
  username?: string;
  cluster?: boolean;
}

/** The command that reads a whole key of a type, e.g. `HGETALL key`. Unknown types and missing keys: `TYPE key`. */
export function readCommand(type: string | null, key: Uint8Array): (string | Uint8Array)[] {
  switch (type ?? 'none') {
    case 'string':
      return ['GET', key];
    case 'hash':
      return ['HGETALL', key];
    case 'list':
      return ['LRANGE', key, '0', '-1'];
    case 'set':
      return ['SMEMBERS', key];
    case 'zset':
      return ['ZRANGE', key, '0', '-1', 'WITHSCORES'];
    case 'stream':
      return ['XRANGE', key, '-', '+'];
    default:
      return ['TYPE', key];
  }
}

/**
 * `redis-cli -h 127.0.0.1 -p 6379 -n 3 --no-raw GET 'user 17'` for bash (and zsh, ksh). No password is ever in it:
 * with a username it asks for one, without it redis-cli reads REDISCLI_AUTH.
 */
export function redisCliLine(target: CliTarget, command: readonly (string | Uint8Array)[]): string {
  const words = ['redis-cli', '-h', quoteText(target.host), '-p', String(target.port)];
  if (target.tls === true) words.push('--tls');
  if (target.username !== undefined) words.push('--user', quoteText(target.username), '--askpass');
  if (target.cluster === true) words.push('-c');
  if (target.database !== 0) words.push('-n', String(target.database));
  words.push('--no-raw');
  const args = command.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg));
  if (args.some((arg) => arg.includes(0)))
    return `printf '%s\\n' ${quoteText(inputLine(args))} | ${words.join(' ')}`;
  return [...words, ...args.map(quoteArgument)].join(' ');
}

/** One line in redis-cli's own syntax; apostrophes are escaped so that it can stand in single quotes. */
function inputLine(args: readonly Uint8Array[]): string {
  return args.map((arg) => displayBytes(arg, Infinity).replaceAll("'", '\\x27')).join(' ');
}

/** A shell word for any bytes but NUL: bare when harmless, `'…'` when printable, `$'…'` otherwise. */
export function quoteArgument(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  if (/^[\w./:@%+=,-]+$/.test(text)) return text;
  if (/^[\x20-\x26\x28-\x7e]*$/.test(text)) return `'${text}'`;
  return `$'${Array.from(bytes, escapeForShell).join('')}'`;
}

function quoteText(text: string): string {
  return quoteArgument(Buffer.from(text));
}

function escapeForShell(byte: number): string {
  if (byte === 0x5c) return '\\\\';
  if (byte === 0x27) return "\\'";
  if (byte === 0x0a) return '\\n';
  if (byte >= 0x20 && byte <= 0x7e) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
