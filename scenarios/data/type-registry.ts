/** Every data type and the file that seeds it. A new type is one new file and one line here. */
import { bitmapSeeder } from './bitmap.ts';
import type { DataType } from './dataset.ts';
import { geoSeeder } from './geo.ts';
import { hashSeeder } from './hash.ts';
import { hyperloglogSeeder } from './hyperloglog.ts';
import { listSeeder } from './list.ts';
import { setSeeder } from './set.ts';
import { streamSeeder } from './stream.ts';
import { stringSeeder } from './string.ts';
import type { TypeSeeder } from './type-seeder.ts';
import { zsetSeeder } from './zset.ts';

export const TYPE_SEEDERS: Readonly<Record<DataType, TypeSeeder>> = {
  string: stringSeeder,
  hash: hashSeeder,
  list: listSeeder,
  set: setSeeder,
  zset: zsetSeeder,
  stream: streamSeeder,
  hyperloglog: hyperloglogSeeder,
  bitmap: bitmapSeeder,
  geo: geoSeeder,
};
