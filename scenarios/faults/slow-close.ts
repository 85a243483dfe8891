/** The end of a connection comes late: its successor is there already, and both seem to be alive. */
import { aimedSides, openNode, primaryOf, type AimedSide } from './aim.ts';
import { awaitEvidence } from './evidence.ts';
import type { FaultDefinition } from './fault.ts';
import { durationOf, Parameters, settings } from './parameters.ts';

export const slowClose: FaultDefinition = {
  name: 'slow-close',
  summary: 'The server closes the connections of the link, and the link learns of it late.',
  requires: ['proxy', 'write'],
  aims: 'side',
  schema: settings({ delay: durationOf('How late.', '500ms') }),
  reversible: true,
  dataLoss: 'none',
  prepare(context) {
    const delayMs = new Parameters(context).durationMs('delay', '500ms');
    const name = `${context.step}-${context.firing}`;
    const sides = aimedSides(context);
    return {
      async inject() {
        for (const { gate } of sides)
          await gate.add({ kind: 'slow-close', delayMs, name, streams: ['downstream'] });
        for (const side of sides) await closeConnections(side);
        const ended = await awaitEvidence(context, async () => {
          const statuses = await Promise.all(sides.map(({ gate }) => gate.status()));
          const count = statuses.reduce((sum, { effects }) => sum + (effects[name]?.ended ?? 0), 0);
          return count > 0 ? count : null;
        });
        return ended === null
          ? { effective: false, reason: 'no connection of the link was closed', evidence: {} }
          : { effective: true, evidence: { closedLate: ended, delayMs } };
      },
      async heal() {
        for (const { gate } of sides) await gate.remove(name);
      },
    };
  },
};

/** At the source the link is a replica, at the target a client like any other. */
async function closeConnections({ side, instance }: AimedSide): Promise<void> {
  await using connection = await openNode(await primaryOf(instance));
  await connection.call('CLIENT', 'KILL', 'TYPE', side === 'source' ? 'replica' : 'normal', 'SKIPME', 'yes');
}
