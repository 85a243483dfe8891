/**
 * `npm run scenarios`: rehearses scenarios on the shipped topologies, two at a time, and writes docs/scenario-matrix.json after each
 * of them, so that what was interrupted is not lost; the page at the end. Exit code 1 when one did not give what is expected.
 */
import { setMaxListeners } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SCENARIOS } from '../../scenarios/rehearsals/registry.ts';
import type { Scenario } from '../../scenarios/rehearsals/scenario.ts';
import { cellName, mergeCells, type Cell } from './cell.ts';
import { renderPage } from './page.ts';
import { runJob, type JobOptions } from './run-job.ts';
import { readSmallSpecs, type SmallSpec } from './small-spec.ts';

const RESULTS = 'docs/scenario-matrix.json';
const PAGE = 'docs/scenario-matrix.md';

const { values } = parseArgs({
  options: {
    /** Names of scenarios, separated by commas. */
    only: { type: 'string' },
    /** Names of specs, separated by commas. */
    spec: { type: 'string' },
    /** Only what has no pass yet. */
    failed: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    /** How long one variant may take. */
    seconds: { type: 'string', default: '150' },
    /** Where runs are written. */
    out: { type: 'string', default: '.redis-sync/scenarios' },
  },
});

interface Job {
  scenario: Scenario;
  spec: SmallSpec;
}

const specs = await readSmallSpecs('specs');
const all = SCENARIOS.flatMap((scenario) => specs.map((spec): Job => ({ scenario, spec })));
const order = all.flatMap(({ scenario, spec }) =>
  scenario.variants.map(({ name }) => ({ scenario: scenario.name, variant: name, spec: spec.name })),
);
let cells = mergeCells(await readCells(), [], order);
const jobs = all.filter(isWanted);
const interrupted = new AbortController();
setMaxListeners(0, interrupted.signal);
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
const options: JobOptions = {
  program: fileURLToPath(new URL('../../runner/bin.js', import.meta.url)),
  folder: values.out,
  timeoutMs: Number(values.seconds) * 1000,
  day: new Date().toISOString().slice(0, 10),
  signal: interrupted.signal,
};
const ended: Cell[] = [];
await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
await writeFile(PAGE, renderPage(cells));
const wrong = ended.filter(({ verdict }) => verdict !== 'pass' && verdict !== 'unfit');
say(`${ended.filter(({ verdict }) => verdict === 'pass').length} passed, ${wrong.length} did not`);
process.exitCode = interrupted.signal.aborted ? 130 : wrong.length > 0 ? 1 : 0;

/** Takes one job after the other. */
async function work(): Promise<void> {
  for (let job = jobs.shift(); job !== undefined && !interrupted.signal.aborted; job = jobs.shift()) {
    const found = await runJob(job.scenario, job.spec, options);
    ended.push(...found);
    for (const cell of found) {
      say(`${cell.verdict.padEnd(7)} ${cellName(cell)} ${cell.seconds} s ${cell.findings.join(' ')}`);
      if (cell.verdict !== 'pass' && cell.verdict !== 'unfit')
        for (const reason of cell.reasons) say(`          ${reason}`);
    }
    cells = mergeCells(cells, found, order);
    await writeFile(RESULTS, renderCells(cells));
  }
}

function isWanted({ scenario, spec }: Job): boolean {
  const { only, spec: wanted, failed } = values;
  if (only !== undefined && !only.split(',').includes(scenario.name)) return false;
  if (wanted !== undefined && !wanted.split(',').includes(spec.name)) return false;
  if (!failed) return true;
  const known = cells.filter((cell) => cell.scenario === scenario.name && cell.spec === spec.name);
  return (
    known.length < scenario.variants.length ||
    known.some(({ verdict }) => verdict !== 'pass' && verdict !== 'unfit')
  );
}

async function readCells(): Promise<Cell[]> {
  const text = await readFile(join(RESULTS), 'utf8').catch(() => '[]');
  const found: Cell[] = JSON.parse(text);
  return found;
}

/** A line per cell, so that a rerun shows in a diff what it changed. */
function renderCells(list: readonly Cell[]): string {
  return `[\n${list.map((cell) => `  ${JSON.stringify(cell)}`).join(',\n')}\n]\n`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
