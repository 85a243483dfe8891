/** Settings of a server change under a running link. */
import { aimedNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { changeSettings } from './server-settings.ts';

export const configSet = defineFault({
  name: 'config-set',
  summary: 'Settings of a server change (CONFIG SET) while the link runs; healed, they are what they were.',
  requires: ['config'],
  aims: 'instance',
  properties: {
    directives: {
      description: 'Directives of redis.conf, e.g. { maxmemory: 100mb }.',
      type: 'object',
      minProperties: 1,
      additionalProperties: { type: ['string', 'number'] },
    },
  },
  required: ['directives'],
  dataLoss: 'none',
  reversible: true,
  async inject(work) {
    const node = await aimedNode(work.context);
    const wanted = work.given.pairs('directives');
    const before = await changeSettings(work, node, wanted);
    const same = Object.entries(wanted).every(([name, value]) => before[name] === value);
    return same
      ? ineffective('that is what they were', { before })
      : effective({ server: node.address, before, after: wanted });
  },
});
