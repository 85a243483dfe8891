/** Results as they come, one line of JSON each, so that an interrupted night goes on where it was. */
import { appendFile, readFile } from 'node:fs/promises';
import type { ChaosResult } from './chaos-run.ts';

/** The newest result of each run; none when there is no file. A line that was cut off counts as not there. */
export async function readChaosResults(file: string): Promise<Map<string, ChaosResult>> {
  const results = new Map<string, ChaosResult>();
  let text = '';
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return results;
  }
  for (const line of text.split('\n')) {
    const result = readLine(line);
    if (result !== undefined) results.set(runKey(result), result);
  }
  return results;
}

export async function addChaosResult(file: string, result: ChaosResult): Promise<void> {
  await appendFile(file, `${JSON.stringify(result)}\n`);
}

export function runKey({ spec, seed, profile }: Pick<ChaosResult, 'spec' | 'seed' | 'profile'>): string {
  return `${spec} ${seed} ${profile}`;
}

function readLine(line: string): ChaosResult | undefined {
  try {
    const result: ChaosResult = JSON.parse(line);
    return result;
  } catch {
    return undefined;
  }
}
