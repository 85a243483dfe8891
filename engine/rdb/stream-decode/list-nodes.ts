/** Quicklists, node by node while they arrive. A node is a ziplist (before 7.0), a listpack, or one large element. */
import { CONTAINER_PACKED, CONTAINER_PLAIN } from '../decode-list.ts';
import { readListpack } from '../listpack.ts';
import { readZiplist } from '../ziplist.ts';
import { readCount } from './collections.ts';
import type { DecodeTools, Decoding } from './value-decoder.ts';

/** LIST_QUICKLIST: count × ziplist. */
export function* decodeZiplistNodes({ input, sink, pause }: DecodeTools): Decoding {
  for (let left = yield* readCount(input); left > 0;) {
    input.mark();
    const node = input.tryString();
    if (node === undefined) {
      yield 'more';
      continue;
    }
    for (const element of readZiplist(node)) sink.listElement(element);
    left--;
    if (pause()) yield 'paused';
  }
}

/** LIST_QUICKLIST_2: count × (container, node). */
export function* decodeListNodes({ input, sink, pause }: DecodeTools): Decoding {
  for (let left = yield* readCount(input); left > 0;) {
    input.mark();
    const container = input.tryLength();
    const node = container === undefined ? undefined : input.tryString();
    if (node === undefined) {
      yield 'more';
      continue;
    }
    if (container === CONTAINER_PLAIN) sink.listElement(node);
    else if (container === CONTAINER_PACKED)
      for (const element of readListpack(node)) sink.listElement(element);
    else input.fail(`${container} is not a container of a quicklist`);
    left--;
    if (pause()) yield 'paused';
  }
}
