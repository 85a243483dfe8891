/** The account of the link may not write to the target any more. */
import { survives, type Scenario } from './scenario.ts';

export const aclRevokeTarget: Scenario = {
  name: 'acl-revoke-target',
  summary: 'The account of the link may not write to the target any more.',
  row: 'acl.revoke',
  statements: ['S0-32'],
  variants: [
    {
      name: 'default',
      expects: 'The link waits and says what it was refused; nothing is skipped.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'acl-revoke', where: target, when: 'incremental', for: '1s' }] },
        outcome: survives(),
      }),
    },
  ],
};
