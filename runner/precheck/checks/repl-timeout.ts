/** repl.timeout: the source does not drop us while we are busy with a long snapshot. */
import type { Precheck } from '../precheck.ts';

const COMFORTABLE_SECONDS = 600;
const SHORTEST_SECONDS = 60;

export const replTimeout: Precheck = {
  id: 'repl.timeout',
  about: 'source',
  expected: `repl-timeout ≥ ${COMFORTABLE_SECONDS} s`,
  async measure({ source }) {
    const seconds = Number(await source.config('repl-timeout'));
    const measured = `CONFIG GET repl-timeout → ${seconds}`;
    if (seconds >= COMFORTABLE_SECONDS) return { verdict: 'PASS', measured };
    const repair = `CONFIG SET repl-timeout ${COMFORTABLE_SECONDS} on the source while synchronizing.`;
    // On a server of this run the spec has chosen the value: a rehearsal of exactly this must be possible.
    const blocks = seconds < SHORTEST_SECONDS && !source.provisioned;
    return { verdict: blocks ? 'FAIL' : 'WARN', measured, repair };
  },
};
