/** The password of the target changes, and all connections are cut. */
import { ANY_DIFFERENCE, stops, survives, type Scenario } from './scenario.ts';

export const passwordRotate: Scenario = {
  name: 'password-rotate',
  summary: 'The password of the target changes, and all connections are cut.',
  row: 'password.rotate',
  statements: ['S0-40'],
  variants: [
    {
      name: 'default',
      expects:
        'The link is refused with the old one, says so, and tries again until it is right. A link that reads from it stops: its password comes from no file.',
      rehearse: ({ target, isTargetSource }) => ({
        change: { timeline: [{ fault: 'password-rotate', where: target, when: 'incremental', for: '1s' }] },
        // A link that reads it cannot learn another password unless it is in a file, and stops.
        outcome: isTargetSource ? { ...stops(), mayDiffer: ANY_DIFFERENCE } : survives(),
      }),
    },
  ],
};
