/** conn.source, conn.destination: the address answers, and quickly. */
import { textOf } from '../../../engine/resp/reply-text.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';
import type { Outcome, Precheck } from '../precheck.ts';
import type { Side } from '../side.ts';

/** Beyond it, an apply that waits for replies is bound by the network. */
const ROUND_TRIP_LIMIT_MS = 50;
const PINGS = 3;
const EXPECTED = `PING is answered within ${ROUND_TRIP_LIMIT_MS} ms`;

export const connSource: Precheck = {
  id: 'conn.source',
  about: 'source',
  expected: EXPECTED,
  measure: ({ source }) => measure(source),
};

export const connDestination: Precheck = {
  id: 'conn.destination',
  about: 'destination',
  expected: EXPECTED,
  measure: ({ target }) => measure(target),
};

async function measure(side: Side): Promise<Outcome> {
  if (side.failure?.code === 'AUTH')
    return { verdict: 'PASS', measured: `connected; ${side.failure.message}` };
  if (side.failure) {
    return {
      verdict: 'FAIL',
      measured: side.failure.message,
      repair: side.failure.hint ?? 'Check the address, the network and the allow-list of the server.',
    };
  }
  let bestMs = Infinity;
  for (let count = 0; count < PINGS; count++) {
    const startedMs = performance.now();
    const [reply = null] = await side.send([['PING']]);
    bestMs = Math.min(bestMs, performance.now() - startedMs);
    // NOAUTH and NOPERM are answers too; who we are is another row's question.
    if (reply instanceof ReplyError && !['NOAUTH', 'NOPERM'].includes(reply.kind)) {
      return {
        verdict: 'FAIL',
        measured: `PING → ${reply.message}`,
        repair: 'Wait until the server serves clients, or use another node.',
      };
    }
    if (count === PINGS - 1) return judge(bestMs, textOf(reply));
  }
  return { verdict: 'UNKNOWN', measured: 'no PING was sent' };
}

function judge(bestMs: number, reply: string): Outcome {
  const measured = `PING → ${reply} in ${bestMs.toFixed(1)} ms`;
  if (bestMs <= ROUND_TRIP_LIMIT_MS) return { verdict: 'PASS', measured };
  return {
    verdict: 'WARN',
    measured,
    repair: 'Run redis-sync nearer to this server: every batch waits for a round trip.',
  };
}
