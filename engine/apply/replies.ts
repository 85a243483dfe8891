/**
 * What a target's error reply means for the link, by its first word. One table: nothing is dropped without a row here.
 *
 *   retry   the same command again, in order, later: the state of the server will change
 *   count   the command was executed and failed on its own (the data differs from the source): a finding, the link goes on
 *   stop    retrying cannot help: the link stops and says why
 */
import { ReplyError } from '../resp/reply.ts';

export type Reaction = 'retry' | 'count' | 'stop';

export interface Row {
  reaction: Reaction;
  hint: string;
}

const ROWS: Record<string, Row> = {
  OOM: {
    reaction: 'retry',
    hint: 'The target is out of memory: raise its maxmemory. The link waits and loses nothing.',
  },
  LOADING: { reaction: 'retry', hint: 'The target is loading its data.' },
  READONLY: { reaction: 'retry', hint: 'The target is a replica now: point the link to its primary.' },
  MASTERDOWN: { reaction: 'retry', hint: 'The target is a replica that has lost its primary.' },
  NOREPLICAS: { reaction: 'retry', hint: 'min-replicas-to-write is not met on the target.' },
  BUSY: { reaction: 'retry', hint: 'A script blocks the target: wait, or SCRIPT KILL there.' },
  MISCONF: { reaction: 'retry', hint: 'The target cannot save to disk and refuses writes: free its disk.' },
  CLUSTERDOWN: { reaction: 'retry', hint: 'The target cluster is down.' },
  TRYAGAIN: { reaction: 'retry', hint: 'Slots of the target are being moved.' },
  MOVED: {
    reaction: 'stop',
    hint: 'The target is a cluster: describe it as one, so that each key goes to its shard.',
  },
  ASK: {
    reaction: 'retry',
    hint: 'A slot of the target is being moved.',
  },
  CROSSSLOT: {
    reaction: 'stop',
    hint: 'The target is a cluster: describe it as one, and set engine.crossSlot.',
  },
  NOPERM: {
    reaction: 'retry',
    hint: 'The account on the target lacks a permission: ACL SETUSER … The link waits.',
  },
  NOAUTH: { reaction: 'retry', hint: 'The target wants a password now.' },
  WRONGTYPE: {
    reaction: 'count',
    hint: 'The key has another type on the target: somebody else writes there, or it was not empty.',
  },
  BUSYGROUP: { reaction: 'count', hint: 'The consumer group exists on the target already.' },
  NOGROUP: { reaction: 'count', hint: 'The consumer group is missing on the target.' },
};

/** Errors that begin with the general word ERR, by their text. */
const TEXTS: [pattern: RegExp, row: Row][] = [
  [
    /DUMP payload version or checksum|Bad data format/i,
    {
      reaction: 'stop',
      hint: 'The target is too old for the source’s data format: use a target of the same or a later version.',
    },
  ],
  [
    /unknown command|unknown subcommand/i,
    {
      reaction: 'stop',
      hint: 'The target does not know this command: use a target of the same or a later version.',
    },
  ],
  [/max number of clients/i, { reaction: 'retry', hint: 'Raise maxclients on the target.' }],
  [/not allowed in cluster mode/i, { reaction: 'stop', hint: 'A cluster has only database 0.' }],
];

/** Everything else. */
export const OTHER_REPLIES: Row = {
  reaction: 'count',
  hint: 'The target executed the command and it failed there.',
};

/** The whole table, with what a reply says to belong to a row. */
export const REPLY_ROWS: readonly (Row & { says: string })[] = [
  ...Object.entries(ROWS).map(([kind, row]) => ({ says: `\`${kind} …\``, ...row })),
  ...TEXTS.map(([pattern, row]) => ({
    says: `\`ERR … ${pattern.source.replaceAll('|', '` or `ERR … ')} …\``,
    ...row,
  })),
];

/**
 * What is behind the error. EXEC refused as a whole (memory, role or script state changed since its commands were queued)
 * says `EXECABORT Transaction discarded because of: OOM …`. Source: rejectCommand in server.c, since 6.2.
 */
export function unwrapRefusal(error: ReplyError): ReplyError {
  const inner = /^EXECABORT .*discarded because of: (.+)$/s.exec(error.message)?.[1];
  return inner === undefined ? error : new ReplyError(inner);
}

/**
 * An error inside an applied transaction that says: this command alone was not executed, and what came behind it was. Then
 * nobody can make up for it in order.
 */
export function isLeftOut(error: ReplyError): boolean {
  return error.kind === 'NOSCRIPT' || reactionTo(error).reaction === 'retry';
}

/** The key's slot is, or is about to be, on another shard of the cluster. */
export function isMisplaced({ kind }: ReplyError): boolean {
  return kind === 'MOVED' || kind === 'ASK' || kind === 'TRYAGAIN';
}

export function reactionTo(error: ReplyError): Row {
  return ROWS[error.kind] ?? TEXTS.find(([pattern]) => pattern.test(error.message))?.[1] ?? OTHER_REPLIES;
}
