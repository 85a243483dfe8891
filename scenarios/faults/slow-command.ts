/** One slow command: the server does nothing else meanwhile. */
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { durationOf } from './parameters.ts';

export const slowCommand = defineFault({
  name: 'slow-command',
  summary: 'A server is busy with one slow command and answers nobody meanwhile.',
  requires: ['debug'],
  aims: 'instance',
  properties: { time: durationOf('How long.', '1s') },
  dataLoss: 'none',
  reversible: false,
  async inject({ context, given }) {
    const node = await aimedNode(context);
    const timeMs = given.durationMs('time', '1s');
    await using connection = await openNode(node, timeMs + 30_000);
    const beganMs = context.clock.nowMs();
    await connection.call('DEBUG', 'SLEEP', String(timeMs / 1000));
    const tookMs = Math.round(context.clock.nowMs() - beganMs);
    return tookMs >= timeMs
      ? effective({ server: node.address, tookMs })
      : ineffective(`it took only ${tookMs} ms`);
  },
});
