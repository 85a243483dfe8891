/** Hashes: a few named fields as listpack, many fields or long values as hashtable. */
import { nearby, writeContents, type TypeSeeder } from './type-seeder.ts';

export const hashSeeder: TypeSeeder = {
  type: 'hash',
  noun: 'user',
  write(key, context) {
    const { out, random, pool } = context;
    const count = context.elementCounts.draw(random);
    const size = context.elementSizes.draw(random);
    const names = pool.fields;
    const first = random.below(names.length);
    out.begin(2 + 2 * count);
    // Not HSET: with several fields that is 4.0 and later.
    out.ascii('HMSET');
    out.binary(key);
    for (let index = 0; index < count; index++) {
      const name = names[(first + index) % names.length] ?? 'field';
      out.ascii(index < names.length ? name : `${name}_${index}`);
      if ((random.next() & 3) === 0) out.integer(random.below(1_000_000));
      else writeContents(context, nearby(random, size));
    }
  },
};
