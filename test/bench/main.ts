/**
 * `npm run bench [-- [cluster] [--quick] [--keys N] [--runs N]]`: speed as ratios to what Redis itself does with the same data in the
 * same run, because machines are noisy and absolute numbers travel badly. `cluster` measures clusters and one source with several targets. Prints a table, writes bench-results.json.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Connection } from '../../engine/connect/connection.ts';
import { seedBenchSet } from '../../scenarios/data/bench-set.ts';
import { startServer } from '../support/server.ts';
import { measureCatchUp } from './catch-up.ts';
import { measureClusterCatchUp, measureClusterFullSync, openSource } from './cluster.ts';
import { measureComparison } from './comparison.ts';
import { measureFanOut } from './fan-out.ts';
import { measureFullSync } from './full-sync.ts';
import { summarize, type Row, type SourceCost } from './measurement.ts';

const RESULTS_FILE = 'bench-results.json';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, keys: { type: 'string' }, runs: { type: 'string' } },
});
const keys = Number(values.keys ?? (values.quick ? 100_000 : 1_000_000));
const runs = Number(values.runs ?? 3);

const subject = positionals[0] ?? 'single';
if (subject !== 'single' && subject !== 'cluster')
  throw new Error(`There is no benchmark called ${subject}: leave it out, or say cluster.`);
const rows = subject === 'cluster' ? await measureClusters() : await measureAll();
await writeFile(
  RESULTS_FILE,
  `${JSON.stringify({ at: new Date().toISOString(), node: process.version, cpus: cpus().length, subject, keys, runs, rows }, null, 2)}\n`,
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

async function measureClusters(): Promise<Row[]> {
  const measured = [];
  {
    say(`seeding a cluster with ${keys} keys`);
    await using source = await openSource(keys);
    say('full sync of a cluster');
    measured.push(await measureClusterFullSync(source, keys, runs));
    say('catch-up of a cluster');
    measured.push(await measureClusterCatchUp(source, keys, runs));
  }
  await using source = await startServer({ 'client-output-buffer-limit': 'replica 0 0 0' });
  await seedBenchSet(source.endpoint, keys, 1);
  say('one to three');
  measured.push(await measureFanOut(source, keys, runs));
  return measured.map(summarize);
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
      `${row.ratio.toFixed(2)} ${row.goal === null || row.ratio <= row.goal ? '' : '(!)'}`.trim(),
      row.goal === null ? '–' : `≤ ${row.goal}`,
      `${(row.oursMs / 1000).toFixed(2)} s`,
      `${(row.referenceMs / 1000).toFixed(2)} s`,
      `${Math.round(row.perSecond).toLocaleString('en')} ${row.unit}/s`,
      row.cpuSeconds === null ? '–' : `${row.cpuSeconds.toFixed(2)} s`,
      row.peakRssBytes === null ? '–' : `${Math.round(row.peakRssBytes / 1e6)} MB`,
    ]);
  }
  const atSource = all.flatMap(({ name, reference, atSource: costs }) =>
    costs === null
      ? []
      : [`At the source: ${name} ${printCost(costs.ours)}; ${reference} ${printCost(costs.reference)}.`],
  );
  return [table.toString(), ...atSource].join('\n');
}

function printCost({ cpuSeconds, forks, outputBytes }: SourceCost): string {
  return `${cpuSeconds.toFixed(2)} s CPU, ${forks} ${forks === 1 ? 'fork' : 'forks'}, ${Math.round(outputBytes / 1e6)} MB sent`;
}
