/** What both rehearsals of a certificate that runs out have in common. */
import { survives, type Rehearsal, type ScenarioSubject } from './scenario.ts';

/** The certificate of one side of the link runs out for a second. */
export function expireCertificateOf(
  side: 'source' | 'target',
): (subject: ScenarioSubject) => Rehearsal | { unfit: string } {
  return (subject) => {
    if (!subject.ownTls.includes(subject[side]))
      return { unfit: `the ${side} has no certificate of ours (tls: true)` };
    return {
      change: {
        timeline: [{ fault: 'tls-expire', where: subject[side], when: 'incremental', for: '1s' }],
        expect: [{ finding: 'FULL_RESYNC', count: 0 }],
      },
      outcome: survives(),
    };
  };
}
