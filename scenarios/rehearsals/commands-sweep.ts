/** Commands of every family are run at the source. */
import { survives, type Scenario } from './scenario.ts';

export const commandsSweep: Scenario = {
  name: 'commands-sweep',
  summary: 'Commands of every family are run at the source.',
  row: 'commands.sweep',
  statements: ['S0-26', 'S1-24'],
  variants: [
    {
      name: 'default',
      expects: 'All of them arrive with the same effect.',
      rehearse: ({ source }) => ({
        change: {
          // Every command, whatever the spec's clients use.
          writers: { rate: '1500/s', mix: null },
          incremental: '3s',
          timeline: [{ fault: 'script', where: source, when: 'incremental', with: { commands: ['PING'] } }],
        },
        outcome: survives(),
      }),
    },
  ],
};
