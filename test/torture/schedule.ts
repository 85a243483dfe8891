/** What will be done to a link, drawn from a seed before or while it happens. Pure. */
import type { Random } from '../../scenarios/data/random.ts';
import type { Cut } from '../support/cutting-proxy.ts';

/** What the engine is doing when it is killed. */
export const PHASES = ['starting', 'full sync', 'stream'] as const;
export type Phase = (typeof PHASES)[number];

/**
 * How a life ends: SIGKILL; told to stop; or frozen, replaced, and thawed later, as happens to a process whose machine was
 * paused: it does not know that it is late.
 */
export type Ending = 'kill' | 'stop' | 'overtake';

export interface PlannedKill {
  phase: Phase;
  ending: Ending;
  /** Of an overtaken life: from the start of its successor until it runs again. */
  thawAfterMs: number;
  /** Where in the phase: a share of a snapshot's duration (it may pass 1), or of the longest wait in the others. */
  place: number;
  /** Time until the next process starts. */
  restartAfterMs: number;
  /** The source changes its replication history first, so that a full sync over existing data follows. */
  forceFullSync: boolean;
}

const RESTART_AFTER_MS_MAX = 120;
const THAW_AFTER_MS_MAX = 2500;

/** Turn after turn; see `TURN`. */
export function planKills(random: Random, count: number): PlannedKill[] {
  return Array.from({ length: count }, (_, index) => planKill(random, index));
}

/** A turn: what the stream is put through until the next full sync, and three deaths in that one. */
const TURN: readonly { phase: Phase; ending?: Ending }[] = [
  { phase: 'stream' },
  { phase: 'stream' },
  { phase: 'starting' },
  { phase: 'stream', ending: 'stop' },
  { phase: 'stream', ending: 'overtake' },
  { phase: 'stream' },
  { phase: 'starting' },
  { phase: 'full sync' },
  { phase: 'full sync' },
  { phase: 'full sync', ending: 'overtake' },
  { phase: 'full sync' },
];

function planKill(random: Random, index: number): PlannedKill {
  const turn = index % TURN.length;
  const { phase, ending = 'kill' } = TURN[turn] ?? { phase: 'stream' };
  return {
    phase,
    ending,
    thawAfterMs: random.below(THAW_AFTER_MS_MAX),
    place: drawPlace(random, phase, turn),
    restartAfterMs: random.below(RESTART_AFTER_MS_MAX),
    forceFullSync: phase === 'full sync' && TURN[turn - 1]?.phase !== 'full sync',
  };
}

/** The first early death of a turn comes at once, before the engine can have done anything. */
function drawPlace(random: Random, phase: Phase, turn: number): number {
  const place = random.fraction();
  if (phase === 'starting' && turn === 2) return 0;
  return phase === 'full sync' ? place * 1.1 : place;
}

/** Everything but a kill of the engine. */
export type Nuisance =
  | { kind: 'cut'; side: 'source' | 'target'; cut: Cut; connection: number }
  | { kind: 'client-kill'; side: 'source' | 'target' }
  /** SIGSTOP, then SIGCONT. */
  | { kind: 'stop-target'; forMs: number }
  /** The next snapshot comes as a file of known size, or as a stream with an end marker. */
  | { kind: 'snapshot-form'; diskless: boolean };

export interface NuisanceOptions {
  /** Longer than the engine waits for a reply: it gives the connection up while its bytes wait at the server. */
  longStopMs: number;
}

/** The next one, by weight: most are cuts. */
export function drawNuisance(random: Random, { longStopMs }: NuisanceOptions): Nuisance {
  const draw = random.below(100);
  if (draw < 60) return drawCut(random);
  if (draw < 76) return { kind: 'client-kill', side: random.chance(0.5) ? 'source' : 'target' };
  if (draw < 80) return { kind: 'snapshot-form', diskless: random.chance(0.5) };
  return { kind: 'stop-target', forMs: draw < 82 ? longStopMs : random.between(10, 400) };
}

function drawCut(random: Random): Nuisance {
  const connection = random.below(2);
  if (random.chance(0.3)) {
    const cut: Cut = {
      kind: 'late',
      afterBytes: drawBytes(random),
      holdMs: random.between(5, 150),
      lateMs: random.between(20, 1500),
    };
    return { kind: 'cut', side: 'target', cut, connection: 0 };
  }
  const direction = random.chance(0.5) ? 'request' : 'reply';
  const cut: Cut = { kind: 'drop', direction, afterBytes: drawBytes(random) };
  return { kind: 'cut', side: random.chance(0.5) ? 'source' : 'target', cut, connection };
}

/** Log-uniform from the first byte to some 100 KB: handshakes, small envelopes, the depth of a snapshot. */
function drawBytes(random: Random): number {
  return Math.floor(2 ** (random.fraction() * 17)) - 1;
}
