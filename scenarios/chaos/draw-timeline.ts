/**
 * Draws a timeline: which faults, where, when, for how long. Pure: the same seed, profile, places and faults give the same one.
 *
 * Swarm testing (Groce et al., ISSTA 2012): every run leaves about half of the faults out, because a fault that is always there
 * hides what another one would show. The first step is one that bites for certain and must have had an effect, alone, so that no
 * run is about nothing; all others are optional, as one fault may well keep the next one from biting.
 */
import { Random } from '../data/random.ts';
import type { StepPlan } from '../timeline/step.ts';
import { DRAWS, type ChaosPlace, type Draw } from './draws.ts';
import { includes, profileOf, type ChaosProfileName } from './profiles.ts';

/** Something that a step can be aimed at, as the plan has it. */
export interface ChaosAim {
  place: ChaosPlace;
  /** As in a step's `where`. */
  where: string;
  /** What disturbs one of these is not done to it twice at the same time: a server, the process of a link. */
  subject: string;
  /** What faults may require of it. */
  abilities: ReadonlySet<string>;
  /** Links that start there may copy everything again, and leave both sides equal. */
  mayResync: boolean;
}

export interface ChaosRequest {
  profile: ChaosProfileName;
  seed: number;
  aims: readonly ChaosAim[];
  /** What there is in the registry. */
  faults: readonly { name: string; requires: readonly string[] }[];
  /** Steps count from when links are in sync, and not from the start: no first full sync is disturbed. Default false. */
  afterSync?: boolean;
}

export interface ChaosTimeline {
  steps: StepPlan[];
  /** Faults that this run could have drawn, and those that the swarm left out. */
  possible: string[];
  leftOut: string[];
  /** Findings of severity error that belong to what was drawn. */
  findings: string[];
}

/** Attempts to find room for a step before it is given up. */
const PLACING_ATTEMPTS = 20;
/** Until a fault is in effect, or over, unless it says. */
const TAKES_MS = 500;
const FIRST_AT_MS: readonly [number, number] = [200, 1000];
/** From when one link is in sync until all are. */
const OTHERS_SYNC_MS = 1500;
const SWARM_CHANCE = 0.5;

interface Candidate {
  draw: Draw;
  aim: ChaosAim;
}

interface Placed {
  step: StepPlan;
  subject: string;
  fromMs: number;
  toMs: number;
}

/** No steps when nothing can be drawn that bites for certain. */
export function drawTimeline(request: ChaosRequest): ChaosTimeline {
  const { profile: name, seed, afterSync = false } = request;
  const profile = profileOf(name);
  const random = new Random(seed, 'chaos', name);
  const candidates = candidatesOf(request);
  const possible = [...new Set(candidates.map(({ draw }) => draw.fault))];
  const chosen = possible.filter(() => random.chance(SWARM_CHANCE));
  const anchors = candidates.filter(({ draw }) => draw.sure === true);
  if (anchors.length === 0) return { steps: [], possible, leftOut: possible, findings: [] };
  const first = place(random, pickFault(random, anchors), random.between(...FIRST_AT_MS));
  const placed = [{ ...first, step: { ...first.step, optional: false } }];
  const rest = candidates.filter(({ draw }) => chosen.includes(draw.fault));
  const wanted = random.between(...profile.steps);
  for (let attempt = 0; rest.length > 0 && placed.length < wanted; attempt++) {
    if (attempt > wanted * PLACING_ATTEMPTS) break;
    const candidate = pickFault(random, rest);
    const atMs = random.between(first.toMs, profile.horizonMs);
    const next = place(random, candidate, atMs);
    if (next.toMs <= profile.horizonMs && hasRoom(placed, next, profile.overlap)) placed.push(next);
  }
  const inOrder = placed.toSorted((a, b) => a.fromMs - b.fromMs);
  const steps = inOrder.map(({ step, fromMs }, index) => ({
    ...step,
    id: `chaos-${index + 1}`,
    ...(afterSync && {
      trigger: { when: { phase: 'incremental' as const }, delayMs: OTHERS_SYNC_MS + fromMs },
    }),
  }));
  const drawn = new Set(steps.map(({ fault }) => fault));
  return {
    steps,
    possible,
    leftOut: possible.filter((fault) => !drawn.has(fault)),
    findings: [...new Set(DRAWS.flatMap((draw) => (drawn.has(draw.fault) ? (draw.findings ?? []) : [])))],
  };
}

function candidatesOf({ profile, aims, faults }: ChaosRequest): Candidate[] {
  return DRAWS.filter(({ from }) => includes(profile, from)).flatMap((draw) => {
    const fault = faults.find(({ name }) => name === draw.fault);
    if (fault === undefined) return [];
    const fitting = aims.filter(
      ({ place: at, abilities, mayResync }) =>
        draw.places.includes(at) &&
        fault.requires.every((needed) => abilities.has(needed)) &&
        (draw.resyncs !== true || mayResync),
    );
    return fitting.map((aim) => ({ draw, aim }));
  });
}

/** The fault first: one that fits many places is no likelier than one that fits a single one. */
function pickFault(random: Random, candidates: readonly Candidate[]): Candidate {
  const fault = random.pick([...new Set(candidates.map(({ draw }) => draw.fault))]);
  return random.pick(candidates.filter(({ draw }) => draw.fault === fault));
}

function place(random: Random, { draw, aim }: Candidate, atMs: number): Placed {
  const forMs = random.between(...draw.forMs);
  const step: StepPlan = {
    id: '',
    fault: draw.fault,
    where: aim.where,
    with: draw.settings?.(random, aim.place) ?? {},
    trigger: { atMs, delayMs: 0 },
    ...(forMs > 0 && { forMs }),
    optional: true,
  };
  return { step, subject: aim.subject, fromMs: atMs, toMs: atMs + (draw.takesMs ?? TAKES_MS) + forMs };
}

function hasRoom(placed: readonly Placed[], next: Placed, overlap: number): boolean {
  const together = placed.filter(({ fromMs, toMs }) => fromMs <= next.toMs && next.fromMs <= toMs);
  return together.length < overlap && together.every(({ subject }) => subject !== next.subject);
}
