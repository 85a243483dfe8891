/** The shipped specs, each made small enough to be rehearsed hundreds of times. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';

/** Of the same topology as another one. */
const TWINS: readonly string[] = ['minimal', 'two-way-conflicts'];

const KEYS_MAX = 1000;
const RATE_MAX = 1000;
/** Few kinds and many writes, so that each succeeds in the two seconds that most scenarios take: a kind that never did would be no pass. */
const MIX = { set: 5, hset: 3, rpush: 3, incr: 3, sadd: 2, zadd: 2, del: 1, expire: 1 };

export interface SmallSpec {
  /** Of the file it comes from. */
  name: string;
  /** JSON, which is YAML. */
  text: string;
}

/** One for each topology that is shipped, sorted by name. */
export async function readSmallSpecs(folder: string): Promise<SmallSpec[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).toSorted();
  const names = files.map((file) => basename(file, '.yaml')).filter((name) => !TWINS.includes(name));
  return Promise.all(
    names.map(async (name) => ({
      name,
      text: shrink(await readFile(join(folder, `${name}.yaml`), 'utf8')),
    })),
  );
}

/** Fewer keys, slower clients; everything else as it is. */
export function shrink(text: string): string {
  const spec: unknown = parse(text);
  if (!isRecord(spec)) throw new Error('A shipped spec is an object.');
  const data = recordsOf(spec['data']).map((set) => ({
    ...set,
    keys: Math.min(Number(set['keys'] ?? KEYS_MAX), KEYS_MAX),
  }));
  const workload = recordsOf(spec['workload']).map((one) => ({
    ...one,
    rate: `${Math.min(perSecond(one['rate']), RATE_MAX)}/s`,
    mix: MIX,
  }));
  return JSON.stringify({ ...spec, data, workload, report: { formats: ['json'] } }, null, 2);
}

/** Of `2000/s`. */
function perSecond(rate: unknown): number {
  return typeof rate === 'string' ? Number.parseInt(rate, 10) : RATE_MAX;
}

function recordsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
