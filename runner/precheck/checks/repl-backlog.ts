/** repl.backlog: an interruption of a minute can be made up for from the backlog, without a second full sync. */
import type { Precheck } from '../precheck.ts';
import { measureWriteRate } from '../write-rate.ts';

const COMFORTABLE_SECONDS = 60;
/** Shorter than a reconnect may take: the default size under load leads from one full sync into the next. */
const HOPELESS_SECONDS = 10;
const DEFAULT_BYTES = 1024 * 1024;

export const replBacklog: Precheck = {
  id: 'repl.backlog',
  about: 'source',
  expected: `repl-backlog-size holds ${COMFORTABLE_SECONDS} s of writes`,
  async measure({ source }) {
    const sizeBytes = Number(await source.config('repl-backlog-size'));
    const { bytesPerSecond, upperBound, how } = await measureWriteRate(source);
    const seconds = bytesPerSecond === 0 ? Infinity : sizeBytes / bytesPerSecond;
    const holds =
      seconds === Infinity ? 'no writes right now' : `holds ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    const measured = `CONFIG GET repl-backlog-size → ${sizeBytes}; ${how}: ${holds}`;
    if (seconds >= COMFORTABLE_SECONDS) return { verdict: 'PASS', measured };
    const wantedBytes = Math.ceil((bytesPerSecond * COMFORTABLE_SECONDS) / DEFAULT_BYTES);
    const blocks =
      sizeBytes <= DEFAULT_BYTES && seconds < HOPELESS_SECONDS && !upperBound && !source.provisioned;
    return {
      verdict: blocks ? 'FAIL' : 'WARN',
      measured,
      repair: `CONFIG SET repl-backlog-size ${wantedBytes}mb on the source.`,
    };
  },
};
