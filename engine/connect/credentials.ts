/** Who we log in as: from the endpoint itself, or from its password file, which is read again at every login. */
import { readFileSync, statSync } from 'node:fs';
import { delay } from '../psync/backoff.ts';
import { asError, SyncError } from '../errors.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';

export interface Credentials {
  username?: string;
  password?: string;
}

const POLL_MS = 250;

/**
 * A secret without a user name beside it may hold both, as `user:password`, and is cut at its first colon (S0-40). Naming
 * the user (`username: default`) keeps a password with a colon whole.
 */
export function splitSecret(username: string | undefined, secret: string | undefined): Credentials {
  if (secret === undefined) return username === undefined ? {} : { username };
  const colon = secret.indexOf(':');
  if (username !== undefined) return { username, password: secret };
  if (colon <= 0) return { password: colon === 0 ? secret.slice(1) : secret };
  return { username: secret.slice(0, colon), password: secret.slice(colon + 1) };
}

/** @throws SyncError AUTH when the password file cannot be read, or is empty. */
export function readCredentials(endpoint: Endpoint): Credentials {
  const { username, password, passwordFile } = endpoint;
  if (passwordFile === undefined) {
    return {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    };
  }
  return splitSecret(username, readSecretFile(passwordFile, describeEndpoint(endpoint)));
}

/** The AUTH command of an endpoint, or undefined when there is no password. @throws SyncError AUTH as readCredentials. */
export function authCommand(endpoint: Endpoint): string[] | undefined {
  const { username, password } = readCredentials(endpoint);
  if (password === undefined) return undefined;
  return username === undefined ? ['AUTH', password] : ['AUTH', username, password];
}

/** @param where stands in front of the message of an error. @throws SyncError AUTH. */
export function readSecretFile(file: string, where: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SyncError('AUTH', `The password file cannot be read: ${asError(error).message}`, {
      where,
      hint: 'Correct `passwordFile` of the instance; a relative path is taken from the folder of the spec.',
      cause: error,
    });
  }
  // Editors and `echo` end a file with a line break, which is not part of the secret.
  const secret = text.replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new SyncError('AUTH', `The password file ${file} is empty.`, { where });
}

/**
 * Resolves after `ms`, or as soon as the file is another one than when this was called: a login that was refused is worth
 * trying again at once then, and not before (an account can be locked by too many tries).
 */
export async function passwordFileChange(file: string, ms: number, signal: AbortSignal): Promise<void> {
  const before = fingerprint(file);
  for (let waitedMs = 0; waitedMs < ms && !signal.aborted; waitedMs += POLL_MS) {
    await delay(Math.min(POLL_MS, ms - waitedMs), signal);
    if (fingerprint(file) !== before) return;
  }
}

function fingerprint(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.ino}:${found.size}:${found.mtimeMs}`;
}
