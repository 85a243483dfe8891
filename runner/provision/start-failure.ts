/** Reads from a server's own log why it did not start. Pure. */

export type StartFailure =
  | { kind: 'port-in-use'; line: string }
  /** `directive`: the configuration line the server complains about. */
  | { kind: 'bad-config'; line: string; directive: string }
  | { kind: 'other'; line: string };

/**
 * The reason, with the server's own words in `line`. Texts of Redis 2.8–8, Valkey and KeyDB, which differ in the product's
 * name only:
 *
 *     *** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***
 *     Reading the configuration file, at line 9
 *     >>> 'maxmemry 256mb'
 *     Bad directive or wrong number of arguments
 */
export function explainStartFailure(log: string): StartFailure {
  const lines = log.split('\n').map((line) => line.trim());
  const inUse = lines.find((line) => /bind: Address already in use|Address already in use/.test(line));
  if (inUse !== undefined) return { kind: 'port-in-use', line: stripPrefix(inUse) };
  const at = lines.findIndex((line) => line.startsWith('>>> '));
  if (at !== -1) {
    const directive = (lines[at] ?? '').replace(/^>>> '?/, '').replace(/'$/, '');
    return { kind: 'bad-config', line: lines[at + 1] ?? '', directive };
  }
  const said = lines.filter((line) => line !== '').map(stripPrefix);
  // Failures are logged as warnings (#); the last of them is the reason.
  const last =
    said.findLast((line) => /fail|error|can't|cannot|unable|no |not |abort|denied/i.test(line)) ??
    said.at(-1);
  return { kind: 'other', line: last ?? '' };
}

/** `7737:M 20 Nov 2026 08:48:23.616 # text` → `text`. */
function stripPrefix(line: string): string {
  return line.replace(/^\d+:[A-Z] .*?\d\d:\d\d:\d\d\.\d+ [.\-*#] /, '');
}
