/** The engine stands still until the source throws it out. */
import { survives, type Scenario } from './scenario.ts';

export const outputbufferOverrun: Scenario = {
  name: 'outputbuffer-overrun',
  summary: 'The engine stands still until the source throws it out.',
  row: 'outputbuffer.overrun',
  statements: ['S1-10'],
  variants: [
    {
      name: 'default',
      expects: 'The link comes back and copies everything once.',
      rehearse: ({ source }) => ({
        change: {
          source: { config: { 'repl-backlog-size': '16kb' } },
          timeline: [{ fault: 'output-buffer-overflow', where: source, when: 'incremental', for: '100ms' }],
        },
        outcome: survives('FULL_RESYNC'),
      }),
    },
  ],
};
