/** Looks through the logs of a run for lines that nobody wants to see: crashes, assertions, unhandled errors. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import type { EvidenceOf } from '../../../reports/evidence.ts';

/** Words of servers and of Node when something is broken, not merely refused. */
const PATTERNS = [
  /REDIS BUG REPORT|VALKEY BUG REPORT|crashed by signal|Guru Meditation|ASSERTION FAILED/i,
  /UnhandledPromiseRejection|unhandledRejection|uncaughtException|Uncaught|ERR_ASSERTION|AssertionError/,
  /JavaScript heap out of memory|MaxListenersExceededWarning/,
];
const LISTED_MAX = 10;
const LINE_MAX = 300;

/** One entry per log with such lines, and one for the folder: it was looked through. */
export async function scanLogs(runFolder: string): Promise<EvidenceOf<'log-lines'>[]> {
  const found: EvidenceOf<'log-lines'>[] = [];
  for (const file of await logFiles(runFolder)) {
    const lines = await badLines(join(runFolder, file));
    if (lines.length > 0) found.push({ about: 'log-lines', file, lines });
  }
  return [...found, { about: 'log-lines', file: '.', lines: [] }];
}

export function isBadLine(line: string): boolean {
  return PATTERNS.some((pattern) => pattern.test(line));
}

async function logFiles(runFolder: string): Promise<string[]> {
  const entries = await readdir(runFolder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
    .map((entry) => relative(runFolder, join(entry.parentPath, entry.name)))
    .toSorted();
}

async function badLines(path: string): Promise<string[]> {
  const lines: string[] = [];
  const reader = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  for await (const line of reader) {
    if (!isBadLine(line)) continue;
    lines.push(line.slice(0, LINE_MAX));
    if (lines.length >= LISTED_MAX) break;
  }
  return lines;
}
