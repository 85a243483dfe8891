import { expect, test } from 'vitest';
import { explainStartFailure } from '../../../runner/provision/start-failure.ts';

test('a directive the server does not know', () => {
  const log = `
*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***
Reading the configuration file, at line 9
>>> 'maxmemry 256mb'
Bad directive or wrong number of arguments
`;
  expect(explainStartFailure(log)).toEqual({
    kind: 'bad-config',
    directive: 'maxmemry 256mb',
    line: 'Bad directive or wrong number of arguments',
  });
});

test('a port somebody else has', () => {
  const log = `7737:C 20 Nov 2026 08:48:23.616 # Configuration loaded
7737:M 20 Nov 2026 08:48:23.616 # Warning: Could not create server TCP listening socket 127.0.0.1:6379: bind: Address already in use
7737:M 20 Nov 2026 08:48:23.616 # Failed listening on port 6379 (TCP), aborting.
`;
  expect(explainStartFailure(log)).toEqual({
    kind: 'port-in-use',
    line: 'Warning: Could not create server TCP listening socket 127.0.0.1:6379: bind: Address already in use',
  });
});

test('anything else: the last line that complains, without its prefix', () => {
  const log = `7737:M 20 Nov 2026 08:48:23.616 # No tls-cert-file configured!
7737:M 20 Nov 2026 08:48:23.616 # Failed to configure TLS. Check logs for more info.
`;
  expect(explainStartFailure(log)).toEqual({
    kind: 'other',
    line: 'Failed to configure TLS. Check logs for more info.',
  });
});

test('a log without a word', () => {
  expect(explainStartFailure('')).toEqual({ kind: 'other', line: '' });
});
