/** `redis-sync report RUN`: renders the reports of a finished run again. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SyncError } from '../../engine/errors.ts';
import { REGISTRIES } from '../spec/registries.ts';
import { didYouMean } from '../spec/suggest.ts';
import type { CommandContext } from './context.ts';

/** `formats`: instead of those that were written before. */
export async function report(
  run: string,
  formats: readonly string[] | undefined,
  context: CommandContext,
): Promise<number> {
  checkFormats(formats ?? []);
  const folder = findRun(run, context.out);
  const { reportRun } = await import('../run/report.ts');
  return reportRun(folder, context.io, formats === undefined ? {} : { formats });
}

function checkFormats(formats: readonly string[]): void {
  const known = REGISTRIES.reportFormats;
  const unknown = formats.find((format) => !known.includes(format));
  if (unknown === undefined) return;
  throw new SyncError('USAGE', `there is no report format "${unknown}"${didYouMean(unknown, known)}`, {
    where: '--format',
    hint: `Formats: ${known.join(', ')}.`,
  });
}

/**
 * The folder of a run: a path as it is, `latest`, or an id in the runs folder.
 *
 * @param file what must be in it. @throws SyncError USAGE when there is none with that file.
 */
export function findRun(run: string, out: string, file = 'results.json'): string {
  const runs = join(out, 'runs');
  const candidates = [run, join(runs, run), join(out, run)];
  const found = candidates.find((folder) => existsSync(join(folder, file)));
  if (found !== undefined) return found;
  const ids = existsSync(runs) ? readdirSync(runs) : [];
  const last = ids.toSorted().slice(-5);
  throw new SyncError(
    'USAGE',
    `there is no ${file === 'results.json' ? 'finished run' : 'run'} "${run}"${didYouMean(run, ids)}`,
    {
      where: runs,
      hint:
        last.length === 0
          ? 'Runs are made by redis-sync verify; --out says where they are.'
          : `The last runs: ${last.join(', ')}.`,
    },
  );
}
