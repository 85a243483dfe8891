/** Whatever answers where a source should: a typed error, soon, with little kept; or an answer that means something. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SyncError } from '../../../engine/errors.ts';
import { openReplicaSession } from '../../../engine/psync/handshake.ts';
import { CommandFramer } from '../../../engine/resp/command-framer.ts';

const CODES = ['CONNECT', 'AUTH', 'PERMISSION', 'PSYNC_REFUSED', 'PROTOCOL'];
/** Half an answer is waited for so long. */
const SILENCE_MS = 50;
const REPLID = 'a'.repeat(40);

/** Answers each command of a connection with the next of these, then closes. */
let answers: readonly Buffer[] = [];
let server: Server;
beforeAll(async () => {
  server = createServer((socket) => {
    const script = [...answers];
    const framer = new CommandFramer(() => {
      const next = script.shift();
      if (next !== undefined) socket.write(next);
      if (script.length === 0) socket.end();
    });
    socket.on('data', (chunk: Buffer) => framer.push(chunk));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

function port(): number {
  const address = server.address();
  const isPort = (value: typeof address): value is AddressInfo => typeof value === 'object' && value !== null;
  return isPort(address) ? address.port : 0;
}

async function shakeHands(script: readonly Buffer[], login: boolean, continuing: boolean): Promise<string> {
  answers = script;
  const endpoint = {
    host: '127.0.0.1',
    port: port(),
    ...(login ? { username: 'u', password: 'secret' } : {}),
  };
  const position = continuing ? { replid: REPLID, offset: 5n } : null;
  try {
    const session = await openReplicaSession(endpoint, position, {
      connectTimeoutMs: 5000,
      idleTimeoutMs: SILENCE_MS,
    });
    session.socket.destroy();
    const { answer } = session;
    const isSound = answer.kind === 'full' ? answer.offset >= 0n : continuing;
    return isSound ? 'answered' : 'unsound';
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return error.message.includes('secret') ? 'told the password' : error.code;
  }
}

const line = fc.oneof(
  fc.constantFrom(
    '+OK',
    '-ERR unknown',
    '-NOAUTH x',
    '-NOPERM x',
    '-LOADING',
    '+CONTINUE',
    `+CONTINUE ${REPLID}`,
    '+PONG',
    ':1',
    '$5',
    '*0',
    '',
  ),
  fc.constantFrom(
    `+FULLRESYNC ${REPLID} 10`,
    '+FULLRESYNC',
    `+FULLRESYNC ${REPLID}`,
    `+FULLRESYNC ${REPLID} -1`,
    `+FULLRESYNC ${REPLID} 1e9`,
  ),
  fc
    .tuple(
      fc.constantFrom('+FULLRESYNC ', '+CONTINUE ', '+', '-', ' ', '\n\n+'),
      fc.string({ maxLength: 60 }),
    )
    .map(([head, tail]) => head + tail),
);
const answer = fc.oneof(
  { weight: 4, arbitrary: line.map((text) => Buffer.from(`${text}\r\n`, 'latin1')) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((each) => Buffer.from(each)) },
  { weight: 1, arbitrary: line.map((text) => Buffer.from(`${text}\r`, 'latin1')) },
);

test('garbage in every place of the handshake', async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.boolean(),
      async (script, login, continuing) => {
        expect([...CODES, 'answered']).toContain(await shakeHands(script, login, continuing));
      },
    ),
    { seed: 20_240_613, numRuns: 400 },
  );
});

test.each([
  ['bytes without a line', Buffer.alloc(4 * 1024 * 1024, 120)],
  [
    'a line that does not end',
    Buffer.concat([Buffer.from('+FULLRESYNC '), Buffer.alloc(4 * 1024 * 1024, 97)]),
  ],
])('%s, without end: given up after a few kilobytes', async (_what, flood) => {
  const before = process.memoryUsage().arrayBuffers;
  expect(await shakeHands([flood, flood], false, false)).toBe('PROTOCOL');
  // What the socket had read ahead, not the flood.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
});
