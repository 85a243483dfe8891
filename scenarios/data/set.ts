/** Sets: integers (intset of 16, 32, 64 bits, until 512 members) and strings (listpack from 7.2, hashtable). */
import { nearby, writeMember, type SeedContext, type TypeSeeder } from './type-seeder.ts';

/** Distance of neighbours, so that a set of them stays within 16, 32 or 53 bits. */
const STEPS = [3, 1_000_003, 1_000_000_007];

export const setSeeder: TypeSeeder = {
  type: 'set',
  noun: 'tags',
  write(key, context) {
    const { out, random } = context;
    const count = context.elementCounts.draw(random);
    out.begin(2 + count);
    out.ascii('SADD');
    out.binary(key);
    if (random.chance(0.4)) writeIntegers(context, count);
    else {
      const size = context.elementSizes.draw(random);
      for (let index = 0; index < count; index++) writeMember(context, index, nearby(random, size));
    }
  },
};

function writeIntegers({ out, random }: SeedContext, count: number): void {
  const step = random.pick(STEPS);
  const first = random.below(1000) - 500;
  for (let index = 0; index < count; index++) out.integer(first + index * step);
}
