/** The account of the link may not replicate any more, and its connection is cut. */
import { survives, type Scenario } from './scenario.ts';

export const aclRevokeSource: Scenario = {
  name: 'acl-revoke-source',
  summary: 'The account of the link may not replicate any more, and its connection is cut.',
  row: 'acl.revoke',
  statements: ['S0-31'],
  variants: [
    {
      name: 'default',
      expects: 'The next connection is refused, with the reason; the link tries again until it may.',
      rehearse: ({ source }) => ({
        change: {
          timeline: [
            {
              fault: 'acl-revoke',
              where: source,
              when: 'incremental',
              with: { rules: ['-psync'], cut: true },
              for: '1s',
            },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
