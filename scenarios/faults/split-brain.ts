/** Two primaries: a replica is promoted while the old primary goes on. When it is healed, the old one follows and forgets its branch. */
import { aimedInstance, infoOf, invalid, primaryOf, replicasOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { tell } from './server-settings.ts';

export const splitBrain = defineFault({
  name: 'split-brain',
  summary:
    'A replica is promoted while the old primary goes on; healed, the old one follows it and forgets its branch.',
  requires: ['replica', 'write'],
  aims: 'instance',
  dataLoss: 'source',
  reversible: true,
  async inject({ context, onHeal }) {
    const instance = aimedInstance(context);
    const old = await primaryOf(instance);
    const [heir] = await replicasOf(instance);
    if (heir === undefined)
      throw invalid(context, `${instance.name} has no replica now`, 'Give it `replicas: 1`.');
    const { host, port } = heir.endpoint;
    onHeal(async () => {
      await tell(old, 'REPLICAOF', host, String(port));
      context.subjects.relocate();
    });
    await tell(heir, 'REPLICAOF', 'NO', 'ONE');
    const roles = await Promise.all(
      [old, heir].map(async (node) => ({
        address: node.address,
        role: (await infoOf(node, 'replication'))['role'],
      })),
    );
    return roles.every(({ role }) => role === 'master')
      ? effective({ primaries: roles.map(({ address }) => address) })
      : ineffective('there are not two primaries', { roles });
  },
});
