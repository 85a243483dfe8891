/**
 * The deadlines in a write command, each put where it is to be written. Sans-IO.
 *
 * Times only, no durations: a source from 7.0 on sends times, and those of an older one are times by the time they come
 * here (translate/). Scripts sent as text set deadlines that nobody can see.
 */
import type { Argument } from '../../resp/encode.ts';

/** Asked for each deadline of a command; answers where to write it. `field`: of that field of the hash, not of the key. */
export type PlaceDeadline = (key: Buffer, field: Buffer | undefined, deadlineMs: number) => number;

/** The same command with its deadlines where `place` says; null when that changes nothing. */
export function placeDeadlines(words: readonly Argument[], place: PlaceDeadline): Argument[] | null {
  switch (upper(words[0])) {
    case 'SET':
      return placeOption(words, 3, (ms) => place(bytes(words[1]), undefined, ms));
    case 'PEXPIREAT':
      return placeArgument(words, 1, 'PEXPIREAT', place);
    case 'EXPIREAT':
      return placeArgument(words, 1000, 'PEXPIREAT', place);
    case 'RESTORE':
    case 'RESTORE-ASKING':
      return placeRestore(words, place);
    case 'HPEXPIREAT':
      return placeFields(words, 1, place);
    case 'HEXPIREAT':
      return placeFields(words, 1000, place);
    case 'HSETEX':
      return placeFieldOption(words, place);
    default:
      return null;
  }
}

/** `… PXAT ms` or `… EXAT s` among options. */
function placeOption(
  words: readonly Argument[],
  from: number,
  place: (deadlineMs: number) => number,
): Argument[] | null {
  for (let index = from; index + 1 < words.length; index++) {
    const name = upper(words[index]);
    if (name !== 'PXAT' && name !== 'EXAT') continue;
    const deadlineMs = number(words[index + 1]) * (name === 'EXAT' ? 1000 : 1);
    const placedMs = placed(deadlineMs, place);
    if (placedMs === undefined) return null;
    return words.with(index, 'PXAT').with(index + 1, placedMs);
  }
  return null;
}

/** `name key time …`. */
function placeArgument(
  words: readonly Argument[],
  unitMs: number,
  name: string,
  place: PlaceDeadline,
): Argument[] | null {
  const placedMs = placed(number(words[2]) * unitMs, (ms) => place(bytes(words[1]), undefined, ms));
  return placedMs === undefined ? null : words.with(0, name).with(2, placedMs);
}

/** `RESTORE key time payload … ABSTTL …`. */
function placeRestore(words: readonly Argument[], place: PlaceDeadline): Argument[] | null {
  const deadlineMs = number(words[2]);
  if (deadlineMs <= 0 || !words.slice(4).some((word) => upper(word) === 'ABSTTL')) return null;
  const placedMs = placed(deadlineMs, (ms) => place(bytes(words[1]), undefined, ms));
  return placedMs === undefined ? null : words.with(2, placedMs);
}

/** `name key time [condition] FIELDS n field …`. */
function placeFields(words: readonly Argument[], unitMs: number, place: PlaceDeadline): Argument[] | null {
  const fields = words.slice(findFields(words, 3) + 2);
  const placedMs = placed(number(words[2]) * unitMs, (ms) => placeAll(bytes(words[1]), fields, ms, place));
  return placedMs === undefined ? null : words.with(0, 'HPEXPIREAT').with(2, placedMs);
}

/** `HSETEX key [condition] [PXAT ms] FIELDS n field value …`. */
function placeFieldOption(words: readonly Argument[], place: PlaceDeadline): Argument[] | null {
  const at = findFields(words, 2);
  const fields = words.slice(at + 2).filter((_, index) => index % 2 === 0);
  return (
    placeOption(words.slice(0, at), 2, (ms) => placeAll(bytes(words[1]), fields, ms, place))?.concat(
      words.slice(at),
    ) ?? null
  );
}

function placeAll(
  key: Buffer,
  fields: readonly Argument[],
  deadlineMs: number,
  place: PlaceDeadline,
): number {
  let placedMs = deadlineMs;
  for (const field of fields) placedMs = place(key, bytes(field), deadlineMs);
  return placedMs;
}

/** Undefined when it stays where it is, or is no time. */
function placed(deadlineMs: number, place: (deadlineMs: number) => number): number | undefined {
  if (!Number.isSafeInteger(deadlineMs)) return undefined;
  const placedMs = place(deadlineMs);
  return placedMs === deadlineMs ? undefined : placedMs;
}

function findFields(words: readonly Argument[], from: number): number {
  const at = words.findIndex((word, index) => index >= from && upper(word) === 'FIELDS');
  return at === -1 ? words.length : at;
}

/** Names and options are short. */
function upper(word: Argument | undefined): string {
  if (typeof word === 'string') return word.toUpperCase();
  return Buffer.isBuffer(word) && word.length <= 16 ? word.toString('latin1').toUpperCase() : '';
}

function number(word: Argument | undefined): number {
  if (typeof word === 'number' || typeof word === 'bigint') return Number(word);
  const text = Buffer.isBuffer(word) ? word.toString('latin1') : (word ?? '');
  return text === '' ? NaN : Number(text);
}

function bytes(word: Argument | undefined): Buffer {
  return Buffer.isBuffer(word) ? word : Buffer.from(String(word ?? ''));
}
