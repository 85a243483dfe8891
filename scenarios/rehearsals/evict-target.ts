/** The target runs out of memory and evicts keys that have an expiry. */
import { ANY_DIFFERENCE, type Scenario } from './scenario.ts';

export const evictTarget: Scenario = {
  name: 'evict-target',
  summary: 'The target runs out of memory and evicts keys that have an expiry.',
  row: 'evict.destination',
  statements: ['S0-11'],
  variants: [
    {
      name: 'default',
      expects:
        'Every write is answered with OK while keys vanish; it is said, and the missing keys are explained by it.',
      rehearse: ({ target, isCircle }) =>
        isCircle
          ? { unfit: 'the target is a source too: what it evicts is deleted everywhere' }
          : {
              change: {
                datasets: { keys: 4000, ttl: { share: '50%', between: ['10m', '1h'] } },
                timeline: [{ fault: 'target-evict', where: target, when: 'incremental', for: '1500ms' }],
              },
              outcome: {
                verdict: ['fail'],
                link: 'in-sync',
                findings: ['EVICTION', 'MISSING_KEY'],
                differences: ['MISSING_KEY'],
                mayDiffer: ANY_DIFFERENCE,
              },
            },
    },
  ],
};
