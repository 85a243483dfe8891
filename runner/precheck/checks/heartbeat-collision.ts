/** heartbeat.collision: no key of the user's begins with the heartbeat prefix; such keys would not be replicated. */
import { textOf } from '../../../engine/resp/reply-text.ts';
import type { Precheck } from '../precheck.ts';
import { Unmeasured, type Side } from '../side.ts';

/** A full scan of a huge source is not worth this question. */
const PAGES = 50;
const PAGE_KEYS = '2000';

export const heartbeatCollision: Precheck = {
  id: 'heartbeat.collision',
  about: 'source',
  expected: 'no key begins with the heartbeat prefix',
  async measure({ source }, { heartbeatPrefix }) {
    const { keys, complete } = await scanPrefix(source, heartbeatPrefix);
    const [first] = keys;
    const how = `SCAN MATCH ${heartbeatPrefix}* in db0${complete ? '' : `, the first ${PAGES * Number(PAGE_KEYS)} keys`}`;
    if (first === undefined) return { verdict: 'PASS', measured: `${how} → nothing` };
    // A heartbeat always expires by itself; a key that does not is somebody's data.
    const ttls = await source.send(keys.map((key) => ['PTTL', key]));
    const lasting = keys.filter((_, index) => ttls[index] === -1);
    if (lasting.length > 0) {
      return {
        verdict: 'FAIL',
        measured: `${how} → ${lasting.length} keys without expiry, ${JSON.stringify(lasting[0])}`,
        repair:
          'These keys would never reach the target: set another `heartbeatPrefix` under `engine` in the spec.',
      };
    }
    return {
      verdict: 'WARN',
      measured: `${how} → ${JSON.stringify(first)}`,
      repair: 'Another synchronization reads this source right now, or has just ended.',
    };
  },
};

async function scanPrefix(source: Side, prefix: string): Promise<{ keys: string[]; complete: boolean }> {
  const keys: string[] = [];
  let cursor = '0';
  for (let page = 0; page < PAGES; page++) {
    const [reply = null] = await source.send([
      ['SCAN', cursor, 'MATCH', `${escapeGlob(prefix)}*`, 'COUNT', PAGE_KEYS],
    ]);
    if (!Array.isArray(reply)) throw new Unmeasured(`SCAN → ${textOf(reply)}`);
    const [next = null, found = null] = reply;
    if (Array.isArray(found)) keys.push(...found.map(textOf));
    cursor = textOf(next);
    if (cursor === '0') return { keys, complete: true };
  }
  return { keys, complete: false };
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]^]/g, String.raw`\$&`);
}
