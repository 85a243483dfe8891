/** The account of the link loses rights. What it may not any more bites at once; connections that are open stay. */
import { ReplyError } from '../../engine/resp/reply.ts';
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { flagOf } from './parameters.ts';
import { tell } from './server-settings.ts';

/** Rights are given back with it: the account that loses them is our own too. */
const KEEPER = 'redis-sync-keeper';

export const aclRevoke = defineFault({
  name: 'acl-revoke',
  summary: 'The account of the link loses rights on a server: commands are refused with NOPERM.',
  requires: ['config', 'write'],
  aims: 'instance',
  properties: {
    rules: {
      description: 'Rules of ACL SETUSER. Default: no writes.',
      type: 'array',
      minItems: 1,
      items: { type: 'string', pattern: '^[-+][@a-z|]+$' },
      default: ['-@write'],
    },
    cut: flagOf('Also close the connections of clients and replicas, which would go on otherwise.', false),
  },
  dataLoss: 'none',
  reversible: true,
  async inject({ context, given, onHeal }) {
    const node = await aimedNode(context);
    const user = node.endpoint.username ?? 'default';
    const rules = given.texts('rules', ['-@write']);
    const password = `keeper-${context.step}`;
    const keeper = { ...node, endpoint: { ...node.endpoint, username: KEEPER, password } };
    await tell(node, 'ACL', 'SETUSER', KEEPER, 'reset', 'on', `>${password}`, '~*', '&*', '+@all');
    onHeal(async () => {
      await tell(keeper, 'ACL', 'SETUSER', user, '+@all');
      await tell(node, 'ACL', 'DELUSER', KEEPER);
    });
    await tell(node, 'ACL', 'SETUSER', user, ...rules);
    await using admin = await openNode(keeper);
    const command = rules.find((rule) => /^-[a-z]/.test(rule))?.slice(1) ?? 'set';
    const text = await awaitEvidence(context, async () => {
      await using probe = await openNode(node);
      const reply = await probe.tryCall(...probeOf(command));
      return reply instanceof ReplyError && reply.kind === 'NOPERM' ? reply.message : null;
    });
    if (given.flag('cut', false))
      for (const type of ['normal', 'replica'])
        await admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    return text === null
      ? ineffective(`${user} may do everything on ${node.address}`, { rules })
      : effective({ server: node.address, user, rules, reply: text });
  },
});

/** Refused before its arguments are looked at, if they are as many as it wants. */
function probeOf(command: string): string[] {
  if (command === 'psync') return ['PSYNC', 'redis-sync-probe', '-2'];
  return [command, 'redis-sync:fault-probe', 'x'];
}
