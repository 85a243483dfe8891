/**
 * Stream commands whose condition already held at the source, made unconditional. Only a write that took effect is in
 * the stream; evaluated again on a target that still holds an older value it would silently do nothing.
 */
import type { CommandFrame } from '../resp/command-framer.ts';
import type { Treatment } from './treatments.ts';

const PLAIN_NAMES: Partial<Record<Treatment, string>> = {
  setnx: 'SET',
  hsetnx: 'HSET',
  msetnx: 'MSET',
  renamenx: 'RENAME',
};

/** The command to send instead; null when the original bytes are right. */
export function rewriteCommand(frame: CommandFrame, treatment: Treatment): Buffer[] | null {
  const plain = PLAIN_NAMES[treatment];
  if (plain !== undefined) return [Buffer.from(plain), ...words(frame, 1)];
  switch (treatment) {
    case 'set':
      return frame.argc > 3 ? withoutOptions(frame, 3, ['NX', 'XX', 'GET']) : null;
    case 'expire':
      return frame.argc > 3 ? withoutOptions(frame, 3, ['NX', 'XX', 'GT', 'LT']) : null;
    case 'copy':
      return withOption(frame, 'REPLACE');
    case 'restore':
      return withOption(frame, 'REPLACE', 'RESTORE');
    default:
      return null;
  }
}

function words(frame: CommandFrame, from: number): Buffer[] {
  const out: Buffer[] = [];
  for (let index = from; index < frame.argc; index++) {
    out.push(frame.buffer.subarray(frame.argStart[index], frame.argEnd[index]));
  }
  return out;
}

function isOneOf(word: Buffer, options: readonly string[]): boolean {
  return word.length < 8 && options.includes(word.toString('latin1').toUpperCase());
}

function withoutOptions(frame: CommandFrame, from: number, options: readonly string[]): Buffer[] | null {
  const all = words(frame, 0);
  const kept = all.filter((word, index) => index < from || !isOneOf(word, options));
  return kept.length === all.length ? null : kept;
}

/** Adds `option` when it is missing, and gives the command another name when asked. */
function withOption(frame: CommandFrame, option: string, name?: string): Buffer[] | null {
  const all = words(frame, 0);
  const has = all.slice(3).some((word) => isOneOf(word, [option]));
  const named = name === undefined || all[0]?.toString('latin1').toUpperCase() === name;
  if (has && named) return null;
  const renamed = name === undefined ? all : [Buffer.from(name), ...all.slice(1)];
  return has ? renamed : [...renamed, Buffer.from(option)];
}
