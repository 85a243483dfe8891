/** Engines that tell the runner something else than what is so. */
import type { FromReplicator, LinkStatus } from '../../engine/link/messages.ts';
import type { Misbehaviour, StreamMutation } from './misbehaviour.ts';

/** Between two commands; clients write several hundred a second. */
const SLOW_MS = 10;

/** Changes every status; everything else is told as it is. */
function restating(change: (status: LinkStatus) => LinkStatus): Misbehaviour {
  return {
    tell: () => (message) =>
      message.kind === 'status' ? [{ ...message, links: message.links.map(change) }] : [message],
  };
}

/** Says that everything is applied while it reads far more slowly than clients write: it is still at it long after. */
export const claimsEarly: Misbehaviour = {
  ...restating((status) => ({
    ...status,
    appliedOffset: status.snapshot.done ? String(Number.MAX_SAFE_INTEGER) : status.appliedOffset,
  })),
  stream: () => {
    let isInside = false;
    return (command, out) => {
      out.send(command.raw);
      isInside = command.name === 'multi' || (isInside && command.name !== 'exec');
      // A transaction that comes in pieces is applied at its end: nothing would be written while it lasts.
      if (!isInside) out.hold(SLOW_MS);
    };
  },
};

/** Leaves messages out of the stream, and counts them as read. */
export const coversUp: Misbehaviour = (() => {
  let missing = 0;
  const add = (offset: string): string => String(BigInt(offset) + BigInt(missing));
  const stream = (): StreamMutation => (command, out) => {
    if (command.name === 'publish') missing += command.raw.length;
    else out.send(command.raw);
  };
  const tell = (message: FromReplicator): FromReplicator[] => {
    if (message.kind === 'link-state' && message.offset !== undefined)
      return [{ ...message, offset: add(message.offset) }];
    if (message.kind !== 'status') return [message];
    const links = message.links.map((status) =>
      status.snapshot.done
        ? { ...status, appliedOffset: add(status.appliedOffset), receivedOffset: add(status.receivedOffset) }
        : status,
    );
    return [{ ...message, links }];
  };
  return { stream, tell: () => tell };
})();

/** Reports that its target refused a command, and goes on. */
export const leavesRefusal = restating((status) => ({
  ...status,
  errors: status.snapshot.done ? { ...status.errors, WRONGTYPE: 1 } : status.errors,
}));

/** Runs only the first of its links, and says of the others what it says of that. */
export const skipsLink: Misbehaviour = (() => {
  let others: string[] = [];
  return {
    begin: (options) => {
      others = options.links.slice(1).map(({ id }) => id);
      return { ...options, links: options.links.slice(0, 1) };
    },
    tell: () => (message) => {
      if (message.kind === 'status')
        return [
          {
            ...message,
            links: message.links.flatMap((status) => [
              status,
              ...others.map((link) => ({ ...status, link })),
            ]),
          },
        ];
      return 'link' in message ? [message, ...others.map((link) => ({ ...message, link }))] : [message];
    },
  };
})();

/** Says nothing for a while. */
export const fallsSilent: Misbehaviour = {
  tell: () => {
    let silentUntilMs: number | undefined;
    return (message) => {
      if (message.kind === 'link-state' && message.to === 'Synchronizing')
        silentUntilMs ??= performance.now() + 5800;
      const isSilent = message.kind === 'status' && performance.now() < (silentUntilMs ?? 0);
      return isSilent ? [] : [message];
    };
  },
};

/** Fails when it is told to stop. */
export const failsAtTheEnd: Misbehaviour = {
  tell: () => (message) =>
    message.kind === 'link-state' && message.to === 'Finished' ? [{ ...message, to: 'Failed' }] : [message],
};

/** Finds something grave that nobody expects. */
export const findsTrouble: Misbehaviour = {
  tell: () => (message) => {
    if (message.kind !== 'sync-finished') return [message];
    const { link } = message;
    const code = 'NOT_DURABLE';
    return [
      message,
      { kind: 'finding', link, code, severity: 'error', message: 'Writes were lost.', evidence: {} },
    ];
  },
};

/** Keeps to itself what it finds. */
export const concealsFindings: Misbehaviour = {
  tell: () => (message) => (message.kind === 'finding' ? [] : [message]),
};

/** Does not come back from an interruption, as far as anybody hears. */
export const staysAway: Misbehaviour = {
  tell: () => {
    let isAway = false;
    return (message) => {
      if (message.kind !== 'link-state') return [message];
      isAway ||= message.to === 'Retrying';
      return isAway && message.to === 'Synchronizing' ? [] : [message];
    };
  },
};

/** Its log has an error that nobody handled. */
export const stumbles: Misbehaviour = {
  tell: () => (message) => {
    if (message.kind === 'sync-finished') process.stderr.write('Uncaught TypeError: x is not a function\n');
    return [message];
  },
};
