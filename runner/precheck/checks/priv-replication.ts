/** priv.replication: the account may be a replica (PSYNC, REPLCONF), and PSYNC goes by that name. Costs the source no fork. */
import { ReplyError } from '../../../engine/resp/reply.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import type { Outcome, Precheck } from '../precheck.ts';
import type { Side } from '../side.ts';

export const privReplication: Precheck = {
  id: 'priv.replication',
  about: 'source',
  expected: 'the account may run PSYNC and REPLCONF',
  async measure({ source }) {
    return (await measureNames(source)) ?? (await measureReplconf(source)) ?? (await measureRights(source));
  },
};

/** nil for a command means that it was renamed or switched off. */
async function measureNames(source: Side): Promise<Outcome | undefined> {
  const known = await source.ask('COMMAND', 'INFO', 'psync', 'replconf');
  if (!Array.isArray(known)) return undefined;
  const missing = ['PSYNC', 'REPLCONF'].filter((_, index) => known[index] === null);
  if (missing.length === 0) return undefined;
  return {
    verdict: 'FAIL',
    measured: `COMMAND INFO ${missing.join(' ')} → (nil)`,
    repair: `${missing.join(' and ')} was renamed or disabled (rename-command): remove that from the source's configuration.`,
  };
}

/** REPLCONF can simply be tried: announcing a capability changes nothing on a connection that never asks for PSYNC. */
async function measureReplconf(source: Side): Promise<Outcome | undefined> {
  const reply = await source.ask('REPLCONF', 'capa', 'psync2');
  return reply instanceof ReplyError ? denied(`REPLCONF capa psync2 → ${reply.message}`) : undefined;
}

async function measureRights(source: Side): Promise<Outcome> {
  const whoAmI = await source.ask('ACL', 'WHOAMI');
  if (whoAmI instanceof ReplyError) {
    // Before 6.0 there are no users: who is logged in may do everything.
    const noUsers = /unknown command/i.test(whoAmI.message);
    const measured = `COMMAND INFO psync → known; ACL WHOAMI → ${whoAmI.message}`;
    return noUsers ? { verdict: 'PASS', measured } : unknown(measured);
  }
  const user = textOf(whoAmI);
  const dryRun = await source.ask('ACL', 'DRYRUN', user, 'PSYNC', '?', '-1');
  const measured = `ACL DRYRUN ${user} PSYNC ? -1 → ${textOf(dryRun)}`;
  if (dryRun instanceof ReplyError) return measureRules(source, user, measured);
  return textOf(dryRun) === 'OK' ? { verdict: 'PASS', measured } : denied(measured);
}

/** 6.x has users but no DRYRUN: their rules can be read. */
async function measureRules(source: Side, user: string, dryRun: string): Promise<Outcome> {
  const reply = await source.ask('ACL', 'GETUSER', user);
  if (!Array.isArray(reply)) return unknown(dryRun);
  const fields = reply.map(textOf);
  const rules = fields[fields.indexOf('commands') + 1] ?? '';
  const measured = `ACL GETUSER ${user} → ${rules}`;
  if (rules === '+@all' || (rules.includes('+psync') && !rules.includes('-psync')))
    return { verdict: 'PASS', measured };
  return unknown(measured);
}

function denied(measured: string): Outcome {
  return { verdict: 'FAIL', measured, repair: 'Give the account both: ACL SETUSER <user> +psync +replconf' };
}

function unknown(measured: string): Outcome {
  return {
    verdict: 'UNKNOWN',
    measured,
    repair: 'Make sure the account has +psync +replconf; without them the link fails at its first step.',
  };
}
