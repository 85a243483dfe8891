/** From verdicts, errors and signals to the process's exit code. See the README's table. */
import { ERROR_CODES } from '../../engine/errors.ts';
import type { Verdict } from '../../reports/results.ts';

const OF_VERDICT: Record<Verdict, number> = { pass: 0, fail: 1, unknown: 4 };
const OF_SIGNAL: ReadonlyMap<string, number> = new Map([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
]);

export function exitCodeOfVerdict(verdict: Verdict): number {
  return OF_VERDICT[verdict];
}

/** A code that is not in the catalogue is our bug: INTERNAL. */
export function exitCodeOfError(code: string): number {
  const known = Object.entries(ERROR_CODES).find(([name]) => name === code);
  return known === undefined ? ERROR_CODES.INTERNAL : known[1];
}

/** 128 + the signal's number, as a shell would report it. */
export function exitCodeOfSignal(signal: string): number {
  return OF_SIGNAL.get(signal) ?? 130;
}
