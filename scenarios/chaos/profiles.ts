/** How hard a chaos run is: each profile draws what the ones before it draw, and more. */

export interface ChaosProfile {
  name: ChaosProfileName;
  summary: string;
  /** Fewest and most steps. */
  steps: readonly [number, number];
  /** Steps in effect at the same time, at most. */
  overlap: number;
  /** The last healing is due after this, ms from the start of the workload. */
  horizonMs: number;
}

export const CHAOS_PROFILE_NAMES = ['gentle', 'rough', 'brutal'] as const;
export type ChaosProfileName = (typeof CHAOS_PROFILE_NAMES)[number];

/** From the gentlest to the hardest. */
export const CHAOS_PROFILES: readonly ChaosProfile[] = [
  {
    name: 'gentle',
    summary: 'what happens on a bad day: slow and short of breath, connections lost and found again',
    steps: [3, 5],
    overlap: 1,
    horizonMs: 6000,
  },
  {
    name: 'rough',
    summary: 'what happens in a bad week: partitions, engines that die, servers that refuse',
    steps: [5, 9],
    overlap: 2,
    horizonMs: 10_000,
  },
  {
    name: 'brutal',
    summary: 'everything that must not lose data, on top of each other: restarts, failovers, new histories',
    steps: [8, 14],
    overlap: 3,
    horizonMs: 15_000,
  },
];

export function profileOf(name: ChaosProfileName): ChaosProfile {
  const profile = CHAOS_PROFILES.find((each) => each.name === name);
  if (profile === undefined) throw new RangeError(`no profile ${name}`);
  return profile;
}

/** A profile draws what was made for it, and for every gentler one. */
export function includes(profile: ChaosProfileName, from: ChaosProfileName): boolean {
  return CHAOS_PROFILE_NAMES.indexOf(from) <= CHAOS_PROFILE_NAMES.indexOf(profile);
}
