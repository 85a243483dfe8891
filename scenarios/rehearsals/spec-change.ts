/** The memory limit of the target changes under the running link. */
import { survives, type Scenario } from './scenario.ts';

export const specChange: Scenario = {
  name: 'spec-change',
  summary: 'The memory limit of the target changes under the running link.',
  row: 'spec.change',
  statements: ['S0-16', 'S2-15'],
  variants: [
    {
      name: 'default',
      expects: 'The link goes on, and the change is found.',
      rehearse: ({ target }) => ({
        change: {
          timeline: [
            {
              fault: 'config-set',
              where: target,
              when: 'incremental',
              with: { directives: { maxmemory: '2147483648' } },
              for: '1500ms',
            },
          ],
        },
        outcome: survives('CONFIG_DRIFT'),
      }),
    },
  ],
};
