/** The last thing a torture or a soak prints. */
import Table from 'cli-table3';
import { PHASES } from './schedule.ts';
import type { SessionResult } from './session.ts';
import type { SoakFindings } from './soak-judge.ts';

const number = (value: number): string => value.toLocaleString('en');

export function formatResult(result: SessionResult): string {
  const table = new Table({ style: { head: [], border: [] } });
  const total = PHASES.reduce((sum, phase) => sum + result.kills[phase], 0);
  const { damage } = result;
  table.push(
    ['seed', String(result.seed)],
    ['kills', `${total}: ${PHASES.map((phase) => `${result.kills[phase]} ${phase}`).join(', ')}`],
    ['stopped in order, overtaken', `${result.stops}, ${result.overtaken}`],
    [
      'connections cut',
      `${result.cutsAtSource} source, ${result.cutsAtTarget} target (${result.lateDeliveries} with bytes delivered late)`,
    ],
    ['clients killed, target stopped', `${result.clientKills}, ${result.targetStops}`],
    [
      'resumes',
      `${result.partialResyncs} partial, ${result.fullResyncs} full (${result.fullSyncsFinished} finished, ${result.forcedFullSyncs} forced)`,
    ],
    ['commands', `${number(result.commands)} and ${number(result.transactions)} paired transactions`],
    ['looks at the target, audits', `${number(result.looks)}, ${result.audits}`],
    ['ledgered, keys compared', `${number(damage.ledgered)}, ${number(damage.keysCompared)}`],
    ['lost', number(damage.lost)],
    ['duplicated', number(damage.duplicated)],
    ['reordered, unexpected', `${damage.reordered}, ${damage.unexpected}`],
    [
      'keys that differ',
      damage === undefined
        ? 'unknown'
        : Object.entries(damage.differences)
            .map((pair) => pair.join(' '))
            .join(', ') || '0',
    ],
    ['duration', `${(result.durationMs / 1000).toFixed(0)} s`],
    ['verdict', result.verdict],
  );
  if (result.verdict === 'pass') return table.toString();
  const more = result.problemCount - result.problems.length;
  return [
    table.toString(),
    `${result.problemCount} problems:`,
    ...result.problems.map((problem) => `  ${problem}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
    `Evidence: ${result.evidenceFolder}.`,
  ].join('\n');
}

export function formatMeasures({ rows, problems }: SoakFindings): string {
  const table = new Table({
    head: ['measure', 'at first', 'median', 'highest', 'at last', 'growth, second half', 'tau'],
    style: { head: [], border: [] },
  });
  for (const { name, atFirst, median, highest, atLast, growth, tau } of rows) {
    table.push([
      name,
      ...[atFirst, median, highest, atLast].map((value) => number(value)),
      growth === undefined ? '–' : number(Math.round(growth)),
      tau === undefined ? '–' : tau.toFixed(2),
    ]);
  }
  return [table.toString(), ...problems.map((problem) => `  ${problem}`)].join('\n');
}
