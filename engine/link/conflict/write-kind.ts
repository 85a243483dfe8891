/** What kind of write a command is, as far as it matters when both sides do one: some commute, whatever their order. */
import { NameTable } from '../../apply/translate/name-table.ts';
import type { CommandFrame } from '../../resp/command-framer.ts';

/** Two of one kind commute, but for `write`, and `copy`: a value that we bring from one side to the other. */
export type WriteKind =
  | 'count'
  | 'count-field'
  | 'count-member'
  | 'add'
  | 'observe'
  | 'delete'
  | 'write'
  | 'copy';

const KINDS: readonly [WriteKind, string][] = [
  ['count', 'INCR DECR INCRBY DECRBY'],
  ['count-field', 'HINCRBY'],
  ['count-member', 'ZINCRBY'],
  ['add', 'SADD'],
  ['observe', 'PFADD'],
  ['delete', 'DEL UNLINK'],
];

const table = new NameTable<WriteKind>();
for (const [kind, names] of KINDS) for (const name of names.split(' ')) table.set(name, kind);

export function kindOf({ buffer, argStart, argEnd }: CommandFrame): WriteKind {
  return table.get(buffer, argStart[0]!, argEnd[0]!) ?? 'write';
}

/** Both orders end in the same value. */
export function commute(a: WriteKind, b: WriteKind): boolean {
  return a === b && a !== 'write' && a !== 'copy';
}
