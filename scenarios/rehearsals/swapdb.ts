/** Two databases of the source change places. */
import { ANY_DIFFERENCE, stops, survives, type Scenario } from './scenario.ts';

const DATA = [
  { database: 0, keys: 200 },
  { database: 1, keys: 100 },
];

export const swapdb: Scenario = {
  name: 'swapdb',
  summary: 'Two databases of the source change places.',
  row: 'swapdb',
  statements: ['S0-27'],
  variants: [
    {
      name: 'default',
      expects: 'They change places at the target too.',
      rehearse: ({ source, isTargetShared, isCircle }) =>
        isTargetShared || isCircle
          ? { unfit: 'the target has data that is not of this link, which SWAPDB must not reach' }
          : {
              change: {
                data: DATA,
                // Elsewhere: what a client had written would be in the other database.
                writers: { databases: [2] },
                timeline: [{ fault: 'swapdb', where: source, when: 'incremental' }],
              },
              outcome: survives(),
            },
    },
    {
      name: 'fail',
      expects: 'The link stops at the command.',
      rehearse: ({ source }) => ({
        change: {
          data: DATA,
          engine: { swapdb: 'fail' },
          timeline: [{ fault: 'swapdb', where: source, when: 'incremental' }],
        },
        outcome: { ...stops('UNSUPPORTED_COMMAND'), mayDiffer: ANY_DIFFERENCE },
      }),
    },
  ],
};
