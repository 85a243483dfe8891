/**
 * `npm run soak -- --minutes N [--seed S] [--rate R]`: one engine process for the whole time, under faults at a moderate
 * rate and a full sync now and then. Samples its memory, descriptors, files and listeners every 5 s; exit code 1 when
 * something is not flat, was left behind, or was lost.
 */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_ENGINE_OPTIONS } from '../../engine/link/options.ts';
import { Random } from '../../scenarios/data/random.ts';
import { until } from '../bench/stopwatch.ts';
import { runSession, type Session } from './session.ts';
import { judgeVitals } from './soak-judge.ts';
import { formatMeasures, formatResult } from './table.ts';
import { DEFAULT_TORTURE } from './torture.ts';
import { readVitals, type Vitals } from './vitals.ts';

const SAMPLE_EVERY_MS = 5000;
const FULL_SYNC_EVERY_MS = { least: 30_000, most: 120_000 };
const NUISANCE_EVERY_MS = 4000;
/** Small enough to spill whenever the target stands still, so that segments come and go. */
const LOG_MEMORY_BYTES = 256 * 1024;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string' },
    rate: { type: 'string', default: '2000' },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? randomInt(2 ** 31));
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

const folder = await mkdtemp(join(tmpdir(), 'redis-sync-soak-'));
const probeFile = join(folder, 'probe.json');
process.env['SOAK_PROBE_FILE'] = probeFile;
process.env['NODE_OPTIONS'] =
  `${process.env['NODE_OPTIONS'] ?? ''} --import=${new URL('probe.js', import.meta.url).href}`;

const samples: Vitals[] = [];
let first: Vitals | undefined;
let last: Vitals | undefined;

process.stderr.write(`  seed ${seed}\n`);
const result = await runSession(
  {
    ...DEFAULT_TORTURE,
    seed,
    commandsPerSecond: Number(values.rate),
    nuisanceEveryMs: NUISANCE_EVERY_MS,
    engine: { logMemoryBytes: LOG_MEMORY_BYTES, envelopeCommands: DEFAULT_ENGINE_OPTIONS.envelopeCommands },
    signal: stop.signal,
    onProgress: (line) => process.stderr.write(`  ${line}\n`),
  },
  { act: soak, drained: async (session) => void (last = await look(session)) },
);
await finish();

/** Samples on the way, full syncs at random times. */
async function soak(session: Session): Promise<void> {
  first = await look(session);
  const random = new Random(seed, 'soak');
  const endMs = performance.now() + minutes * 60_000;
  let fullSyncMs = performance.now() + drawWait(random);
  while (performance.now() < endMs && !session.over) {
    await sleep(SAMPLE_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    samples.push(await look(session));
    if (samples.length % 12 === 0) tellProgress(session);
    if (performance.now() < fullSyncMs) continue;
    await session.forceFullSync();
    fullSyncMs = performance.now() + drawWait(random);
  }
}

function drawWait(random: Random): number {
  return random.between(FULL_SYNC_EVERY_MS.least, FULL_SYNC_EVERY_MS.most);
}

function tellProgress(session: Session): void {
  const { rssBytes, descriptors, abortListeners } = samples.at(-1) ?? {};
  const memory = Math.round((rssBytes ?? 0) / 1e6);
  const minute = Math.round(session.elapsedMs / 60_000);
  session.say(
    `minute ${minute}: ${memory} MB, ${descriptors} descriptors, ${abortListeners} listeners, ${session.cuts} cuts`,
  );
}

async function look(session: Session): Promise<Vitals> {
  const { life, spoolFolder } = session.lives;
  let vitals: Vitals | undefined;
  // The probe's first words come a second after the start.
  await until(
    'the vitals of the engine',
    async () => {
      vitals = await readVitals({ pid: life.pid, status: await life.status(), spoolFolder, probeFile }).catch(
        () => undefined,
      );
      return vitals !== undefined;
    },
    10_000,
  );
  if (vitals === undefined) throw new Error('no vitals');
  session.history.note('vitals', { ...vitals });
  return vitals;
}

async function finish(): Promise<void> {
  process.stdout.write(`${formatResult(result)}\n`);
  const findings =
    first === undefined || last === undefined
      ? { rows: [], problems: ['the soak was over before it began'] }
      : judgeVitals(first, samples, last);
  process.stdout.write(`${formatMeasures(findings)}\n`);
  const passed = result.verdict === 'pass' && findings.problems.length === 0;
  if (passed) await rm(folder, { recursive: true });
  else {
    await writeFile(join(folder, 'samples.json'), JSON.stringify({ first, samples, last }));
    process.stdout.write(`Samples: ${folder}. Again: npm run soak -- --minutes ${minutes} --seed ${seed}\n`);
  }
  process.stdout.write(`soak: ${passed ? 'pass' : 'fail'}\n`);
  process.exitCode = passed ? 0 : 1;
}
