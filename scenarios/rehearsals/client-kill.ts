/** The source closes the connection of the link, the target closes all of its clients. */
import { survives, type Scenario } from './scenario.ts';

export const clientKill: Scenario = {
  name: 'client-kill',
  summary: 'The source closes the connection of the link, the target closes all of its clients.',
  row: 'client.kill',
  statements: ['S2-28a'],
  variants: [
    {
      name: 'default',
      expects: 'Both are back at once, without a full copy.',
      rehearse: ({ source, target }) => ({
        change: {
          timeline: [
            { id: 'source', fault: 'connection-kill', where: source, when: 'incremental' },
            {
              id: 'target',
              fault: 'connection-kill',
              where: target,
              after: 'source',
              delay: '300ms',
              with: { type: 'normal' },
            },
          ],
          expect: [{ finding: 'FULL_RESYNC', count: 0 }],
        },
        outcome: survives(),
      }),
    },
  ],
};
