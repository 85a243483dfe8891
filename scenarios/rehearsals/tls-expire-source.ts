/** The certificate of the source has run out, and its connections are cut. */
import { expireCertificateOf } from './expired-certificate.ts';
import type { Scenario } from './scenario.ts';

export const tlsExpireSource: Scenario = {
  name: 'tls-expire-source',
  summary: 'The certificate of the source has run out, and its connections are cut.',
  row: 'tls.expired',
  statements: ['S1-36', 'S2-29'],
  variants: [
    {
      name: 'default',
      expects:
        'The link refuses to go on with such a server and says why; with the new certificate it continues where it was.',
      rehearse: expireCertificateOf('source'),
    },
  ],
};
