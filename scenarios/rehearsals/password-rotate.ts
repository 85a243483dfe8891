/** The password of the target changes, and all connections are cut. */
import { survives, type Scenario } from './scenario.ts';

export const passwordRotate: Scenario = {
  name: 'password-rotate',
  summary: 'The password of the target changes, and all connections are cut.',
  row: 'password.rotate',
  statements: ['S0-40'],
  variants: [
    {
      name: 'default',
      expects: 'The link is refused with the old one, says so, and tries again until it is right.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'password-rotate', where: target, when: 'incremental', for: '1s' }] },
        outcome: survives(),
      }),
    },
  ],
};
