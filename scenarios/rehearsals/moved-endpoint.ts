/** One side of the link moves to another address: the same rehearsal, whichever side it is. */
import { survives, type ScenarioVariant } from './scenario.ts';

/** Fits where one server's address is what is known of that side. */
export function moveEndpointOf(side: 'source' | 'target'): ScenarioVariant['rehearse'] {
  return (subject) => {
    const kind = side === 'source' ? subject.sourceKind : subject.targetKind;
    if (kind === 'cluster' || kind === 'sentinel')
      return { unfit: `of a ${kind}, it is not the address of one server that is known` };
    return {
      change: {
        [side]: { replicas: 1 },
        // Clients lose a second or two: every kind of write must have worked all the same.
        incremental: '4s',
        timeline: [{ fault: 'endpoint-move', where: subject[side], when: 'incremental' }],
      },
      outcome: survives('ENDPOINT_CHANGED'),
    };
  };
}
