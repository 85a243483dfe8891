/**
 * A spec made short enough for dozens of runs: little data, a gentle workload, a few seconds. Everything else (instances,
 * topology, engine, expectations) stays as it is written. Pure.
 */
import { isMap, isSeq, parseDocument, type Document } from 'yaml';

/** Of all data sets together. */
const KEYS_MAX = 3000;
const KEYS_MIN = 100;
/** Of all workloads together, per second. */
const RATE_MAX = 600;
const INCREMENTAL = '8s';

/** @throws Error when it is no YAML. */
export function shortenSpec(text: string): string {
  const document = parseDocument(text);
  if (document.errors.length > 0) throw document.errors[0] ?? new Error('no YAML');
  scale(document, 'data', 'keys', KEYS_MAX, Number, (value) => Math.max(KEYS_MIN, value));
  scale(document, 'workload', 'rate', RATE_MAX, perSecond, (value) => `${Math.max(1, value)}/s`);
  document.set('incremental', INCREMENTAL);
  document.set('report', { formats: ['json'] });
  return document.toString();
}

/** Makes the sum of one number of each entry of a list at most so much, keeping their shares. */
function scale(
  document: Document,
  list: string,
  name: string,
  sumMax: number,
  read: (written: unknown) => number,
  write: (value: number) => unknown,
): void {
  const entries = document.get(list);
  if (!isSeq(entries)) return;
  const maps = entries.items.filter((item) => isMap(item)).filter((item) => item.has(name));
  const sum = maps.reduce((total, item) => total + read(item.get(name)), 0);
  if (!(sum > sumMax)) return;
  for (const item of maps) item.set(name, write(Math.round((read(item.get(name)) * sumMax) / sum)));
}

/** `800/s` or `800`. */
function perSecond(written: unknown): number {
  return Number(String(written).replace(/\/s$/, ''));
}
