/**
 * `npm run chaos -- --spec FILE … [--seeds 1..50] [--profile NAME] [--jobs N] [--limit SECONDS] [--out FOLDER] [--retry]`: one
 * shortened spec and one seed at a time, several at once. Goes on where an earlier one with the same folder was interrupted.
 * Exit code 1 when a run failed, 130 when it was interrupted.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { ChaosProfileName } from '../../scenarios/chaos/profiles.ts';
import { parseChaosArguments, profileFor } from './arguments.ts';
import { runChaos, type ChaosResult } from './chaos-run.ts';
import { addChaosResult, readChaosResults, runKey } from './results-file.ts';
import { shortenSpec } from './short-spec.ts';
import { describeRun, formatChaos, isFailure } from './table.ts';

const COMMAND = resolve('dist/runner/bin.js');

const wanted = parseChaosArguments(process.argv.slice(2), process.cwd());
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

await mkdir(join(wanted.out, 'specs'), { recursive: true });
const file = join(wanted.out, 'results.ndjson');
const known = await readChaosResults(file);
const runs: { name: string; spec: string; seed: number; profile: ChaosProfileName }[] = [];
for (const path of wanted.specs) {
  const name = basename(path).replace(/\.ya?ml$/, '');
  const spec = join(wanted.out, 'specs', `${name}.yaml`);
  await writeFile(spec, shortenSpec(await readFile(path, 'utf8')));
  for (const seed of wanted.seeds) runs.push({ name, spec, seed, profile: profileFor(seed, wanted.profile) });
}

const isDone = (result: ChaosResult | undefined): boolean =>
  result !== undefined && (!wanted.retry || result.verdict === 'pass');
const keyOf = ({ name, seed, profile }: (typeof runs)[number]): string =>
  runKey({ spec: name, seed, profile });
const queue = runs.filter((run) => !isDone(known.get(keyOf(run))));
const wants = new Set(runs.map(keyOf));
process.stderr.write(`${runs.length} runs, ${runs.length - queue.length} of them done before\n`);

async function work(): Promise<void> {
  for (let run = queue.shift(); run !== undefined && !stop.signal.aborted; run = queue.shift()) {
    const { limitMs, out } = wanted;
    const result = await runChaos({ ...run, command: COMMAND, limitMs, out, signal: stop.signal });
    if (result === undefined) return;
    known.set(runKey(result), result);
    await addChaosResult(file, result);
    process.stderr.write(`${describeRun(result)}\n`);
  }
}

await Promise.all(Array.from({ length: wanted.jobs }, work));
const results = [...known].flatMap(([key, result]) => (wants.has(key) ? [result] : []));
process.stdout.write(formatChaos(results, runs.length - results.length));
process.exitCode = stop.signal.aborted ? 130 : results.some(isFailure) ? 1 : 0;
