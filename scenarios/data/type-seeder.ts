/**
 * The seam between seeding and the data types: one file per type, each writes the commands that create one key.
 *
 * A seeder draws everything from `random` and nothing from a clock, creates exactly the one key it is given, never
 * reads a reply, and uses only commands that cannot fail on a key that does not exist yet.
 */
import type { CommandWriter } from './command-writer.ts';
import type { DataType } from './dataset.ts';
import type { Random } from './random.ts';
import type { SizeTable } from './sizes.ts';
import type { TextPool } from './text-pool.ts';

export interface SeedContext {
  readonly out: CommandWriter;
  readonly random: Random;
  readonly pool: TextPool;
  /** Bytes of a string value. */
  readonly valueSizes: SizeTable;
  /** Bytes of one element of a collection. */
  readonly elementSizes: SizeTable;
  /** Elements of a collection. */
  readonly elementCounts: SizeTable;
}

export interface TypeSeeder {
  readonly type: DataType;
  /** The word keys of this type contain (`user`, `queue`). ASCII. */
  readonly noun: string;
  /** Creates `key`. The buffer is only valid during the call. */
  write(key: Buffer, context: SeedContext): void;
}

/**
 * Writes `length` bytes of contents as one word: usually text, sometimes compressible runs, sometimes any bytes.
 * Text and bytes start anywhere in the pool, so two values are hardly ever equal.
 */
export function writeContents(context: SeedContext, length: number): void {
  const { out, pool, random } = context;
  const kind = random.below(10);
  const source = kind < 8 ? pool.text : kind === 8 ? pool.runs : pool.binary;
  out.slice(source, random.below(source.length), length);
}

/** A member or element that is unique within its key: `<index>:<text>`, about `length` bytes. */
export function writeMember(context: SeedContext, index: number, length: number): void {
  const { out, pool, random } = context;
  out.numberedSlice(index, pool.text, random.below(pool.text.length), length);
}

/** An element size near `size`, so that the elements of one key are alike, as they are in life. */
export function nearby(random: Random, size: number): number {
  return size - random.below((size >>> 1) + 1);
}
