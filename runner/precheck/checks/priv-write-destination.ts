/** priv.write.destination: the account may run what applying needs. Asked by queueing and discarding; nothing is written. */
import type { Precheck } from '../precheck.ts';
import { findRefused } from '../queue-probe.ts';
import { OWN_KEY_PREFIX } from '../../../engine/link/options.ts';

/** Stands for the key of the probe. */
const KEY = `${OWN_KEY_PREFIX}probe`;

/** Without these no link works: the snapshot, the checkpoint, and changing the database. */
const REQUIRED = [
  ['SELECT', '0'],
  ['RESTORE', KEY, '5000', '', 'REPLACE'],
  ['HSET', KEY, 'f', 'v'],
  ['HMGET', KEY, 'f'],
  ['DEL', KEY],
  ['SET', KEY, 'v'],
  ['PEXPIREAT', KEY, '1'],
];

/** One or two per family of the command stream. */
const FAMILIES = [
  ['INCR', KEY],
  ['APPEND', KEY, 'v'],
  ['SETRANGE', KEY, '0', 'v'],
  ['RPUSH', KEY, 'v'],
  ['LPOP', KEY],
  ['SADD', KEY, 'v'],
  ['SREM', KEY, 'v'],
  ['ZADD', KEY, '1', 'v'],
  ['HDEL', KEY, 'f'],
  ['PFADD', KEY, 'v'],
  ['XADD', KEY, '*', 'f', 'v'],
  ['XGROUP', 'DESTROY', KEY, 'g'],
  ['RENAME', KEY, KEY],
  ['UNLINK', KEY],
  ['EVAL', 'return 1', '0'],
  ['PERSIST', KEY],
];

export const privWriteDestination: Precheck = {
  id: 'priv.write.destination',
  about: 'destination',
  expected: 'the account may run every command that applying needs',
  async measure({ target }) {
    const key = `${KEY}${await target.ownTag()}`;
    const commands = [...REQUIRED, ...FAMILIES].map((words) =>
      words.map((word) => (word === KEY ? key : word)),
    );
    const refused = await findRefused(target, commands);
    const [first] = refused;
    if (!first)
      return {
        verdict: 'PASS',
        measured: `MULTI · ${REQUIRED.length + FAMILIES.length} commands · DISCARD → all QUEUED`,
      };
    const names = refused.map(({ command }) => command);
    const measured = `${first.command} → ${first.text}${names.length > 1 ? `; also ${names.slice(1).join(', ')}` : ''}`;
    const blocking = names.some((name) => REQUIRED.some(([required]) => required === name));
    return { verdict: blocking ? 'FAIL' : 'WARN', measured, repair: repairFor(first.text, names) };
  },
};

function repairFor(text: string, names: string[]): string {
  if (text.startsWith('READONLY')) return 'The target is a replica: use its primary.';
  if (text.startsWith('OOM')) return 'The target is full: raise maxmemory.';
  const rights = names.map((name) => `+${name.toLowerCase()}`).join(' ');
  return `Allow them on all keys: ACL SETUSER <user> ${rights} ~*. A command that the target refuses stops the link.`;
}
