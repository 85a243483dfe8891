/** Names that change where they lead, and addresses in messages. The DNS server is the test's own lookup function. */
import type { LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { dial } from '../../../engine/connect/dial.ts';
import { freePort, startServer } from '../../support/server.ts';

/** Answers with the next address at every question, and the last one from then on. */
function names(...addresses: string[]): LookupFunction {
  let asked = 0;
  return (_host, options, answer) => {
    const address = addresses[Math.min(asked++, addresses.length - 1)] ?? '';
    if (options.all === true) answer(null, [{ address, family: 4 }]);
    else answer(null, address, 4);
  };
}

test('a name is resolved at every attempt: what leads to a dead address now leads to a living one next', async () => {
  await using server = await startServer({ bind: '127.0.0.1 127.0.0.3' });
  const lookup = names('127.0.0.2', '127.0.0.3');
  const endpoint = { host: 'redis.example', port: server.port };
  const first = dial(endpoint, { timeoutMs: 2000, lookup });
  await expect(first).rejects.toMatchObject({ code: 'CONNECT', where: `redis.example:${server.port}` });
  await expect(first).rejects.toThrow('127.0.0.2');
  const socket = await dial(endpoint, { timeoutMs: 2000, lookup });
  expect(socket.remoteAddress).toBe('127.0.0.3');
  socket.destroy();
});

const twoAddresses: LookupFunction = (_host, _options, answer) =>
  answer(null, [
    { address: '127.0.0.2', family: 4 },
    { address: '127.0.0.3', family: 4 },
  ]);

test('a name with several addresses, none of which answers: each is named with its reason', async () => {
  const endpoint = { host: 'redis.example', port: await freePort() };
  const failed = dial(endpoint, { timeoutMs: 2000, lookup: twoAddresses });
  await expect(failed).rejects.toThrow(/ECONNREFUSED 127\.0\.0\.2.*ECONNREFUSED 127\.0\.0\.3/);
  await expect(failed).rejects.toMatchObject({ hint: expect.stringContaining('Nothing listens') });
});

const noSuchName: LookupFunction = (_host, _options, answer) =>
  answer(Object.assign(new Error('getaddrinfo ENOTFOUND redis.example'), { code: 'ENOTFOUND' }), '', 0);

test('a name that does not resolve', async () => {
  const failed = dial({ host: 'redis.example', port: 6379 }, { timeoutMs: 2000, lookup: noSuchName });
  await expect(failed).rejects.toMatchObject({
    code: 'CONNECT',
    retryable: true,
    hint: expect.stringContaining('does not resolve'),
  });
});
