/**
 * Decodes one value while its bytes arrive, in bounded memory: elements go to a sink as soon as they are complete.
 *
 *   push(part) ─▶ run() ─▶ 'more'     everything pushed is decoded as far as it goes: push again
 *                       ─▶ 'paused'   the sink has enough for now: run again later
 *                       ─▶ 'done'
 *
 * What must be held whole is the largest single string in the value: a member, a node of a list, a block of a stream.
 * Packed values (listpack, ziplist, intset, zipmap) are one such string: `canStreamDecode` is false for them.
 */
import { TYPE, type Flavor } from '../format.ts';
import {
  decodeFieldTtls,
  decodePairs,
  decodeScored,
  decodeStrings,
  decodeValkeyFields,
} from './collections.ts';
import type { ElementSink } from './element-sink.ts';
import { decodeListNodes, decodeZiplistNodes } from './list-nodes.ts';
import { PartInput } from './part-input.ts';
import { decodeStreamParts } from './stream-parts.ts';
import { decodeStringParts } from './string-parts.ts';

/** What a decoder waits for. */
export type Wait = 'more' | 'paused';
export type Decoding = Generator<Wait, void, undefined>;

/** What a decoder works with. */
export interface DecodeTools {
  input: PartInput;
  sink: ElementSink;
  /** The sink has enough for now. Asked after every few elements. */
  pause: () => boolean;
}

type Decoder = (tools: DecodeTools) => Decoding;

const COMMON: readonly (readonly [type: number, decoder: Decoder])[] = [
  [TYPE.STRING, decodeStringParts],
  [TYPE.LIST, (tools) => decodeStrings(tools, 'list')],
  [TYPE.SET, (tools) => decodeStrings(tools, 'set')],
  [TYPE.ZSET, (tools) => decodeScored(tools, 'text')],
  [TYPE.ZSET_2, (tools) => decodeScored(tools, 'double')],
  [TYPE.HASH, decodePairs],
  [TYPE.LIST_QUICKLIST, decodeZiplistNodes],
  [TYPE.LIST_QUICKLIST_2, decodeListNodes],
  [TYPE.STREAM_LISTPACKS, (tools) => decodeStreamParts(tools, 1)],
  [TYPE.STREAM_LISTPACKS_2, (tools) => decodeStreamParts(tools, 2)],
  [TYPE.STREAM_LISTPACKS_3, (tools) => decodeStreamParts(tools, 3)],
];

const DECODERS: Readonly<Record<Flavor, ReadonlyMap<number, Decoder>>> = {
  REDIS: new Map([
    ...COMMON,
    [TYPE.HASH_METADATA_PRE_GA, (tools) => decodeFieldTtls(tools, 'absolute')],
    [TYPE.HASH_METADATA, (tools) => decodeFieldTtls(tools, 'relative')],
    [TYPE.STREAM_LISTPACKS_4, (tools) => decodeStreamParts(tools, 4)],
    [TYPE.STREAM_LISTPACKS_5, (tools) => decodeStreamParts(tools, 5)],
  ]),
  VALKEY: new Map([...COMMON, [TYPE.VALKEY_HASH_2, decodeValkeyFields]]),
};

/** Whether values of this type can be decoded in parts. */
export function canStreamDecode(type: number, flavor: Flavor): boolean {
  return DECODERS[flavor].has(type);
}

export class ValueDecoder {
  readonly #input: PartInput;
  readonly #decoding: Decoding;
  #waits: Wait | 'done' | 'fresh' = 'fresh';

  /** @throws RangeError (our bug) when `canStreamDecode` is false. */
  constructor(type: number, flavor: Flavor, sink: ElementSink, pause: () => boolean) {
    const decoder = DECODERS[flavor].get(type);
    if (decoder === undefined) throw new RangeError(`type ${type} cannot be decoded in parts`);
    this.#input = new PartInput(`a value of type ${type}`);
    this.#decoding = decoder({ input: this.#input, sink, pause });
  }

  /** Copies the bytes. */
  push(part: Buffer): void {
    this.#input.push(part);
  }

  /** Decodes as far as it goes. @throws SyncError SNAPSHOT_CORRUPT. */
  run(): Wait | 'done' {
    if (this.#waits === 'done' || (this.#waits === 'more' && !this.#input.ready)) return this.#waits;
    const step = this.#decoding.next();
    this.#waits = step.done === true ? 'done' : step.value;
    return this.#waits;
  }

  /** All bytes were pushed. @throws SyncError SNAPSHOT_CORRUPT when they are not exactly one value. */
  finish(): void {
    if (this.#waits !== 'done') this.#input.fail('it is cut');
    if (this.#input.available > 0) this.#input.fail(`${this.#input.available} bytes are left over`);
  }
}
