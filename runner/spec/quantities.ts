/**
 * Values with units, as people write them in a spec: durations, sizes, rates, shares, comparisons. Strict on purpose: a
 * number without its unit is an error that says which units there are, never a guess. Sizes are Redis's own:
 * `1kb` is 1024 bytes (redis.conf, "units are case insensitive").
 */

/** What a text means, or why it means nothing. `expected` is an example or two of right values. */
export type Parsed<T> = { kind: 'ok'; value: T } | { kind: 'bad'; reason: string; expected: string };

export type OrderComparison = '>=' | '>' | '<' | '<=';
export type CountComparison = OrderComparison | '=';
export const SYNC_PHASES = ['handshake', 'full-sync', 'incremental', 'settle'] as const;
export type SyncPhase = (typeof SYNC_PHASES)[number];

const DURATION_UNITS = new Map<string, number>([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
const SIZE_UNITS = new Map<string, number>([
  ['b', 1],
  ['kb', 1024],
  ['mb', 1024 ** 2],
  ['gb', 1024 ** 3],
  ['tb', 1024 ** 4],
]);
const RATE_UNITS = new Map<string, number>([
  ['s', 1],
  ['min', 60],
]);

const DURATION_EXAMPLES = '500ms, 5s, 10m, 2h or 1d';
const SIZE_EXAMPLES = '512b, 8kb, 64mb or 2gb';

/** `5s` → 5000. Units ms, s, m, h, d; decimals allowed as long as whole milliseconds come out. */
export function parseDuration(text: string): Parsed<number> {
  return parseWithUnit(text, 'duration', DURATION_UNITS, DURATION_EXAMPLES);
}

/** `64mb` → 67108864. Units b, kb, mb, gb, tb (powers of 1024), in any case. */
export function parseSize(text: string): Parsed<number> {
  return parseWithUnit(text.toLowerCase(), 'size', SIZE_UNITS, SIZE_EXAMPLES);
}

/** `2000/s` → 2000 (per second); `90/min` → 1.5. */
export function parseRate(text: string): Parsed<number> {
  const expected = '2000/s or 90/min';
  const match = /^(\d+(?:\.\d+)?)(?:\/(\w+))?$/.exec(text);
  if (match === null) return bad(`"${text}" is not a rate`, expected);
  const [, amount = '', unit] = match;
  if (unit === undefined) return bad(`"${text}" has no unit`, expected);
  const seconds = RATE_UNITS.get(unit);
  if (seconds === undefined) return bad(`"/${unit}" is not a unit of rate`, expected);
  const perSecond = Number(amount) / seconds;
  return perSecond > 0 ? ok(perSecond) : bad('a rate must be above 0', expected);
}

/** `20%` → 0.2. From 0% to 100%. */
export function parseShare(text: string): Parsed<number> {
  const percent = parsePercent(text);
  return percent.kind === 'ok' ? ok(Number((percent.value / 100).toPrecision(15))) : percent;
}

/** `">= 50%"` → { comparison: '>=', percent: 50 }; a bare `50%` means `>= 50%`. */
export function parseProgress(text: string): Parsed<{ comparison: OrderComparison; percent: number }> {
  const expected = '">= 50%" or 50%';
  const match = /^(>=|>|<=|<)?\s*(\S+)$/.exec(text);
  if (match === null) return bad(`"${text}" is not a progress condition`, expected);
  const percent = parsePercent(match[2] ?? '');
  if (percent.kind === 'bad') return bad(percent.reason, expected);
  return ok({ comparison: orderComparison(match[1]) ?? '>=', percent: percent.value });
}

/** `"<= 1"` → { comparison: '<=', value: 1 }; a bare `1` means exactly one. Whole numbers. */
export function parseCount(text: string): Parsed<{ comparison: CountComparison; value: number }> {
  const match = /^(>=|>|<=|<|=)?\s*(\d+)$/.exec(text);
  if (match === null) return bad(`"${text}" is not a count`, '0, "<= 1" or ">= 3"');
  return ok({ comparison: orderComparison(match[1]) ?? '=', value: Number(match[2]) });
}

/** `"< 1500"` → { comparison: '<', value: 1500 }. The unit is in the metric's name. */
export function parseLimit(text: string): Parsed<{ comparison: OrderComparison; value: number }> {
  const match = /^(>=|>|<=|<)\s*(\d+(?:\.\d+)?)$/.exec(text);
  const comparison = orderComparison(match?.[1]);
  if (match === null || comparison === undefined)
    return bad(`"${text}" is not a limit`, '"< 1500" or ">= 100"');
  return ok({ comparison, value: Number(match[2]) });
}

/** `"> 1mb"`, `">= 3s"`, `"< 500"` → the comparison, with the value in bytes, ms, or as it stands. */
export function parseReading(text: string): Parsed<{ comparison: OrderComparison; value: number }> {
  const expected = '"> 1mb", ">= 3s" or "< 500"';
  const match = /^(>=|>|<=|<)\s*(\S+)$/.exec(text);
  const comparison = orderComparison(match?.[1]);
  const [, , written = ''] = match ?? [];
  if (comparison === undefined) return bad(`"${text}" is not a condition`, expected);
  if (/^\d+$/.test(written)) return ok({ comparison, value: Number(written) });
  const value = [parseSize(written), parseDuration(written)].find(({ kind }) => kind === 'ok');
  return value?.kind === 'ok'
    ? ok({ comparison, value: value.value })
    : bad(`"${written}" is neither a number, nor a size, nor a duration`, expected);
}

/** `full-sync 50%` → that phase, at least half done; `incremental` → that phase. */
export function parseMoment(
  text: string,
): Parsed<{ phase: SyncPhase; progress?: { comparison: OrderComparison; percent: number } }> {
  const expected = `${SYNC_PHASES.join(', ')}, or "full-sync 50%"`;
  const [word = '', ...rest] = text.trim().split(/\s+/);
  const phase = SYNC_PHASES.find((name) => name === word);
  if (phase === undefined) return bad(`"${word}" is not a phase`, expected);
  if (rest.length === 0) return ok({ phase });
  const progress = parseProgress(rest.join(' '));
  return progress.kind === 'ok' ? ok({ phase, progress: progress.value }) : bad(progress.reason, expected);
}

/** The shortest exact way to write it: 5000 → `5s`, 1500 → `1500ms`. */
export function formatDuration(durationMs: number): string {
  return formatWithUnit(durationMs, DURATION_UNITS, 'ms');
}

/** The shortest exact way to write it: 67108864 → `64mb`, 1000 → `1000b`. */
export function formatSize(bytes: number): string {
  return formatWithUnit(bytes, SIZE_UNITS, 'b');
}

/** 0.2 → `20%`. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(12))}%`;
}

function parsePercent(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (match === null) return bad(`"${text}" is not a percentage`, '20%');
  const percent = Number(match[1]);
  return percent <= 100 ? ok(percent) : bad(`"${text}" is more than 100%`, '20%');
}

function parseWithUnit(
  text: string,
  what: string,
  units: Map<string, number>,
  expected: string,
): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text);
  if (match === null) return bad(`"${text}" is not a ${what}`, expected);
  const [, amount = '', unit = ''] = match;
  if (unit === '') return bad(`"${text}" has no unit`, expected);
  const factor = units.get(unit);
  if (factor === undefined) return bad(`"${unit}" is not a unit of ${what}`, expected);
  const product = Number(amount) * factor;
  // 0.1 × 3 is not quite 0.3: what binary fractions add is taken off again.
  const value = amount.includes('.') ? Number(product.toPrecision(15)) : product;
  if (!Number.isSafeInteger(value))
    return bad(`"${text}" is not a whole number of ${[...units.keys()][0]}`, expected);
  return ok(value);
}

function formatWithUnit(value: number, units: Map<string, number>, smallest: string): string {
  if (value === 0) return `0${smallest}`;
  const exact = [...units].filter(([, factor]) => value % factor === 0);
  const [unit, factor] = exact.at(-1) ?? [smallest, 1];
  return `${value / factor}${unit}`;
}

function orderComparison(text: string | undefined): OrderComparison | undefined {
  return text === '>=' || text === '>' || text === '<=' || text === '<' ? text : undefined;
}

function ok<T>(value: T): Parsed<T> {
  return { kind: 'ok', value };
}

function bad<T>(reason: string, expected: string): Parsed<T> {
  return { kind: 'bad', reason, expected };
}
