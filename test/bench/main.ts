/**
 * `npm run bench [-- --quick] [--keys N] [--runs N]`: speed as ratios to what Redis itself does with the same data in the
 * same run, because machines are noisy and absolute numbers travel badly. Prints a table, writes bench-results.json.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Connection } from '../../engine/connect/connection.ts';
import { seedBenchSet } from '../../scenarios/data/bench-set.ts';
import { startServer } from '../support/server.ts';
import { measureCatchUp } from './catch-up.ts';
import { measureComparison } from './comparison.ts';
import { measureFullSync } from './full-sync.ts';
import { summarize, type Row } from './measurement.ts';

const RESULTS_FILE = 'bench-results.json';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, keys: { type: 'string' }, runs: { type: 'string' } },
});
const keys = Number(values.keys ?? (values.quick ? 100_000 : 1_000_000));
const runs = Number(values.runs ?? 3);

const rows = await measureAll();
await writeFile(
  RESULTS_FILE,
  `${JSON.stringify({ at: new Date().toISOString(), node: process.version, cpus: cpus().length, keys, runs, rows }, null, 2)}\n`,
);
process.stdout.write(
  `${formatTable(rows)}\nRatios are medians of ${runs} runs, alternating; details in ${RESULTS_FILE}.\n`,
);

async function measureAll(): Promise<Row[]> {
  await using source = await startServer({ 'client-output-buffer-limit': 'replica 0 0 0' });
  say(`seeding ${keys} keys`);
  await seedBenchSet(source.endpoint, keys, 1);
  await using connection = await Connection.open(source.endpoint);
  const seeded = Number(await connection.call('DBSIZE'));
  say('full sync');
  const fullSync = await measureFullSync(source, seeded, runs);
  say('comparison');
  const comparison = await measureComparison(source, seeded, runs);
  say('catch-up');
  const catchUp = await measureCatchUp(keys, runs);
  return [fullSync, catchUp, ...comparison].map(summarize);
}

function say(what: string): void {
  process.stderr.write(`  ${what} …\n`);
}

function formatTable(all: readonly Row[]): string {
  const table = new Table({
    head: ['work', 'against', 'ratio', 'goal', 'ours', 'reference', 'rate', 'CPU', 'peak RSS'],
    style: { head: [], border: [] },
  });
  for (const row of all) {
    table.push([
      row.name,
      row.reference,
      `${row.ratio.toFixed(2)} ${row.ratio <= row.goal ? '' : '(!)'}`.trim(),
      `≤ ${row.goal}`,
      `${(row.oursMs / 1000).toFixed(2)} s`,
      `${(row.referenceMs / 1000).toFixed(2)} s`,
      `${Math.round(row.perSecond).toLocaleString('en')} ${row.unit}/s`,
      row.cpuSeconds === null ? '–' : `${row.cpuSeconds.toFixed(2)} s`,
      row.peakRssBytes === null ? '–' : `${Math.round(row.peakRssBytes / 1e6)} MB`,
    ]);
  }
  return table.toString();
}
