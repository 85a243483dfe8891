/** What the links should have taken with them when they ended: their processes, and their temporary files. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvidenceOf } from '../../../reports/evidence.ts';

/** A process the run started for its links. */
export interface WatchedProcess {
  what: string;
  isAlive: boolean;
}

const LISTED_MAX = 20;

export async function readRemains(
  runFolder: string,
  processes: readonly WatchedProcess[],
): Promise<EvidenceOf<'remains'>> {
  return {
    about: 'remains',
    processes: processes.filter(({ isAlive }) => isAlive).map(({ what }) => what),
    files: (await filesBelow(join(runFolder, 'spool'))).slice(0, LISTED_MAX),
  };
}

/** Relative paths; none when there is no such folder. */
async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}
