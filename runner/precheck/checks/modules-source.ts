/** modules.source: no values of loaded modules; their bytes mean something only to the module, and are left out. */
import { ReplyError } from '../../../engine/resp/reply.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import type { Precheck } from '../precheck.ts';
import type { Side } from '../side.ts';

const CORE_TYPES = new Set(['string', 'list', 'set', 'zset', 'hash', 'stream', 'none']);
const SAMPLE_KEYS = 200;

export const modulesSource: Precheck = {
  id: 'modules.source',
  about: 'source',
  expected: 'no module types in use',
  async measure({ source }) {
    const reply = await source.ask('MODULE', 'LIST');
    // Before 4.0 there are no modules.
    if (reply instanceof ReplyError && /unknown command/i.test(reply.message)) {
      return { verdict: 'PASS', measured: `MODULE LIST → ${reply.message}` };
    }
    const modules = await source.need('MODULE', 'LIST');
    if (!Array.isArray(modules) || modules.length === 0)
      return { verdict: 'PASS', measured: 'MODULE LIST → none' };
    const names = modules
      .map((entry) => (Array.isArray(entry) ? textOf(entry[1]) : textOf(entry)))
      .join(', ');
    const foreign = await findModuleType(source);
    if (foreign !== undefined) {
      return {
        verdict: 'FAIL',
        measured: `MODULE LIST → ${names}; TYPE of a sampled key → ${foreign}`,
        repair:
          'Values of module types cannot be replicated: move them by another way, or remove them from the source.',
      };
    }
    return {
      verdict: 'WARN',
      measured: `MODULE LIST → ${names}; none of its types among ${SAMPLE_KEYS} random keys`,
      repair: 'Make sure that no key has a type of these modules; such keys are left out, with a finding.',
    };
  },
};

async function findModuleType(source: Side): Promise<string | undefined> {
  const keys = await source.send(Array.from({ length: SAMPLE_KEYS }, () => ['RANDOMKEY']));
  const present = keys.filter((key) => Buffer.isBuffer(key));
  const types = await source.send(present.map((key) => ['TYPE', key]));
  return types.map(textOf).find((type) => !CORE_TYPES.has(type));
}
