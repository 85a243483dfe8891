/**
 * `npm run torture -- --kills N [--seed S] [--cuts M] [--minutes T] [--rate R] [--expiring]`. Prints a table; exit code 1 when anything
 * was lost, duplicated, torn, or otherwise not as it must be.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { formatResult } from './table.ts';
import { DEFAULT_TORTURE, torture } from './torture.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string' },
    cuts: { type: 'string' },
    minutes: { type: 'string', default: '0' },
    expiring: { type: 'boolean', default: false },
    rate: { type: 'string', default: String(DEFAULT_TORTURE.commandsPerSecond) },
  },
});
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
const seed = Number(values.seed ?? randomInt(2 ** 31));
process.stderr.write(`  seed ${seed}\n`);
const result = await torture({
  ...DEFAULT_TORTURE,
  seed,
  kills: Number(values.kills),
  cuts: Number(values.cuts ?? values.kills),
  minutes: Number(values.minutes),
  commandsPerSecond: Number(values.rate),
  expiring: values.expiring,
  signal: stop.signal,
  onProgress: (line) => process.stderr.write(`  ${line}\n`),
});
process.stdout.write(`${formatResult(result)}\n`);
if (result.verdict === 'fail')
  process.stdout.write(`Again: npm run torture -- --kills ${values.kills} --seed ${seed}\n`);
process.exitCode = result.verdict === 'pass' ? 0 : 1;
