/** Lists and sets: plain, and quicklists of ziplists (before 7.0) or listpacks. */
import { readListpack } from './listpack.ts';
import type { ValueCursor } from './value-cursor.ts';
import { readZiplist } from './ziplist.ts';

/** A quicklist node that is one large element. */
export const CONTAINER_PLAIN = 1;
export const CONTAINER_PACKED = 2;

/** count × string: LIST and SET. */
export function decodeStrings(cursor: ValueCursor): Buffer[] {
  const elements: Buffer[] = [];
  for (let left = cursor.length(); left > 0; left--) elements.push(cursor.string());
  return elements;
}

/** count × ziplist: LIST_QUICKLIST. */
export function decodeZiplistQuicklist(cursor: ValueCursor): Buffer[] {
  const elements: Buffer[] = [];
  for (let nodes = cursor.length(); nodes > 0; nodes--) {
    for (const element of readZiplist(cursor.string())) elements.push(element);
  }
  return elements;
}

/** count × (container, node): LIST_QUICKLIST_2. */
export function decodeQuicklist(cursor: ValueCursor): Buffer[] {
  const elements: Buffer[] = [];
  for (let nodes = cursor.length(); nodes > 0; nodes--) {
    const container = cursor.length();
    const node = cursor.string();
    if (container === CONTAINER_PLAIN) elements.push(node);
    else if (container === CONTAINER_PACKED) for (const element of readListpack(node)) elements.push(element);
    else cursor.fail(`${container} is not a container of a quicklist`);
  }
  return elements;
}
