/**
 * The canonical digest straight from serialized bytes (a snapshot entry, or a DUMP payload between its type byte and
 * its footer), without building elements. Several million elements per second; covers the encodings that servers from
 * 7.0 on write for everything but streams, modules and hash-field expiry. The rest goes through the decoder.
 *
 * Layouts: engine/rdb/format.ts, engine/rdb/length.ts; listpack.c and intset.c of Redis.
 */
import { corrupt } from '../../rdb/corrupt.ts';
import { decodeValue } from '../../rdb/decode.ts';
import { type Flavor, STRING_ENCODING, TYPE } from '../../rdb/format.ts';
import { lengthEnd, MALFORMED, readLength, stringEnd } from '../../rdb/length.ts';
import { lzfDecompress, lzfSizePossible } from '../../rdb/lzf.ts';
import { ElementHasher, SEED } from './element-hasher.ts';
import type { Lanes } from './murmur.ts';
import { INTEGER_TEXT_MAX, parseScore, writeInteger, writeInteger64 } from './numbers.ts';
import { digestValue } from './value-digest.ts';

/** A quicklist node that is one large element instead of a listpack. */
const QUICKLIST_PLAIN = 1;
const LISTPACK_HEADER_BYTES = 6;
const LISTPACK_END = 0xff;

export class PayloadDigester {
  /** Elements of collections (1 for a string) seen since the start. */
  elements = 0;
  readonly #hasher = new ElementHasher();
  readonly #integer = new Uint8Array(INTEGER_TEXT_MAX);
  readonly #double = new Float64Array(1);
  readonly #doubleBytes = new Uint8Array(this.#double.buffer);
  #scratch = new Uint8Array(4096);

  /** The payload under work; `#end` is its end, `#at` the read position. */
  #bytes: Uint8Array = this.#scratch;
  #at = 0;
  #end = 0;
  /** The element found last: `[#from, #to)` of `#element`. */
  #element: Uint8Array = this.#scratch;
  #from = 0;
  #to = 0;
  /** The value of an integer element. 64-bit ones are only had as text. */
  #integerValue = 0;
  #integerIsExact = false;
  readonly #flavor: Flavor;

  /** `flavor` decides what the encodings of hash-field expiry mean. */
  constructor(flavor: Flavor = 'REDIS') {
    this.#flavor = flavor;
  }

  /**
   * Writes the digest of a value of RDB type `type`, whose bytes are `bytes[start, end)`, into `out`.
   * @throws SyncError SNAPSHOT_CORRUPT when the bytes are not such a value.
   */
  digest(type: number, bytes: Buffer, start: number, end: number, out: Lanes): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    switch (type) {
      case TYPE.STRING:
        this.elements++;
        this.#hasher.begin(SEED.string);
        this.#absorbString();
        break;
      case TYPE.LIST:
        this.#list();
        break;
      case TYPE.LIST_QUICKLIST_2:
        this.#quicklist();
        break;
      case TYPE.SET:
        this.#set();
        break;
      case TYPE.SET_INTSET:
        this.#intset();
        break;
      case TYPE.SET_LISTPACK:
        this.#listpackSet();
        break;
      case TYPE.HASH:
        this.#hash();
        break;
      case TYPE.HASH_LISTPACK:
        this.#listpackHash();
        break;
      case TYPE.ZSET_2:
        this.#zset();
        break;
      case TYPE.ZSET_LISTPACK:
        this.#listpackZset();
        break;
      default:
        this.elements++;
        digestValue(decodeValue(type, bytes.subarray(start, end), this.#flavor), out);
        return;
    }
    if (this.#at !== this.#end) this.#fail('bytes are left over');
    out.set(this.#hasher.lanes);
  }

  #list(): void {
    this.#hasher.begin(SEED.list);
    for (let left = this.#count(); left > 0; left--) this.#absorbString();
  }

  #quicklist(): void {
    this.#hasher.begin(SEED.list);
    for (let nodes = this.#length(); nodes > 0; nodes--) {
      if (this.#length() === QUICKLIST_PLAIN) {
        this.elements++;
        this.#absorbString();
        continue;
      }
      this.#nextString();
      let at = this.#openListpack();
      while ((at = this.#listpackElement(at)) !== 0) {
        this.elements++;
        this.#absorbElement();
      }
    }
  }

  #set(): void {
    this.#hasher.beginSum();
    for (let left = this.#count(); left > 0; left--) {
      this.#hasher.begin(SEED.set);
      this.#absorbString();
      this.#hasher.addToSum();
    }
    this.#hasher.finishSum(SEED.set);
  }

  #intset(): void {
    this.#nextString();
    const bytes = this.#element;
    const width = bytes[this.#from]!;
    if (width !== 2 && width !== 4 && width !== 8) this.#fail(`${width} is not the width of an intset`);
    const count = int32(bytes, this.#from + 4) >>> 0;
    if (this.#to - this.#from !== 8 + count * width) this.#fail('an intset has the wrong size');
    const stop = this.#to;
    this.#hasher.beginSum();
    for (let at = this.#from + 8; at < stop; at += width) {
      this.#hasher.begin(SEED.set);
      if (width === 2) this.#integerElement(((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16);
      else if (width === 4) this.#integerElement(int32(bytes, at));
      else this.#integer64Element(bytes, at);
      this.#absorbElement();
      this.#hasher.addToSum();
    }
    this.elements += count;
    this.#hasher.finishSum(SEED.set);
  }

  #listpackSet(): void {
    this.#nextString();
    let at = this.#openListpack();
    this.#hasher.beginSum();
    while ((at = this.#listpackElement(at)) !== 0) {
      this.elements++;
      this.#hasher.begin(SEED.set);
      this.#absorbElement();
      this.#hasher.addToSum();
    }
    this.#hasher.finishSum(SEED.set);
  }

  #hash(): void {
    this.#hasher.beginSum();
    for (let left = this.#count(); left > 0; left--) {
      this.#hasher.begin(SEED.hash);
      this.#absorbString();
      this.#absorbString();
      this.#hasher.addToSum();
    }
    this.#hasher.finishSum(SEED.hash);
  }

  #listpackHash(): void {
    this.#nextString();
    let at = this.#openListpack();
    this.#hasher.beginSum();
    while ((at = this.#listpackElement(at)) !== 0) {
      this.elements++;
      this.#hasher.begin(SEED.hash);
      this.#absorbElement();
      at = this.#partner(at);
      this.#absorbElement();
      this.#hasher.addToSum();
    }
    this.#hasher.finishSum(SEED.hash);
  }

  #zset(): void {
    this.#hasher.beginSum();
    for (let left = this.#count(); left > 0; left--) {
      this.#hasher.begin(SEED.zset);
      this.#absorbString();
      for (let index = 0; index < 8; index++) this.#doubleBytes[index] = this.#bytes[this.#at + index]!;
      this.#at += 8;
      this.#hasher.number(this.#double[0]!);
      this.#hasher.addToSum();
    }
    this.#hasher.finishSum(SEED.zset);
  }

  #listpackZset(): void {
    this.#nextString();
    let at = this.#openListpack();
    this.#hasher.beginSum();
    while ((at = this.#listpackElement(at)) !== 0) {
      this.elements++;
      this.#hasher.begin(SEED.zset);
      this.#absorbElement();
      at = this.#partner(at);
      this.#hasher.number(this.#score());
      this.#hasher.addToSum();
    }
    this.#hasher.finishSum(SEED.zset);
  }

  /** The current element as a score. Most scores are integers, which need not become text and back. */
  #score(): number {
    if (this.#element === this.#integer && this.#integerIsExact) return this.#integerValue;
    return parseScore(this.#element, this.#from, this.#to);
  }

  #absorbElement(): void {
    this.#hasher.bytes(this.#element, this.#from, this.#to);
  }

  #absorbString(): void {
    this.#nextString();
    this.#hasher.bytes(this.#element, this.#from, this.#to);
  }

  /** Number of elements that follow, counted in `elements`. */
  #count(): number {
    const count = this.#length();
    this.elements += count;
    return count;
  }

  #length(): number {
    const at = this.#at;
    const first = this.#bytes[at]!;
    if (first < 0x40 && at < this.#end) {
      this.#at = at + 1;
      return first;
    }
    const next = lengthEnd(this.#bytes, at, this.#end);
    if (next < 0) this.#fail('a length is cut or unknown');
    this.#at = next;
    return readLength(this.#bytes, at);
  }

  /** Reads the string at `#at`: its content becomes the current element. */
  #nextString(): void {
    const at = this.#at;
    const first = this.#bytes[at]!;
    const stop = first < 0x40 ? at + 1 + first : stringEnd(this.#bytes, at, this.#end);
    if (stop === MALFORMED || stop < at || stop > this.#end) this.#fail('a string is cut or unknown');
    this.#at = stop;
    this.#element = this.#bytes;
    this.#to = stop;
    if (first < 0x40) this.#from = at + 1;
    else if (first < 0xc0) this.#from = stop - readLength(this.#bytes, at);
    else if (first === STRING_ENCODING.LZF) this.#decompress(at, stop);
    else this.#integerString(first, at + 1);
  }

  #integerString(encoding: number, at: number): void {
    const bytes = this.#bytes;
    if (encoding === STRING_ENCODING.INT8) this.#integerElement((bytes[at]! << 24) >> 24);
    else if (encoding === STRING_ENCODING.INT16)
      this.#integerElement(((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16);
    else this.#integerElement(int32(bytes, at));
  }

  #decompress(at: number, stop: number): void {
    const compressed = readLength(this.#bytes, at + 1);
    const uncompressed = readLength(this.#bytes, lengthEnd(this.#bytes, at + 1, stop));
    if (!lzfSizePossible(compressed, uncompressed)) this.#fail('a compressed string has impossible sizes');
    if (this.#scratch.length < uncompressed) this.#scratch = new Uint8Array(Math.ceil(uncompressed * 1.5));
    const output = this.#scratch.subarray(0, uncompressed);
    if (!lzfDecompress(this.#bytes, stop - compressed, stop, output))
      this.#fail('a string does not decompress');
    this.#element = this.#scratch;
    this.#from = 0;
    this.#to = uncompressed;
  }

  #integerElement(value: number): void {
    this.#integerValue = value;
    this.#integerIsExact = true;
    this.#from = writeInteger(this.#integer, value);
    this.#to = INTEGER_TEXT_MAX;
    this.#element = this.#integer;
  }

  #integer64Element(bytes: Uint8Array, at: number): void {
    this.#integerIsExact = false;
    this.#from = writeInteger64(this.#integer, int32(bytes, at), int32(bytes, at + 4));
    this.#to = INTEGER_TEXT_MAX;
    this.#element = this.#integer;
  }

  /** The listpack that `#pack[…, #packEnd)` will be read from. */
  #pack: Uint8Array = this.#scratch;
  #packEnd = 0;

  /** Makes the current element the current listpack; returns the offset of its first element. */
  #openListpack(): number {
    this.#pack = this.#element;
    this.#packEnd = this.#to;
    const from = this.#from;
    if (this.#to - from < LISTPACK_HEADER_BYTES + 1 || int32(this.#pack, from) !== this.#to - from) {
      this.#fail('a listpack has the wrong size');
    }
    return from + LISTPACK_HEADER_BYTES;
  }

  /** The second of a pair (value of a field, score of a member). */
  #partner(at: number): number {
    const next = this.#listpackElement(at);
    if (next === 0) this.#fail('a listpack of pairs has an odd number of elements');
    return next;
  }

  /** Reads the element at `at`; returns the offset of the next one, or 0 when the end mark is at `at`. */
  #listpackElement(at: number): number {
    const pack = this.#pack;
    const first = pack[at]!;
    if (first < 0x80) {
      this.#integerElement(first);
      return this.#behind(at, 1);
    }
    if (first < 0xc0) {
      const length = first & 0x3f;
      this.#element = pack;
      this.#from = at + 1;
      this.#to = at + 1 + length;
      return this.#behind(at, 1 + length);
    }
    if (first === LISTPACK_END) {
      if (at !== this.#packEnd - 1) this.#fail('a listpack ends early');
      return 0;
    }
    return this.#largeElement(at, first);
  }

  #largeElement(at: number, first: number): number {
    const pack = this.#pack;
    if (first < 0xe0) {
      this.#integerElement(((((first & 0x1f) << 8) | pack[at + 1]!) << 19) >> 19);
      return this.#behind(at, 2);
    }
    if (first < 0xf0) return this.#stringElement(at, 2, ((first & 0x0f) << 8) | pack[at + 1]!);
    switch (first) {
      case 0xf0:
        return this.#stringElement(at, 5, int32(pack, at + 1) >>> 0);
      case 0xf1:
        this.#integerElement(((pack[at + 1]! | (pack[at + 2]! << 8)) << 16) >> 16);
        return this.#behind(at, 3);
      case 0xf2:
        this.#integerElement(((pack[at + 1]! | (pack[at + 2]! << 8) | (pack[at + 3]! << 16)) << 8) >> 8);
        return this.#behind(at, 4);
      case 0xf3:
        this.#integerElement(int32(pack, at + 1));
        return this.#behind(at, 5);
      case 0xf4:
        this.#integer64Element(pack, at + 1);
        return this.#behind(at, 9);
      default:
        return this.#fail(`0x${first.toString(16)} does not start a listpack element`);
    }
  }

  #stringElement(at: number, header: number, length: number): number {
    this.#element = this.#pack;
    this.#from = at + header;
    this.#to = at + header + length;
    return this.#behind(at, header + length);
  }

  /** The offset behind an element of `size` bytes and its backward length (lpEncodeBacklen). */
  #behind(at: number, size: number): number {
    const backward = size <= 127 ? 1 : size < 16383 ? 2 : size < 2097151 ? 3 : size < 268435455 ? 4 : 5;
    const next = at + size + backward;
    if (next >= this.#packEnd) this.#fail('a listpack element is cut');
    return next;
  }

  #fail(what: string): never {
    throw corrupt(`${what} in a serialized value`, `value byte ${this.#at}`);
  }
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
