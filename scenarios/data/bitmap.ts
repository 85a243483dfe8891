/** Bitmaps: strings grown by SETBIT (mostly zero bytes) and dense ones. */
import type { TypeSeeder } from './type-seeder.ts';

export const bitmapSeeder: TypeSeeder = {
  type: 'bitmap',
  noun: 'active-days',
  write(key, { out, random, pool, valueSizes }) {
    const bytes = Math.max(1, valueSizes.draw(random));
    if (random.chance(0.3)) {
      out.begin(3);
      out.ascii('SET');
      out.binary(key);
      out.slice(pool.binary, random.below(pool.binary.length), bytes);
      return;
    }
    const bits = random.between(1, 8);
    for (let bit = 0; bit < bits; bit++)
      out.command('SETBIT', key, random.below(bytes * 8), bit === 0 ? 1 : random.below(2));
  },
};
