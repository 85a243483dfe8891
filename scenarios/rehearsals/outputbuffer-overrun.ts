/** The engine stands still until the source throws it out. */
import { copiedAgain, type Scenario } from './scenario.ts';

export const outputbufferOverrun: Scenario = {
  name: 'outputbuffer-overrun',
  summary: 'The engine stands still until the source throws it out.',
  row: 'outputbuffer.overrun',
  statements: ['S1-10'],
  variants: [
    {
      name: 'default',
      expects:
        'The link comes back and copies everything once. In a circle the link stops: a snapshot does not tell whose value is newer. A target that other links fill too keeps what was deleted.',
      rehearse: (subject) => ({
        change: {
          source: { config: { 'repl-backlog-size': '16kb' } },
          timeline: [
            { fault: 'output-buffer-overflow', where: subject.source, when: 'incremental', for: '100ms' },
          ],
        },
        outcome: copiedAgain(subject),
      }),
    },
  ],
};
