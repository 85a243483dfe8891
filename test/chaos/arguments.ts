/** The command line of `npm run chaos`. Pure. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CHAOS_PROFILE_NAMES, type ChaosProfileName } from '../../scenarios/chaos/profiles.ts';

export interface ChaosArguments {
  specs: string[];
  /** In order, each once. */
  seeds: number[];
  /** Absent: rough for odd seeds, brutal for even ones. */
  profile?: ChaosProfileName;
  jobs: number;
  /** Of one run. */
  limitMs: number;
  /** Absolute. */
  out: string;
  /** Runs again what did not pass; otherwise every result that is there counts. */
  retry: boolean;
}

/** @param root what `--out` has by default lies there. @throws RangeError in words for a person. */
export function parseChaosArguments(args: readonly string[], root: string): ChaosArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      spec: { type: 'string', multiple: true, default: ['specs/one-way.yaml'] },
      seeds: { type: 'string', default: '1..50' },
      profile: { type: 'string' },
      jobs: { type: 'string', default: String(Math.max(1, Math.min(2, availableParallelism()))) },
      limit: { type: 'string', default: '150' },
      out: { type: 'string' },
      retry: { type: 'boolean', default: false },
    },
  });
  const profile = CHAOS_PROFILE_NAMES.find((name) => name === values.profile);
  if (values.profile !== undefined && profile === undefined)
    throw new RangeError(`--profile ${values.profile}: one of ${CHAOS_PROFILE_NAMES.join(', ')}`);
  return {
    specs: values.spec.map((path) => resolve(root, path)),
    seeds: parseSeeds(values.seeds),
    ...(profile && { profile }),
    jobs: positive('--jobs', values.jobs),
    limitMs: positive('--limit', values.limit) * 1000,
    out: resolve(root, values.out ?? '.redis-sync/chaos'),
    retry: values.retry,
  };
}

/** `1..50`, `7`, `1..3,20,40..41`. @throws RangeError. */
export function parseSeeds(text: string): number[] {
  const seeds = text.split(',').flatMap((part) => {
    const [, from, to] = /^(\d+)(?:\.\.(\d+))?$/.exec(part.trim()) ?? [];
    if (from === undefined) throw new RangeError(`--seeds ${text}: as in 1..50 or 3,7,20..30`);
    const first = Number(from);
    const count = Number(to ?? from) - first + 1;
    if (count < 1) throw new RangeError(`--seeds ${part}: the second is smaller`);
    return Array.from({ length: count }, (_, index) => first + index);
  });
  return [...new Set(seeds)];
}

export function profileFor(seed: number, profile?: ChaosProfileName): ChaosProfileName {
  return profile ?? (seed % 2 === 0 ? 'brutal' : 'rough');
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`${option} ${text}: a whole number from 1`);
  return value;
}
