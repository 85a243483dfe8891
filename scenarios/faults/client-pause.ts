/** The server holds back writes (CLIENT PAUSE): connections live, reads go on, writes wait. */
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { ownKey, PROBE_KEY, tell } from './server-settings.ts';

/** Longer than any fault lasts: it is ended when it is healed. */
const PAUSE_MS = 24 * 3600 * 1000;
const PROBE_MS = 200;

export const clientPause = defineFault({
  name: 'client-pause',
  summary: 'A server makes all writes wait (CLIENT PAUSE) until it is healed.',
  requires: ['write'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject({ context, onHeal }) {
    const node = await aimedNode(context);
    onHeal(() => tell(node, 'CLIENT', 'UNPAUSE'));
    await tell(node, 'CLIENT', 'PAUSE', String(PAUSE_MS), 'WRITE');
    await using probe = await openNode(node, PROBE_MS);
    const key = await ownKey(probe, PROBE_KEY);
    const answered = await probe.tryCall('SET', key, 'x', 'PX', '1000').then(
      () => true,
      () => false,
    );
    return answered
      ? ineffective(`${node.address} answers writes`)
      : effective({ server: node.address, silentForMs: PROBE_MS });
  },
});
