/** The certificate of the target has run out, and its connections are cut. */
import { expireCertificateOf } from './expired-certificate.ts';
import type { Scenario } from './scenario.ts';

export const tlsExpireTarget: Scenario = {
  name: 'tls-expire-target',
  summary: 'The certificate of the target has run out, and its connections are cut.',
  row: 'tls.expired',
  statements: ['S1-36', 'S2-29'],
  variants: [
    {
      name: 'default',
      expects: 'The link waits, says why, and nothing is skipped; with the new certificate it writes on.',
      rehearse: expireCertificateOf('target'),
    },
  ],
};
