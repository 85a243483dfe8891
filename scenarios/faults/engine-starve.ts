/** The engine gets only a share of its time: it is stopped and let go, again and again, as on a machine that others keep busy. */
import type { Clock } from '../timeline/clock.ts';
import { aimedLink } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { countOf } from './parameters.ts';

const PERIOD_MS = 100;
/** So many times it was stopped: then it is starved. */
const STOPS_MIN = 5;

export const engineStarve = defineFault({
  name: 'engine-starve',
  summary: 'The process of a link gets only a share of its time (SIGSTOP and SIGCONT, ten times a second).',
  requires: ['engine'],
  aims: 'link',
  properties: { percent: countOf('How much of its time it gets.', 10, 1) },
  dataLoss: 'none',
  reversible: true,
  async inject({ context, given, onHeal }) {
    const { engine } = aimedLink(context);
    const { pid } = engine;
    if (pid === undefined) return ineffective('the process is not there');
    const runMs = Math.min(PERIOD_MS, (PERIOD_MS * given.count('percent', 10)) / 100);
    const healed = new AbortController();
    let stops = 0;
    const starve = async (): Promise<void> => {
      while (!healed.signal.aborted && engine.pid === pid) {
        await engine.pause();
        stops++;
        await wait(context.clock, PERIOD_MS - runMs);
        engine.resume();
        await wait(context.clock, runMs);
      }
    };
    let starving: Promise<void> | undefined;
    onHeal(async () => {
      healed.abort();
      // Killed meanwhile: then there is nobody left to be let go.
      await starving?.catch(() => undefined);
      if (engine.pid === pid) engine.resume();
    });
    starving = starve();
    const isStarved = await awaitEvidence(context, () => Promise.resolve(stops >= STOPS_MIN ? true : null));
    return isStarved === null
      ? ineffective('the process could not be stopped', { pid, stops })
      : effective({ pid, runMs, periodMs: PERIOD_MS });
  },
});

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.schedule(ms, resolve));
}
