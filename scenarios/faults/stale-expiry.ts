/** Keys whose time is over stay where they are: nobody removes them by itself, so counts differ. */
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { countOf } from './parameters.ts';
import { tell } from './server-settings.ts';
import { textOf } from '../../engine/resp/reply-text.ts';

export const staleExpiry = defineFault({
  name: 'stale-expiry',
  summary: 'Keys expire and stay: the server does not remove them by itself, so raw counts differ.',
  requires: ['debug', 'write'],
  aims: 'instance',
  properties: { keys: countOf('Keys that expire at once.', 50) },
  dataLoss: 'none',
  reversible: true,
  async inject({ context, given, onHeal }) {
    const node = await aimedNode(context);
    const keys = given.count('keys', 50);
    onHeal(() => tell(node, 'DEBUG', 'SET-ACTIVE-EXPIRE', '1'));
    await using connection = await openNode(node);
    await connection.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    const before = Number(textOf(await connection.call('DBSIZE')));
    const name = (index: number): string => `stale:${context.step}:${context.firing}:${index}`;
    await connection.pipeline(
      Array.from({ length: keys }, (_, index) => ['SET', name(index), 'over soon', 'PX', '1']),
    );
    // DBSIZE counts what is over; TTL says that it is, and would remove it on a primary: it is not asked here.
    const lingering = await awaitEvidence(context, async () => {
      const now = Number(textOf(await connection.call('DBSIZE')));
      return now >= before + keys ? now - before : null;
    });
    return lingering === null
      ? ineffective('the keys are gone')
      : effective({ server: node.address, lingering });
  },
});
