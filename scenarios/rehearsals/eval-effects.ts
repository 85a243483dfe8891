/** Scripts run at the source: with a key they did not declare, with an error after a write, and by their hash. */
import { createHash } from 'node:crypto';
import { survives, type Scenario } from './scenario.ts';

const UNDECLARED = "redis.call('SET', KEYS[1], '1') redis.call('SET', ARGV[1], '2') return 1";
const FAILING = "redis.call('RPUSH', KEYS[1], 'written') return redis.call('INCR', KEYS[1])";

export const evalEffects: Scenario = {
  name: 'eval-effects',
  summary:
    'Scripts run at the source: with a key they did not declare, with an error after a write, and by a hash that the target has forgotten.',
  row: 'eval.noscript / eval.undeclared-key / eval.error',
  statements: ['S0-29'],
  variants: [
    {
      name: 'default',
      expects:
        'What they did comes, not the scripts: no NOSCRIPT, no lost key, and what was written before an error.',
      rehearse: ({ sourceNode, target, keyPrefix }) => {
        const key = (name: string): string => `${keyPrefix}eval:${name}`;
        const hash = createHash('sha1').update(UNDECLARED).digest('hex');
        const called = ['1', key('a'), key('undeclared')];
        return {
          change: {
            timeline: [
              {
                id: 'first',
                fault: 'script',
                where: sourceNode,
                when: 'incremental',
                // An error inside a transaction does not end it.
                with: {
                  commands: [
                    ['EVAL', UNDECLARED, ...called],
                    ['MULTI'],
                    ['EVAL', FAILING, '1', key('b')],
                    ['EXEC'],
                  ],
                },
              },
              {
                id: 'forget',
                fault: 'script',
                where: target,
                after: 'first',
                with: { commands: ['SCRIPT FLUSH'] },
              },
              {
                id: 'again',
                fault: 'script',
                where: sourceNode,
                after: 'forget',
                with: { commands: [['EVALSHA', hash, ...called]] },
              },
            ],
          },
          outcome: survives(),
        };
      },
    },
  ],
};
