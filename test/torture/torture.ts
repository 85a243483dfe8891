/** Kills the engine at random instants of its life, again and again, each time on what the one before left. */
import { Random } from '../../scenarios/data/random.ts';
import { planKills, type PlannedKill } from './schedule.ts';
import { runSession, type Session, type SessionOptions, type SessionResult } from './session.ts';

export interface TortureOptions extends SessionOptions {
  /** At least so many kills, and so many cut connections. */
  kills: number;
  cuts: number;
  /** Go on for at least so long. */
  minutes: number;
}

export const DEFAULT_TORTURE = {
  minutes: 0,
  keys: 6000,
  commandsPerSecond: 3000,
  keySaveDelayUs: 20,
  nuisanceEveryMs: 700,
};

const KILLS_MAX = 100_000;
const TELL_EVERY = 20;
const CUTS_POLL_MS = 50;
const LONGEST_WAIT_MS = { starting: 60, stream: 900 };

/** @returns what was found; damage is a result. @throws when the torture could not be set up. */
export function torture(options: TortureOptions): Promise<SessionResult> {
  const { kills, cuts, minutes, seed } = options;
  const isEnough = (session: Session): boolean =>
    session.lives.killed >= kills && session.elapsedMs >= minutes * 60_000;
  const act = async (session: Session): Promise<void> => {
    let told = 0;
    for (const planned of planKills(new Random(seed, 'kills'), KILLS_MAX)) {
      if (session.over || isEnough(session)) break;
      await killOnce(session, planned);
      if (session.lives.killed < told + TELL_EVERY) continue;
      told = session.lives.killed;
      tellProgress(session);
    }
    while (!session.over && session.cuts < cuts) await pause(CUTS_POLL_MS);
  };
  return runSession(options, { act });
}

function tellProgress(session: Session): void {
  const { lives, cuts, history } = session;
  session.say(`${lives.killed} kills, ${cuts} cuts, ${history.problemCount} problems`);
}

async function killOnce(session: Session, planned: PlannedKill): Promise<void> {
  const { phase, ending, thawAfterMs, place, restartAfterMs, forceFullSync } = planned;
  if (phase === 'stream') await session.reach('stream');
  if (phase === 'full sync') {
    // Without force it is the one that the last kill broke off; unless its snapshot was complete already.
    if (!forceFullSync) await session.reach('full sync', 'stream');
    if (forceFullSync || session.lives.life.phase === 'stream') await session.forceFullSync();
    await session.reach('full sync');
  }
  await pause(place * (phase === 'full sync' ? session.snapshotMs : LONGEST_WAIT_MS[phase]));
  if (ending === 'overtake') return session.lives.overtake(thawAfterMs);
  await (ending === 'stop' ? session.lives.stop() : session.lives.kill());
  await pause(restartAfterMs);
  await session.lives.begin();
}

function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}
