/** Writes a run's results and reports into its folder. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../../reports/events.ts';
import { renderReport } from '../../reports/render/registry.ts';
import type { Results } from '../../reports/results.ts';
import { EVENTS_FILE } from './history.ts';

const RESULTS_FILE = 'results.json';

/** Adds the files' names to the results, then writes the results and every wanted format. */
export async function writeReports(
  folder: string,
  results: Results,
  events: readonly RunEvent[],
  formats: readonly string[],
): Promise<Results> {
  const files: Record<string, string> = {
    plan: 'plan.json',
    events: EVENTS_FILE,
    results: RESULTS_FILE,
    ...results.files,
  };
  const wanted = formats.filter((format) => format !== 'json');
  // Names first: a report lists the files beside it.
  for (const format of wanted) files[format] = renderReport(format, results, { events }).fileName;
  const complete: Results = { ...results, files };
  await writeFile(join(folder, RESULTS_FILE), `${JSON.stringify(complete, null, 2)}\n`);
  for (const format of wanted) {
    const { fileName, content } = renderReport(format, complete, { events });
    await writeFile(join(folder, fileName), content);
  }
  return complete;
}
