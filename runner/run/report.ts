/** `report`: renders the reports of a finished run again, from its results and its history. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, SyncError } from '../../engine/errors.ts';
import { REPORT_FORMATS } from '../../reports/render/registry.ts';
import { parseHistory } from '../../reports/history.ts';
import { parseResults } from '../../reports/parse-results.ts';
import { RESULTS_SCHEMA_VERSION, type Results } from '../../reports/results.ts';
import type { Io } from '../cli/io.ts';
import { EVENTS_FILE } from './history.ts';
import { printReport } from './print-report.ts';
import { writeReports } from './report-files.ts';

export interface ReportOptions {
  /** Instead of those written before. */
  formats?: readonly string[];
}

/** Prints the terminal report (or the document under --json), rewrites the files, returns the run's own exit code. */
export async function reportRun(folder: string, io: Io, options: ReportOptions = {}): Promise<number> {
  const stored = await readResults(folder);
  const { events } = parseHistory(await readFile(join(folder, EVENTS_FILE), 'utf8'));
  const formats = options.formats ?? REPORT_FORMATS.filter((format) => format in stored.files);
  const results = await writeReports(folder, stored, events, formats);
  if (io.json) {
    io.out(`${JSON.stringify(results, null, 2)}\n`);
    return results.exitCode;
  }
  printReport(results, events, io);
  return results.exitCode;
}

async function readResults(folder: string): Promise<Results> {
  const path = join(folder, 'results.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new SyncError('USAGE', `The results of this run cannot be read: ${asError(error).message}.`, {
      where: path,
      hint: 'The run did not get to its end; its history is in events.ndjson.',
      cause: error,
    });
  }
  const parsed = parseResults(text);
  if (parsed.kind === 'results') return parsed.results;
  throw new SyncError(
    'USAGE',
    `These are not results this version can read: ${parsed.problems.join('; ')}.`,
    {
      where: path,
      hint: `This version reads schema version ${RESULTS_SCHEMA_VERSION}.`,
    },
  );
}
