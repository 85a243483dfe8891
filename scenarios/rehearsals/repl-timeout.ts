/** The source waits only briefly for acknowledgements, and the engine stands still for longer. */
import { survives, type Scenario } from './scenario.ts';

export const replTimeout: Scenario = {
  name: 'repl-timeout',
  summary: 'The source waits only briefly for acknowledgements, and the engine stands still for longer.',
  row: 'repl.timeout',
  statements: ['S1-5'],
  variants: [
    {
      name: 'default',
      expects: 'The source drops it; it comes back and continues.',
      rehearse: ({ source }) => ({
        change: { timeline: [{ fault: 'repl-timeout', where: source, when: 'incremental', for: '100ms' }] },
        outcome: survives(),
      }),
    },
  ],
};
