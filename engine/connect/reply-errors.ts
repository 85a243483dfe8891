/** Turns an error reply that ends what we wanted into a SyncError with the right code and what to do next. */
import { SyncError, type ErrorCode } from '../errors.ts';
import type { ReplyError } from '../resp/reply.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';

interface Wording {
  code: ErrorCode;
  retryable: boolean;
  hint: string;
}

/** By first word of the reply. Texts: what servers 2.8–8 and Valkey answer. */
const WORDINGS: Record<string, Wording> = {
  NOAUTH: {
    code: 'AUTH',
    retryable: false,
    hint: 'The server wants a password: set `password: ${NAME}` or `passwordFile`.',
  },
  WRONGPASS: {
    code: 'AUTH',
    retryable: false,
    hint: 'User name or password is wrong, or the user is disabled.',
  },
  NOPERM: {
    code: 'PERMISSION',
    retryable: false,
    hint: 'Give the account this permission with ACL SETUSER.',
  },
  DENIED: {
    code: 'CONNECT',
    retryable: false,
    hint: 'The server is in protected mode: set a password there, or bind it to this network.',
  },
  LOADING: { code: 'CONNECT', retryable: true, hint: 'The server is still loading its data: wait.' },
  READONLY: {
    code: 'TARGET_NOT_WRITABLE',
    retryable: true,
    hint: 'This server is a replica: use the address of its primary.',
  },
  MASTERDOWN: {
    code: 'CONNECT',
    retryable: true,
    hint: 'This replica has lost its primary: wait, or use the primary.',
  },
  MISCONF: {
    code: 'TARGET_NOT_WRITABLE',
    retryable: true,
    hint: 'The server cannot write its snapshot to disk: free disk space there.',
  },
  NOREPLICAS: {
    code: 'TARGET_NOT_WRITABLE',
    retryable: true,
    hint: 'min-replicas-to-write is not met: bring the replicas back.',
  },
  BUSY: {
    code: 'TARGET_NOT_WRITABLE',
    retryable: true,
    hint: 'A script blocks the server: wait, or SCRIPT KILL.',
  },
  OOM: { code: 'TARGET_NOT_WRITABLE', retryable: true, hint: 'Raise maxmemory on the target.' },
  NOPROTO: { code: 'PROTOCOL', retryable: false, hint: 'The server does not know this protocol version.' },
};

/** @param command the command that was refused, named in the message (never its arguments: they are user data). */
export function wordReplyError(reply: ReplyError, endpoint: Endpoint, command: string): SyncError {
  const known = WORDINGS[reply.kind] ?? oldAuthWording(reply);
  const full = reply.message.includes('max number of clients') ? maxClients : known;
  const message = `The server refused ${command.toUpperCase()}: ${reply.message}`;
  return new SyncError(full?.code ?? 'PERMISSION', message, {
    where: describeEndpoint(endpoint),
    retryable: full?.retryable ?? false,
    cause: reply,
    ...(full === undefined ? {} : { hint: full.hint }),
  });
}

const maxClients: Wording = {
  code: 'CONNECT',
  retryable: true,
  hint: 'Raise maxclients, or close connections.',
};

/** Servers before 6.0 answer a wrong password with `ERR invalid password`. */
function oldAuthWording(reply: ReplyError): Wording | undefined {
  return /invalid password|AUTH.*without any password/i.test(reply.message)
    ? WORDINGS['WRONGPASS']
    : undefined;
}
