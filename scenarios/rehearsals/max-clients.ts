/** The source takes no more connections, and the link is cut. */
import { survives, type Scenario } from './scenario.ts';

export const maxClients: Scenario = {
  name: 'max-clients',
  summary: 'The source takes no more connections, and the link is cut.',
  row: 'net.cut',
  statements: ['S2-28a'],
  variants: [
    {
      name: 'default',
      expects: 'The link tries again until it is let in.',
      rehearse: ({ source }) => ({
        change: { timeline: [{ fault: 'max-clients', where: source, when: 'incremental', for: '700ms' }] },
        outcome: survives(),
      }),
    },
  ],
};
