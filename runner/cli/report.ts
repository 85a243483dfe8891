/** `redis-sync report RUN`: renders the reports of a finished run again. */
import { SyncError } from '../../engine/errors.ts';
import { findRunFolder } from '../run/run-folder.ts';
import { REGISTRIES } from '../spec/registries.ts';
import { didYouMean } from '../spec/suggest.ts';
import type { CommandContext } from './context.ts';

/** `formats`: instead of those of the run's plan. */
export async function report(
  run: string,
  formats: readonly string[] | undefined,
  context: CommandContext,
): Promise<number> {
  checkFormats(formats ?? []);
  const folder = await findRunFolder(context.out, run);
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
