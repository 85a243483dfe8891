/** The date that a server believes in is moved while it runs, as by an operator or a time service gone wrong. */
import { textOf } from '../../engine/resp/reply-text.ts';
import { SyncError } from '../../engine/errors.ts';
import { aimedNode, controlOf, invalid, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { shiftOf } from './parameters.ts';
import type { FaultNode } from './subjects.ts';

/** A server that is this close to where it should be is there: the rest is the way to it and back. */
const CLOSE_MS = 500;

export const clockSkew = defineFault({
  name: 'clock-skew',
  summary:
    'The clock of a server is moved, ahead or back, while it runs (libfaketime); healed, it is right again.',
  requires: ['clock'],
  aims: 'instance',
  properties: { by: shiftOf('How far: 30s ahead, -30s behind.', '30s') },
  // Ahead, it expires what still lives elsewhere.
  dataLoss: 'target',
  reversible: true,
  async inject({ context, given, onHeal }) {
    const byMs = given.shiftMs('by', '30s');
    const node = await aimedNode(context);
    const control = controlOf(context, node);
    if (control.moveClock === undefined)
      throw invalid(
        context,
        `The clock of ${node.address} cannot be moved`,
        'Aim at a server that was started for it.',
      );
    const before = await offsetOf(node);
    onHeal(async () => {
      control.moveClock?.(0);
      await awaitRight(node);
    });
    control.moveClock(byMs);
    const moved = await awaitEvidence(context, async () => {
      const offsetMs = await offsetOf(node);
      return Math.abs(offsetMs - byMs) < CLOSE_MS ? offsetMs : null;
    });
    const evidence = { server: node.address, aheadBeforeMs: before, aheadMs: moved };
    return moved === null
      ? ineffective('its TIME is not what it was moved to', evidence)
      : effective(evidence);
  },
});

/** TIME of a server minus ours, ms. @throws SyncError CONNECT. */
async function offsetOf(node: FaultNode): Promise<number> {
  await using connection = await openNode(node, 1000);
  const askedMs = Date.now();
  const time = await connection.call('TIME');
  const nowMs = (askedMs + Date.now()) / 2;
  if (!Array.isArray(time)) throw new SyncError('PROTOCOL', 'TIME was not answered with a time.');
  return Math.round(Number(textOf(time[0])) * 1000 + Number(textOf(time[1])) / 1000 - nowMs);
}

/** @throws SyncError CONNECT, to be tried again, while it is not. One that does not answer is right when it comes back. */
async function awaitRight(node: FaultNode): Promise<void> {
  const offsetMs = await offsetOf(node).catch(() => 0);
  if (Math.abs(offsetMs) < CLOSE_MS) return;
  throw new SyncError('CONNECT', `Its clock is still ${offsetMs} ms off.`, {
    where: node.address,
    retryable: true,
  });
}
