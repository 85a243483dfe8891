/**
 * `npm run matrix [-- --quick] [--write] [--only TEXT] [--keys N]`: rehearses every pair of the servers that were found,
 * prints a line per pair, and with `--write` writes docs/version-matrix.md. Exit code 1 when a pair fails.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { runPair, type MatrixServer, type PairResult } from './pair-run.ts';
import { renderMatrix, type Missing } from './table.ts';

const PAGE = 'docs/version-matrix.md';

const { values } = parseArgs({
  options: {
    /** JSON: `{ servers, missing }`. */
    servers: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    keys: { type: 'string' },
  },
});

interface Found {
  servers: MatrixServer[];
  missing: Missing[];
}

const found: Found = JSON.parse(await readFile(values.servers ?? '', 'utf8'));
const pairs = choosePairs(found.servers, values.quick).filter(
  ([source, target]) => values.only === undefined || `${source.name} → ${target.name}`.includes(values.only),
);
for (const { what, why } of found.missing) say(`skipped ${what}: ${why}`);
const results: PairResult[] = [];
for (const [source, target] of pairs) {
  const result = await runPair(source, target, {
    keys: Number(values.keys ?? (values.quick ? 200 : 500)),
    workloadMs: values.quick ? 600 : 1500,
  });
  results.push(result);
  say(describe(result));
  for (const problem of result.problems) say(`    ${problem}`);
}
if (values.write) {
  const seconds = Math.round(results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000);
  const ran = `${results.length} pairs of ${found.servers.map(({ name }) => name).join(', ')}, in ${seconds} s.`;
  await mkdir(dirname(PAGE), { recursive: true });
  await writeFile(PAGE, renderMatrix(results, found.missing, ran));
}
const failed = results.filter(({ verdict }) => verdict === 'fail').length;
say(`${results.length - failed} pairs passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** Quick: each server to and from the middle one, and the newest to the oldest of each family. */
function choosePairs(servers: readonly MatrixServer[], quick: boolean): [MatrixServer, MatrixServer][] {
  const all = servers.flatMap((source) =>
    servers.map((target): [MatrixServer, MatrixServer] => [source, target]),
  );
  if (!quick) return all;
  const middle = servers.find(({ name }) => name.startsWith('redis 7.')) ?? servers[0];
  const [oldest, newest] = [servers[0], servers.at(-1)];
  return all.filter(
    ([source, target]) => source === middle || target === middle || (source === newest && target === oldest),
  );
}

function describe(result: PairResult): string {
  const { source, target, verdict, keys, fullSyncKeys, rebuilt, streamCommands, losses, durationMs } = result;
  const lost = losses.length === 0 ? '' : `, ${losses.length} kinds of loss`;
  return `${source} → ${target}: ${verdict}; ${keys} keys, ${rebuilt} of ${fullSyncKeys} rebuilt, ${streamCommands} stream commands${lost} (${(durationMs / 1000).toFixed(1)} s)`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
